"""Kubernetes minor versions, as far as Longhorn cares about them."""

import pulumi

TESTED = ("1.33", "1.36")
"""First and last minor that Longhorn 1.12 is tested on (best practices, 1.12.1)."""


def minor(version: str) -> int:
    """35 for 1.35 and for 1.35.4."""
    return int(version.split(".")[1])


def warn_of_untested(version: str) -> None:
    """Say so in preview and update where a cluster is newer than Longhorn's tests."""
    if minor(version) > minor(TESTED[1]):
        pulumi.log.warn(
            f"Kubernetes {version} is newer than {TESTED[1]}, the last that Longhorn 1.12 is "
            "tested on."
        )
