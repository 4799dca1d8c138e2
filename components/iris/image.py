"""What an IRIS image is, as its name says or the stack file: edition, release, processor."""

import re
from dataclasses import dataclass
from datetime import date
from typing import Literal

# Community Edition, for both processors. Newer tags:
# https://hub.docker.com/r/intersystems/iris-community/tags
# Its licence ends about 13 months after the release: move the tag at least once a year, and add
# the day that the release was built on below.
IMAGE = "containers.intersystems.com/intersystems/iris-community:2026.2"
BUILT: dict[tuple[int, ...], date] = {(2026, 2): date(2026, 7, 22)}
"""Day that a release's Community image was built on."""

WARN_DAYS = 60

Edition = Literal["iris", "iris-community", "irishealth", "irishealth-community"]
"""InterSystems' products, as their repositories are named."""

Version = tuple[int, ...]
"""A release such as (2026, 2), or a build of one such as (2026, 1, 0, 233, 0)."""


@dataclass(frozen=True)
class Image:
    """An image, and what the stack file tells of it beside its name."""

    name: str
    """With its tag, digest or both."""

    edition: Edition | None = None
    """Told; None: what the name says."""

    release: str | None = None
    """Told, as in 2026.2; None: what the tag says."""

    @property
    def known_edition(self) -> Edition | None:
        """What is told, or said by a name such as InterSystems gives; None for any other name."""
        return self.edition or edition_of(self.name)

    @property
    def community(self) -> bool:
        """Whether it is, or is made from, Community Edition, as far as anything says so."""
        return "community" in (self.edition or _repository(self.name))

    @property
    def version(self) -> Version | None:
        """Release that is told or that the tag names, with its build where it does."""
        if self.release:
            return tuple(int(part) for part in self.release.split("."))
        return version_of(self.name)

    @property
    def has_web_server(self) -> bool:
        """Whether a web server comes with the image and offers the portal on 52773.

        Since 2023.2 with Community Edition only (InterSystems, "Running InterSystems Products in
        Containers"). An image that nothing is known of is taken for a licensed one.
        """
        return self.community or (self.version is not None and self.version < (2023, 2))

    def older(self, than: "Image") -> bool:
        """Whether it is of an older release, or build of one, than another."""
        one, other = self.version, than.version
        # 2026.1 is some build of 2026.1: no older than 2026.1.0.233.0.
        return one is not None and other is not None and one < other[: len(one)]

    def other_edition(self, than: "Image") -> bool:
        """Whether two images are of different products, where both are known."""
        mine, other = self.known_edition, than.known_edition
        return mine is not None and other is not None and mine != other


def edition_of(name: str) -> Edition | None:
    """The product that a repository's name says, mirrors included; None for other names."""
    found = re.fullmatch(
        r"(iris|irishealth)(-ml)?(-community)?(-lockeddown)?(-arm64)?", _repository(name)
    )
    if not found:
        return None
    if found[1] == "iris":
        return "iris-community" if found[3] else "iris"
    return "irishealth-community" if found[3] else "irishealth"


def version_of(name: str) -> Version | None:
    """Release that a tag names, as in 2026.2, with its build where it does."""
    found = re.search(r":(20\d\d(?:\.\d+)+)[^:/]*$", _without_digest(name))
    return tuple(int(part) for part in found[1].split(".")) if found else None


def moves(name: str) -> bool:
    """Whether the tag names no release, but whatever is newest; a digest beside it holds it."""
    return re.search(r":(latest|latest-\w+|.*preview.*)$", name) is not None and "@" not in name


def needs_root(name: str) -> bool:
    """Whether this is InterSystems' web gateway in a form that root runs, on port 80.

    "Running InterSystems Products in Containers", Web Gateway images. Of an image from elsewhere
    nothing is known.
    """
    return "intersystems/" in name and _repository(name) in ("webgateway", "webgateway-nginx")


def licence_ends(image: Image) -> date | None:
    """Day about which a Community image starts no more; None where nothing tells."""
    version = image.version
    if not image.community or version is None:
        return None
    built = BUILT.get(version[:2])
    # A release that is not in the table was built in its year at the latest.
    year, month = (built.year, built.month) if built else (version[0], 12)
    return date(year + 1 + month // 12, month % 12 + 1, min(built.day, 28) if built else 28)


def licence_warning(image: Image, today: date) -> str | None:
    """What to do about a Community licence that ends soon or has ended; None if there is time."""
    ends = licence_ends(image)
    if ends is None or (ends - today).days > WARN_DAYS:
        return None
    tense = "ended" if ends < today else "ends"
    return (
        f"The licence in {image.name} {tense} about {ends}: Community Edition does not start after "
        "it, and a newer image starts only on a volume that was closed cleanly. Upgrade while the "
        "database runs: docs/upgrades.md, IRIS."
    )


def wrong_architecture(name: str, architecture: str) -> str | None:
    """Why InterSystems' image cannot run on these nodes, and the cure; None if it can.

    InterSystems' images are for both processors; older releases had ARM builds in repositories
    named ``...-arm64``, which hold nothing else. Of an image from elsewhere nothing is known.
    """
    if "intersystems/" not in name or architecture == "arm64" or not _only_arm64(name):
        return None
    return (
        f"image {name} does not run on amd64 nodes; use the repository "
        f"{_repository(name).removesuffix('-arm64')}, or nodes of the other architecture"
    )


def abandoned_repository(name: str) -> str | None:
    """A warning for a repository that gets no releases any more; None for every other."""
    if "intersystems/" not in name or not _only_arm64(name):
        return None
    plain = _repository(name).removesuffix("-arm64")
    return (
        f"Users report no new releases in the repository of {name} since the middle of 2025: "
        f"{plain} holds the builds for both processors. Move to it with the next upgrade."
    )


def _only_arm64(name: str) -> bool:
    return _repository(name).endswith("-arm64")


def _repository(name: str) -> str:
    return _without_digest(name).rsplit("/", 1)[-1].split(":")[0]


def _without_digest(name: str) -> str:
    return name.split("@")[0]
