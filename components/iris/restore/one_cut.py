"""Whether the sources of two volumes of one database were cut at once."""

from urllib.parse import parse_qs, urlsplit

from components.iris.restore.check import Unfit
from components.iris.restore.settings import HANDLE, SourceSettings
from components.iris.restore.source import SNAPSHOTS
from components.kubernetes_api import Api

RUN = "backup.ha-iris/run"
"""Label that all snapshots of one freeze share (components/backup/program)."""


def one_cut(
    api: Api, data: SourceSettings, journals: SourceSettings, *, namespace: str
) -> list[str]:
    """What a person should know of two sources that fit together as far as anybody can tell.

    Raises:
        Unfit: they are of two runs, so the journals do not go on where the databases end.
    """
    runs = [_run(api, source, namespace) for source in (data, journals)]
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


def _run(api: Api, source: SourceSettings, namespace: str) -> str | None:
    """The run that a snapshot or backup is of; None where nothing says it."""
    if source.backup:
        name = parse_qs(urlsplit(source.backup).query)["backup"][0]
        found = api.get(f"/apis/longhorn.io/v1beta2/namespaces/longhorn-system/backups/{name}")
        labels = ((found or {}).get("status") or {}).get("labels")
    elif source.snapshot and not source.snapshot.startswith(HANDLE):
        path = f"/apis/{SNAPSHOTS}/v1/namespaces/{namespace}/volumesnapshots/{source.snapshot}"
        labels = ((api.get(path) or {}).get("metadata") or {}).get("labels")
    else:
        return None
    return (labels or {}).get(RUN)
