"""What sources tell of the moment that they were cut at, and of whom."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

from components.iris.restore.check import NotYet, Unfit
from components.iris.restore.settings import HANDLE, SourceSettings
from components.iris.restore.source import SNAPSHOTS
from components.kubernetes_api import Api

RUN = "backup.ha-iris/run"
"""Label that all snapshots of one freeze share (components/backup/program)."""

INSTANCE = "backup.ha-iris/instance"
"""Label of a snapshot: host name of its IRIS."""

BACKUPS = "/apis/longhorn.io/v1beta2/namespaces/longhorn-system/backups"


def one_cut(
    api: Api, data: SourceSettings, journals: SourceSettings, *, namespace: str
) -> list[str]:
    """What a person should know of two sources that fit together as far as anybody can tell.

    Raises:
        NotYet: one of them is not there, or not complete.
        Unfit: they are of two runs, so the journals do not go on where the databases end.
    """
    runs = [_labels(api, source, namespace).get(RUN) for source in (data, journals)]
    both = f"{data.told()} and {journals.told()}"
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
    return []


def alone(api: Api, data: SourceSettings, *, namespace: str) -> list[str]:
    """Nothing to know of a source that is all that was cut of its IRIS.

    Raises:
        NotYet: it is not there, or not complete.
        Unfit: other volumes were cut with it, and nothing is filled from these.
    """
    own = _labels(api, data, namespace)
    run, instance = own.get(RUN), own.get(INSTANCE)
    if not (run and instance):
        return []
    if data.backup:
        # What comes from the store of another cluster has its labels in its status alone.
        found = [
            item
            for item in _items(api, BACKUPS)
            if [((item.get("status") or {}).get("labels") or {}).get(k) for k in (RUN, INSTANCE)]
            == [run, instance]
        ]
        name = _backup_name(data.backup)
    else:
        selector = f"{RUN}={run},{INSTANCE}={instance}"
        found = _items(api, f"{_snapshots(namespace)}?labelSelector={selector}")
        name = data.snapshot
    others = sorted({item["metadata"]["name"] for item in found} - {name})
    if others:
        raise Unfit(
            f"{data.told()} is one part of the run {run}, and IRIS cannot recover without the "
            f"others: {', '.join(others)}; set ha-iris:iris.journals.volumeGib to the size of the "
            "volume of journals, and restore.journals to that part"
        )
    return []


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
