"""What an IRIS image is, as far as its name says: edition, version, processor, licence."""

import re
from datetime import date

# Community Edition, for both processors. Newer tags:
# https://hub.docker.com/r/intersystems/iris-community/tags
# Its licence ends about 13 months after the release: move the tag at least once a year, and add
# the day that the release was built on below.
IMAGE = "containers.intersystems.com/intersystems/iris-community:2026.2"
BUILT: dict[tuple[int, ...], date] = {(2026, 2): date(2026, 7, 22)}
"""Day that a release's Community image was built on."""

WARN_DAYS = 60


def is_community(image: str) -> bool:
    """Whether an image is, or is made from, Community Edition, as far as its name says."""
    return "community" in _repository(image)


def has_web_server(image: str) -> bool:
    """Whether a web server comes with the image and offers the portal on 52773.

    Since 2023.2 with Community Edition only (InterSystems, "Running InterSystems Products in
    Containers"). An image whose name says nothing is taken for a licensed one.
    """
    version = version_of(image)
    return is_community(image) or (version is not None and version < (2023, 2))


def version_of(image: str) -> tuple[int, ...] | None:
    """Release that a tag names, as in 2026.2, with its build where it does; None for a digest."""
    found = re.search(r":(20\d\d(?:\.\d+)+)[^:/@]*$", image)
    return tuple(int(part) for part in found[1].split(".")) if found else None


def moves(image: str) -> bool:
    """Whether the tag names no release, but whatever is newest."""
    return re.search(r":(latest|latest-\w+|.*preview.*)$", image) is not None


def older(image: str, than: str) -> bool:
    """Whether an image is of an older release, or build of one, than another; as tags say."""
    one, other = version_of(image), version_of(than)
    # 2026.1 is some build of 2026.1: no older than 2026.1.0.233.0.
    return one is not None and other is not None and one < other[: len(one)]


def other_edition(image: str, than: str) -> bool:
    """Whether one of two images of InterSystems is Community Edition, or for Health, and one not.

    Of images from elsewhere nothing is known.
    """
    if not all("intersystems/" in name for name in (image, than)):
        return False
    return _edition(image) != _edition(than)


def needs_root(image: str) -> bool:
    """Whether this is InterSystems' web gateway in a form that root runs, on port 80.

    "Running InterSystems Products in Containers", Web Gateway images. Of an image from elsewhere
    nothing is known.
    """
    return "intersystems/" in image and _repository(image) in ("webgateway", "webgateway-nginx")


def licence_warning(image: str, today: date) -> str | None:
    """What to do about a Community licence that ends soon or has ended; None if there is time."""
    version = version_of(image)
    if not is_community(image) or version is None:
        return None
    built = BUILT.get(version[:2])
    # A release that is not in the table was built in its year at the latest.
    year, month = (built.year, built.month) if built else (version[0], 12)
    ends = date(year + 1 + month // 12, month % 12 + 1, min(built.day, 28) if built else 28)
    if (ends - today).days > WARN_DAYS:
        return None
    tense = "ended" if ends < today else "ends"
    return (
        f"The licence in {image} {tense} about {ends}: Community Edition does not start after it, "
        "and a newer image starts only on a volume that was closed cleanly. Upgrade while the "
        "database runs: docs/upgrades.md, IRIS."
    )


def wrong_architecture(image: str, architecture: str) -> str | None:
    """Why InterSystems' image cannot run on these nodes, and the cure; None if it can.

    InterSystems' images are for both processors; older releases had ARM builds in repositories
    named ``...-arm64``, which hold nothing else. Of an image from elsewhere nothing is known.
    """
    if "intersystems/" not in image or architecture == "arm64" or not _only_arm64(image):
        return None
    return (
        f"image {image} does not run on amd64 nodes; use the repository "
        f"{_repository(image).removesuffix('-arm64')}, or nodes of the other architecture"
    )


def abandoned_repository(image: str) -> str | None:
    """A warning for a repository that gets no releases any more; None for every other."""
    if "intersystems/" not in image or not _only_arm64(image):
        return None
    plain = _repository(image).removesuffix("-arm64")
    return (
        f"Users report no new releases in the repository of {image} since the middle of 2025: "
        f"{plain} holds the builds for both processors. Move to it with the next upgrade."
    )


def _only_arm64(image: str) -> bool:
    return _repository(image).endswith("-arm64")


def _edition(image: str) -> tuple[bool, bool]:
    return is_community(image), "irishealth" in _repository(image)


def _repository(image: str) -> str:
    return re.split(r"[:@]", image.rsplit("/", 1)[-1])[0]
