"""What sources tell of the moment that they were cut at, and of whom."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qs, urlsplit

from components.iris.restore.check import NotYet, Unfit, running
from components.iris.restore.source import SNAPSHOTS
from components.iris.restore.source_settings import HANDLE, InstanceClaim, SourceSettings
from components.kubernetes_api import Api

RUN = "backup.ha-iris/run"
"""Label that all snapshots of one freeze share (components/backup/program)."""

INSTANCE = "backup.ha-iris/instance"
"""Label of a snapshot: host name of its IRIS."""

NAMESPACE = "namespace"
"""Label of a backup: namespace of its database (components/backup/program/uploads.py)."""

OF_A_BACKUP = (RUN, INSTANCE, NAMESPACE)

BACKUPS = "/apis/longhorn.io/v1beta2/namespaces/longhorn-system/backups"


def one_cut(api: Api, first: SourceSettings, other: SourceSettings, *, namespace: str) -> list[str]:
    """What a person should know of two sources that fit together as far as anybody can tell.

    Raises:
        NotYet: one of them is not there, or not complete.
        Unfit: they are of two runs, so that journals do not go on where databases end; or of two
            instances, which share nothing.
    """
    cuts = [_labels(api, source, namespace) for source in (first, other)]
    runs, instances, spaces = ([cut.get(label) for cut in cuts] for label in OF_A_BACKUP)
    both = f"{first.told()} and {other.told()}"
    if first.claim and other.claim:
        return _stopped(api, both, (first.claim, other.claim), namespace)
    if None in runs:
        return [
            f"Whether {both} were cut at once is not known, and IRIS needs the journals of the "
            "moment that its databases are of: frozen snapshots tell their run by their label "
            f"{RUN}."
        ]
    if runs[0] != runs[1]:
        raise Unfit(
            f"{both} are of the runs {runs[0]} and {runs[1]}, and IRIS needs the journals of the "
            "moment that its databases are of; name two of one run"
        )
    if None not in instances and instances[0] != instances[1]:
        raise Unfit(
            f"{both} are of {instances[0]} and {instances[1]}, which share nothing; name two of "
            "one instance"
        )
    if None not in spaces and spaces[0] != spaces[1]:
        raise Unfit(
            f"{both} are of the namespaces {spaces[0]} and {spaces[1]}, and so of two databases; "
            "name two of one"
        )
    return []


def _stopped(api: Api, both: str, claims: Sequence[str], namespace: str) -> list[str]:
    """Two claims are of one moment where nobody writes to them."""
    if pods := running(api, namespace, on=claims):
        raise Unfit(
            f"{both} are copied one after the other, and IRIS runs on them in {', '.join(pods)}: "
            "the copies would be of no common moment; stop it first: `kubectl "
            f"-n {namespace} scale "
            "deployment,statefulset iris --replicas=0`, or name snapshots of one run"
        )
    return []


def of_another_host(api: Api, source: SourceSettings, *, host: str, namespace: str) -> list[str]:
    """What to know of a source that another host wrote than the one that starts on it."""
    wrote = _labels(api, source, namespace).get(INSTANCE)
    claim = InstanceClaim.named(source.claim or "")
    if claim and host.startswith("iris-"):  # A Deployment may have had the claim before.
        wrote = claim.host
    if wrote in (None, host):
        return []
    return [
        f"The {source.told()} is of {wrote}, and {host} will start on it. IRIS writes its host's "
        "name into the lock file of each database, and may take those of one that was not stopped "
        "for locked by that host (docs/restore.md, A StatefulSet)."
    ]


def alone(
    api: Api, data: SourceSettings, *, beside: Sequence[SourceSettings] = (), namespace: str
) -> list[str]:
    """Nothing to know of sources that are all that was cut of their IRIS.

    Args:
        api: of the cluster.
        data: one of them.
        beside: the others.
        namespace: of the claims.

    Raises:
        NotYet: it is not there, or not complete.
        Unfit: other volumes were cut with it, and nothing is filled from these.
    """
    own = _labels(api, data, namespace)
    run, instance = own.get(RUN), own.get(INSTANCE)
    if not (run and instance):
        return []
    if data.backup:
        # What comes from the store of another cluster has its labels in its status alone. Other
        # databases of that store may be backed up in the same second.
        found = [
            item
            for item in _items(api, BACKUPS)
            if [((item.get("status") or {}).get("labels") or {}).get(k) for k in OF_A_BACKUP]
            == [own.get(k) for k in OF_A_BACKUP]
        ]
    else:
        selector = f"{RUN}={run},{INSTANCE}={instance}"
        found = _items(api, f"{_snapshots(namespace)}?labelSelector={selector}")
    named = {
        _backup_name(each.backup) if each.backup else each.snapshot for each in (data, *beside)
    }
    others = sorted({item["metadata"]["name"] for item in found} - named)
    if others:
        raise Unfit(
            f"{data.told()} is one part of the run {run}, and IRIS cannot recover without the "
            f"others: {', '.join(others)}; set ha-iris:iris.journals.volumeGib to the size of the "
            "volume of journals, and journals beside it in restore to that part"
        )
    return []


def whole(
    api: Api,
    first: SourceSettings,
    beside: Sequence[SourceSettings],
    *,
    host: str,
    namespace: str,
) -> list[str]:
    """What to know of all sources of one database, before the first of its volumes is made.

    Args:
        api: of the cluster.
        first: of the volume with IRIS itself.
        beside: of its other volumes.
        host: name of the host that starts on them.
        namespace: of the claims.

    Raises:
        NotYet: one of them is not there, or not complete.
        Unfit: they are not of one freeze and one IRIS, or one is missing.
    """
    for other in beside:
        one_cut(api, first, other, namespace=namespace)  # What it says, that volume's hook tells.
    return [
        *alone(api, first, beside=beside, namespace=namespace),
        *of_another_host(api, first, host=host, namespace=namespace),
    ]


def _labels(api: Api, source: SourceSettings, namespace: str) -> dict[str, str]:
    """What a snapshot or backup says of itself; nothing where nobody wrote it."""
    if source.backup:
        status = (api.get(f"{BACKUPS}/{_backup_name(source.backup)}") or {}).get("status") or {}
        if status.get("state") != "Completed":
            raise NotYet(f"{source.told()} is not known to be complete")
        return status.get("labels") or {}
    if source.snapshot and not source.snapshot.startswith(HANDLE):
        if (found := api.get(f"{_snapshots(namespace)}/{source.snapshot}")) is None:
            raise NotYet(f"there is no VolumeSnapshot {source.snapshot} in namespace {namespace}")
        return found["metadata"].get("labels") or {}
    return {}


def _items(api: Api, path: str) -> list[dict[str, Any]]:
    return (api.get(path) or {}).get("items", [])


def _backup_name(url: str) -> str:
    return parse_qs(urlsplit(url).query)["backup"][0]


def _snapshots(namespace: str) -> str:
    return f"/apis/{SNAPSHOTS}/v1/namespaces/{namespace}/volumesnapshots"
