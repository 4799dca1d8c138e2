"""An IRIS to be watched, for tests of what watches it."""

from datetime import date

from components.monitoring.rules import Watched

WATCHED = Watched(
    namespace="iris",
    instances=1,
    hung_seconds=660,
    longhorn_namespace="longhorn-system",
    kept_free_percent=25,
    community_ends=date(2027, 8, 22),
    backup_old_seconds=2 * 24 * 3600,
    upload_old_seconds=2 * 24 * 3600,
    guarded=True,
    certificates=("iris-web", "iris-superserver-tls"),
    runbooks="docs/runbooks.md",
    rehearsal_days=10,
    journals=("iris-journals",),
    journals_old_seconds=75 * 60,
    fenced=True,
)
