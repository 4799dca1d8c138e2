"""What is no fault of a stack file's image and licence, and what a person should know early."""

import re
from collections.abc import Iterator
from datetime import date

from components.iris.image import WARN_DAYS, abandoned_repository, licence_warning
from components.iris.settings import IrisSettings

COMMUNITY_CONNECTIONS = 8
"""Connections that Community Edition allows at a time (InterSystems, "Deploy and Explore
InterSystems IRIS Community Edition")."""


def image_warnings(settings: IrisSettings, today: date) -> Iterator[str]:
    """What every preview says of the image and its licence."""
    image = settings.product()
    yield from filter(None, (licence_warning(image, today), abandoned_repository(image.name)))
    if image.known_edition is None and not image.community:
        yield (
            f"Nothing says which product {image.name} is made from: it is taken for a licensed "
            "IRIS. ha-iris:iris.edition tells."
        )
    if image.version is None:
        yield (
            f"Nothing says which release of IRIS {image.name} is: whether the next one is older, "
            "or a licence of Community Edition ends, is not checked. ha-iris:iris.release tells."
        )
    if "intersystemsdc/" in image.name and settings.entrypoint is None:
        yield (
            f"{image.name} has an entrypoint of its own, and the program's options are for "
            "iris-main: set ha-iris:iris.entrypoint (docs/images.md)."
        )
    gateways = settings.web_gateway.replicas if settings.has_web_gateway() else 0
    if image.community and gateways:
        yield (
            f"Community Edition allows {COMMUNITY_CONNECTIONS} connections at a time, and the "
            f"{gateways} web gateways take theirs from these."
        )
    if settings.license_key:
        yield from _key_warning(settings.license_key.get_secret_value(), today)
    elif not image.community and image.known_edition:
        yield (
            f"{image.name} is a licensed IRIS and there is no licenseKey: outside of evaluations "
            "InterSystems asks for one."
        )


def _key_warning(key: str, today: date) -> Iterator[str]:
    """The end of a licence, where its key has a line such as ExpirationDate=12/31/2026."""
    found = re.search(r"^ExpirationDate=(\d{1,2})/(\d{1,2})/(\d{4})\s*$", key, re.MULTILINE)
    if not found:
        return
    month, day, year = (int(part) for part in found.groups())
    try:
        ends = date(year, month, day)
    except ValueError:
        return
    if (ends - today).days <= WARN_DAYS:
        tense = "ended" if ends < today else "ends"
        yield (
            f"The licence in licenseKey {tense} on {ends}. A new key reaches IRIS while it runs: "
            "set it and run `pulumi up`."
        )
