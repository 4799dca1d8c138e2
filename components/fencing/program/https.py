"""One request to a cloud."""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from collections.abc import Mapping

from .power import PowerError

TIMEOUT = 8.0
"""Seconds for one answer."""


def call(
    method: str, url: str, *, headers: Mapping[str, str] | None = None, body: bytes | None = None
) -> str:
    """The answer's text.

    Raises:
        PowerError: it is a refusal, or there is none.
    """
    request = urllib.request.Request(url, data=body, headers=dict(headers or {}), method=method)
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
            return answer.read().decode()
    except urllib.error.HTTPError as error:
        text = error.read(2000).decode(errors="replace")
        raise PowerError(f"{method} {url.partition('?')[0]}: {error.code} {text}") from error
    except (OSError, http.client.HTTPException) as error:
        raise PowerError(f"{method} {url.partition('?')[0]}: {error!r}") from error
