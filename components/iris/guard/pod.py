"""The guard's part of the database pod, as plain data."""

from typing import Any

from components.iris.guard import timing
from components.iris.settings import IrisSettings

FOLDER = "/run/ha-iris"
"""What the guard remembers, in memory."""

VOLUME: dict[str, Any] = {"name": "guard", "emptyDir": {"medium": "Memory", "sizeLimit": "1Mi"}}
MOUNT = {"name": "guard", "mountPath": FOLDER}


def guarded(
    spec: dict[str, Any],
    settings: IrisSettings,
    *,
    peers: str | None,
    data_mount: str,
    scripts: str,
) -> dict[str, Any]:
    """The database pod with a guard, where there are peers to be cut off from.

    Args:
        spec: the pod without one; its first container is IRIS.
        settings: choices of the stack.
        peers: name and port of the nodes that hold copies.
        data_mount: where the volume is mounted.
        scripts: folder of the scripts in the container.
    """
    if peers is None:
        return spec
    iris, *others = spec["containers"]
    told = environment(
        isolated_seconds=settings.guard.isolated_seconds,
        peers=peers,
        data_mount=data_mount,
        stop_seconds=settings.termination_grace_period_seconds,
    )
    watched = {
        **iris,
        "env": [*iris["env"], *({"name": name, "value": text} for name, text in told.items())],
        "livenessProbe": liveness_probe(scripts),
        "volumeMounts": [*iris["volumeMounts"], MOUNT],
    }
    return {**spec, "containers": [watched, *others], "volumes": [*spec["volumes"], VOLUME]}


def environment(
    *, isolated_seconds: int, peers: str, data_mount: str, stop_seconds: int
) -> dict[str, str]:
    """What scripts/guard.sh is told.

    Args:
        isolated_seconds: how long a write may hang and a node may reach nobody.
        peers: name and port of Longhorn's managers.
        data_mount: where the volume is mounted.
        stop_seconds: for a clean stop where IRIS no longer says that it runs.
    """
    return {
        "GUARD_SECONDS": str(isolated_seconds),
        "GUARD_EVERY": str(timing.EVERY),
        "GUARD_TIMEOUT": str(timing.ANSWER),
        "GUARD_PEERS": peers,
        "GUARD_FOLDER": FOLDER,
        "GUARD_VOLUME": data_mount,
        "GUARD_GRACE": str(stop_seconds),
    }


def liveness_probe(scripts: str) -> dict[str, Any]:
    """The container's one liveness probe: quick where IRIS must not live on, tolerant elsewhere.

    A container may have one, and here are two rules. The guard's own process keeps both counts, so
    that the probe only reads a verdict: it is asked often, and hangs long before that counts.

    Args:
        scripts: folder of the scripts in the container.
    """
    return {
        "exec": {"command": [f"{scripts}/guard.sh", "alive"]},
        "periodSeconds": timing.PROBE_PERIOD,
        "timeoutSeconds": timing.PROBE_TIMEOUT,
        "failureThreshold": timing.PROBE_FAILURES,
        # A clean stop writes for as long as it is given, to a volume that is no longer ours.
        "terminationGracePeriodSeconds": timing.PROBE_GRACE,
    }
