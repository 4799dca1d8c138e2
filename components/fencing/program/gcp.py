"""Machines of Compute Engine, with the token that GKE's metadata server has for this pod."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import urlencode

from .https import call
from .power import SwitchFailed, WrongMachine

METADATA = (
    "http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/default/token"
)


class Gcp:
    """Resets an instance: what ran there is gone once the operation is done, and it boots anew."""

    def __init__(
        self,
        *,
        compute: str = "https://compute.googleapis.com/compute/v1",
        metadata: str = METADATA,
    ) -> None:
        self._compute, self._metadata = compute, metadata

    def identify(self, name: str, address: str, provider_id: str) -> str:
        """The instance that the node names, if it has the node's name and address."""
        found = re.fullmatch(r"gce://([^/]+)/([^/]+)/([^/]+)", provider_id)
        if not found:
            raise WrongMachine(f"{name} names no instance: {provider_id!r}")
        machine = "projects/{}/zones/{}/instances/{}".format(*found.groups())
        told = self._ask("GET", machine)
        addresses = [card.get("networkIP") for card in told.get("networkInterfaces", [])]
        if told.get("name") != name or not address or address not in addresses:
            raise WrongMachine(
                f"{machine} is {told.get('name')} at {addresses}, and the node {name} at {address}"
            )
        return machine

    def off(self, machine: str, request: str) -> str:
        """Reset the instance; asked for twice by one name, it happens once."""
        operation = self._ask("POST", f"{machine}/reset", requestId=request)
        return f"{machine.partition('/instances/')[0]}/operations/{operation['name']}"

    def state(self, machine: str, handle: str) -> str:
        """``off`` once the reset is done: no process from before it is left."""
        if not handle:
            return "on"
        operation = self._ask("GET", handle)
        if operation.get("error"):
            raise SwitchFailed(f"the reset failed: {json.dumps(operation['error'])[:300]}")
        return "off" if operation.get("status") == "DONE" else "changing"

    def on(self, machine: str, handle: str) -> None:
        """A reset boots by itself."""

    def done(self, machine: str, handle: str) -> None:
        """Nobody else was told."""

    def _ask(self, method: str, path: str, **query: str) -> dict[str, Any]:
        told = json.loads(call("GET", self._metadata, headers={"Metadata-Flavor": "Google"}))
        url = f"{self._compute}/{path}" + (f"?{urlencode(query)}" if query else "")
        headers = {"Authorization": f"Bearer {told['access_token']}"}
        body = b"" if method == "POST" else None
        return json.loads(call(method, url, headers=headers, body=body))
