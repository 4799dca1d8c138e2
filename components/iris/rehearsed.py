"""IRIS on a copy of its volume, which nobody reaches and which reaches nobody: plain data."""

from dataclasses import dataclass
from typing import Any

from components.backup.rehearsal_settings import RehearsalSettings
from components.iris.memory import shared_memory
from components.iris.pod import SCRIPTS, pod_spec
from components.iris.settings import IrisSettings
from components.iris.volumes import claims_in_use
from components.iris.volumes import volumes as of_instance

MERGE, LICENSE, PROGRAMS = "merge", "license", "scripts"


@dataclass(frozen=True)
class Rehearsed:
    """The pod, and what it mounts beside the copy."""

    pod: dict[str, Any]
    volumes: dict[str, str]
    """Volume of the pod by the claim that the database has."""
    secrets: dict[str, dict[str, str]]
    """Content of its Secrets, by name."""
    scripts: dict[str, str]
    """Content of its ConfigMap ``scripts``."""


def rehearsed(
    settings: IrisSettings, rehearsal: RehearsalSettings, *, architecture: str
) -> Rehearsed:
    """What runs the same IRIS on a copy.

    It has the image and the times of the database; less memory, no priority over anything, and no
    productions. The job gives it the database's host name, which the volume's lock files have.
    """
    secrets = {MERGE: {"merge.cpf": _merge_file(rehearsal.memory_gib)}}
    if rehearsal.license_key:
        secrets[LICENSE] = {"iris.key": rehearsal.license_key.get_secret_value()}
    small = settings.model_copy(
        update={
            "memory_gib": rehearsal.memory_gib,
            "cpu": rehearsal.cpu,
            # Nobody connects to it, and no journals are replayed.
            "tls": type(settings.tls)(),
            "restore": None,
        }
    )
    spec = pod_spec(
        small,
        architecture=architecture,
        claims={volume.name: "copy" for volume in of_instance(small)},
        peers=None,
        merge_secret=MERGE,
        scripts=PROGRAMS,
        service_account="default",
        priority_class=None,
        license_secret=LICENSE if rehearsal.license_key else None,
    )
    del spec["priorityClassName"]
    (iris,) = spec["containers"]
    # One attempt: an IRIS that ends has proven enough. And nobody freezes it.
    for part in ("livenessProbe", "lifecycle"):
        del iris[part]
    spec["restartPolicy"] = "Never"
    return Rehearsed(
        pod=spec,
        volumes=_volumes(small),
        secrets=secrets,
        scripts=dict(SCRIPTS),
    )


def unrehearsable(settings: IrisSettings, rehearsal: RehearsalSettings) -> str | None:
    """Why nothing can run on a copy; None if it can."""
    if settings.layout() == "operator" or settings.operator is not None:
        return "InterSystems' operator alone knows how its volumes become an IRIS again"
    if not settings.product().community and not rehearsal.license_key:
        return (
            f"image {settings.image} wants a licence, and a second IRIS one of its own "
            "(ha-iris:backup.rehearsal.licenseKey)"
        )
    return None


def _volumes(settings: IrisSettings) -> dict[str, str]:
    """Volume of the pod by the claim of the database, of every instance."""
    found = claims_in_use(settings)
    if settings.layout() == "statefulset":
        # The newest backup may be of the claims before. One volume is known whatever its claim was.
        for number in range(1, settings.volume):
            found |= claims_in_use(settings, number)
    return {claim: volume.name for claim, volume in found.items()}


def _merge_file(memory_gib: int) -> str:
    """Less memory than the volume's own configuration asks for, and no productions."""
    taken = shared_memory(
        memory_gib=memory_gib, globals_mib=None, routines_mib=None, gmheap_kib=None
    )
    return (
        "[Startup]\nEnsembleAutoStart=0\n"
        f"[config]\nglobals=0,0,{taken.globals_mib},0,0,0\nroutines={taken.routines_mib}\n"
        f"gmheap={taken.gmheap_kib}\n"
    )
