"""What is asked of a cluster before a volume is filled: plain functions over its answers."""

from collections.abc import Collection
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

from components.iris.pod import LABELS
from components.iris.restore.source import DRIVER, SNAPSHOTS
from components.iris.restore.source_settings import HANDLE, LIST, SourceSettings
from components.kubernetes_api import Api

STATE = "backup.ha-iris/state"
"""Label of a snapshot or backup that says what it is worth (components/backup/program)."""

PROVISIONER = "volume.kubernetes.io/storage-provisioner"
GIB = 2**30
UNITS = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "k": 10**3, "M": 10**6, "G": 10**9}


class Size(NamedTuple):
    """What a volume is to have, and where a stack file says it."""

    gib: int
    setting: str


class NotYet(Exception):
    """It is not there, and may come: a store is read every five minutes."""


class Unfit(Exception):
    """The volume cannot be filled from it, for the reason and with the cure that this says."""


def look(
    api: Api,
    source: SourceSettings,
    *,
    namespace: str,
    storage_class: str,
    gib: int,
    setting: str = "storageGib",
) -> list[str]:
    """What a person should know of a source that will do.

    Args:
        api: of the cluster.
        source: what a volume is to be filled from.
        namespace: of the volume's claim.
        storage_class: of the volume.
        gib: size of the volume.
        setting: key of that size in a stack file's ``iris``.

    Raises:
        NotYet: it is not there.
        Unfit: it is, and will not do.
    """
    found = api.get(f"/apis/storage.k8s.io/v1/storageclasses/{storage_class}")
    if found and found["provisioner"] != DRIVER:
        raise Unfit(
            f"class {storage_class} is {found['provisioner']}'s, and snapshots, backups and "
            "clones here are Longhorn's; drop ha-iris:iris.storageClass, or restore"
        )
    size = Size(gib, setting)
    if source.backup is not None:
        return _backup(api, source.backup, size)
    if source.claim is not None:
        return _claim(api, source.claim, namespace, size)
    assert source.snapshot is not None
    if source.snapshot.startswith(HANDLE):
        return _handle(api, source.snapshot, size)
    return _snapshot(api, source.snapshot, namespace, size)


def _snapshot(api: Api, name: str, namespace: str, wanted: Size) -> list[str]:
    path = f"/apis/{SNAPSHOTS}/v1/namespaces/{namespace}/volumesnapshots"
    found = api.get(f"{path}/{name}")
    if found is None:
        raise NotYet(
            f"there is no VolumeSnapshot {name} in namespace {namespace}; `kubectl -n {namespace} "
            "get volumesnapshots` lists them, and one of another namespace goes by its handle"
        )
    status = found.get("status") or {}
    if not status.get("readyToUse"):
        raise NotYet(f"snapshot {name} is not ready to use")
    if size := status.get("restoreSize"):
        _same(in_bytes(str(size)), wanted, f"snapshot {name}")
    return _worth(found["metadata"].get("labels") or {}, f"snapshot {name}")


def _handle(api: Api, handle: str, wanted: Size) -> list[str]:
    volume, _, snapshot = handle.removeprefix(HANDLE).partition("/")
    path = "/apis/longhorn.io/v1beta2/namespaces/longhorn-system"
    found = api.get(f"{path}/volumes/{volume}")
    if found is None:
        raise NotYet(f"Longhorn has no volume {volume}, which {handle} is of")
    _same(int(found["spec"]["size"]), wanted, f"volume {volume}")
    if api.get(f"{path}/snapshots/{snapshot}") is None:
        raise NotYet(f"Longhorn has no snapshot {snapshot} of volume {volume}")
    return []


def _claim(api: Api, name: str, namespace: str, wanted: Size) -> list[str]:
    found = api.get(f"/api/v1/namespaces/{namespace}/persistentvolumeclaims/{name}")
    if found is None:
        raise NotYet(f"there is no claim {name} in namespace {namespace}")
    maker = (found["metadata"].get("annotations") or {}).get(PROVISIONER)
    if maker != DRIVER:
        raise Unfit(f"claim {name} is {maker}'s and not Longhorn's; name another source")
    status = found.get("status") or {}
    if status.get("phase") != "Bound":
        raise NotYet(f"claim {name} has no volume yet")
    _same(in_bytes(status["capacity"]["storage"]), wanted, f"claim {name}")
    return [
        f"Claim {name} is copied as it is at that moment: while IRIS runs on it, that is what a "
        "power failure would leave."
    ]


def _backup(api: Api, url: str, wanted: Size) -> list[str]:
    name = parse_qs(urlsplit(url).query)["backup"][0]
    found = api.get(f"/apis/longhorn.io/v1beta2/namespaces/longhorn-system/backups/{name}")
    if found is None:
        raise NotYet(
            f"Longhorn knows no backup {name}; `{LIST}` lists those of its store, which is that of "
            "ha-iris:backup"
        )
    status = found.get("status") or {}
    if status.get("state") != "Completed":
        raise NotYet(f"backup {name} is {status.get('state') or 'not known to be'} complete")
    if status.get("url") and not _same_place(status["url"], url):
        raise Unfit(f"the URL of backup {name} is {status['url']}; set restore.data.backup to it")
    if size := status.get("volumeSize"):
        _same(int(size), wanted, f"backup {name}")
    return _worth(status.get("labels") or {}, f"backup {name}")


def _same_place(one: str, other: str) -> bool:
    """Whether two URLs name one backup, in whatever order they name its parts."""
    first, second = urlsplit(one), urlsplit(other)
    return (first.scheme, first.netloc, parse_qs(first.query)) == (
        second.scheme,
        second.netloc,
        parse_qs(second.query),
    )


def _same(size: int, wanted: Size, whose: str) -> None:
    """Longhorn fills a volume of the source's size and no other (CreateVolume, 1.12.1)."""
    if size == wanted.gib * GIB:
        return
    its = f"{size / GIB:g}"
    raise Unfit(
        f"{whose} has {its} GiB and the volume {wanted.gib}: Longhorn fills only one of the same "
        f"size; set ha-iris:iris.{wanted.setting} to {its}, and raise it once the volume is filled"
    )


def _worth(labels: dict[str, str], whose: str) -> list[str]:
    state = labels.get(STATE)
    if state in (None, "consistent"):
        return []
    return [
        f"The {whose} is {state}: IRIS was not frozen while it was cut, and recovers from it as "
        "from a power failure."
    ]


def in_bytes(quantity: str) -> int:
    """A quantity of Kubernetes such as 40Gi, in bytes."""
    for unit, factor in UNITS.items():
        if quantity.endswith(unit):
            return int(float(quantity.removesuffix(unit)) * factor)
    return int(quantity)


def running(api: Api, namespace: str, *, on: Collection[str] | None = None) -> list[str]:
    """Pods in which IRIS runs.

    Args:
        api: of the cluster.
        namespace: of the pods.
        on: claims, for the pods alone that have one of them; None: all pods.
    """
    selector = ",".join(f"{key}={value}" for key, value in LABELS.items())
    found: Any = api.get(f"/api/v1/namespaces/{namespace}/pods?labelSelector={selector}")
    return [
        pod["metadata"]["name"]
        for pod in (found or {}).get("items", [])
        if on is None or any(claim in on for claim in _claims_of(pod))
    ]


def _claims_of(pod: dict[str, Any]) -> list[str]:
    volumes = pod["spec"].get("volumes") or []
    return [
        v["persistentVolumeClaim"]["claimName"] for v in volumes if "persistentVolumeClaim" in v
    ]
