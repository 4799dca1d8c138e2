"""Whether what a stack file says of the CPF fits the rest of what it says of the instance."""

from collections.abc import Iterable, Mapping

from pydantic import ValidationInfo

from components.iris.cpf.actions import CpfActions, not_in_one_folder
from components.iris.cpf.data import DATABASES_VOLUME, VOLUME, Database
from components.iris.cpf.parameters import CpfParameters
from components.iris.gateway.account import USER as GATEWAY_USER
from components.iris.image_settings import told_image
from components.iris.memory import shared_memory

COMMUNITY_GIB = 10
"""What Community Edition holds in its databases (InterSystems, "Deploy ... Community Edition")."""


def parameters_fit(parameters: CpfParameters, info: ValidationInfo) -> CpfParameters:
    """A check of ``parameters`` after the grace of the pod and the lines of ``cpf``.

    Raises:
        ValueError: with reason and cure.
    """
    grace = info.data.get("termination_grace_period_seconds")
    timeout = parameters.startup.shutdown_timeout
    if grace and timeout and timeout > grace:
        raise ValueError(
            f"startup.shutdownTimeout is {timeout}, and Kubernetes kills IRIS after "
            f"terminationGracePeriodSeconds {grace}: IRIS would not come to force its stop; raise "
            "terminationGracePeriodSeconds, or lower or drop shutdownTimeout"
        )
    _fit_the_heap(parameters, info)
    more = info.data.get("cpf") or {}
    for section, lines in parameters.sections(grace_seconds=0).items():
        written = {line.split("=")[0].strip().lower() for line in more.get(section, ())}
        for line in lines:
            name = line.split("=")[0]
            if name.lower() in written:
                raise ValueError(
                    f"{name} stands in iris.cpf too, in [{section}]; keep one of the two"
                )
    return parameters


def _fit_the_heap(parameters: CpfParameters, info: ValidationInfo) -> None:
    memory = ("memory_gib", "globals_mib", "routines_mib", "gmheap_kib")
    if not info.data.keys() >= {*memory}:
        return
    heap_kib = shared_memory(**{name: info.data[name] for name in memory}).gmheap_kib
    jrnbufs, locksiz = parameters.config.jrnbufs or 64, parameters.config.locksiz or 0
    taken_kib = jrnbufs * 1024 + locksiz // 1024
    if taken_kib > heap_kib:
        raise ValueError(
            f"config.jrnbufs ({jrnbufs} MB) and config.locksiz ({locksiz} bytes) take "
            f"{taken_kib} KiB of the shared memory heap, which has {heap_kib}; lower them, or set "
            f"iris.gmheapKib to more than {taken_kib}"
        )


def actions_fit(actions: CpfActions, info: ValidationInfo) -> CpfActions:
    """A check of ``actions`` after the volumes, the image and the user of the program.

    Returns them with a directory for each database where there is a volume for databases.

    Raises:
        ValueError: with reason and cure.
    """
    username = info.data.get("username")
    for user in actions.users:
        if user.name.lower() == GATEWAY_USER:
            raise ValueError(f"{user.name} is the user of the web gateway; choose another name")
        if username and user.name.lower() == username.lower():
            raise ValueError(
                f"{user.name} is the user of iris.username, which the program makes; choose "
                "another name for one of them"
            )
    layout = info.data.get("volumes_of") or info.data.get("form")
    storage_gib = info.data.get("storage_gib")
    if layout is None or storage_gib is None:
        return actions
    volumes = {VOLUME: ("storageGib", storage_gib)}
    if layout == "statefulset":
        volumes[DATABASES_VOLUME] = ("databasesGib", info.data.get("databases_gib") or storage_gib)
        databases = tuple(database.on(DATABASES_VOLUME) for database in actions.databases)
        not_in_one_folder(databases)
        actions = actions.model_copy(update={"databases": databases})
    image = told_image(info.data)
    first = sum(database.size_mib or 0 for database in actions.databases)
    if image and image.community and first > COMMUNITY_GIB * 1024:
        raise ValueError(
            f"the databases have {first} MiB to begin with, and Community Edition holds "
            f"{COMMUNITY_GIB} GiB; lower sizeMib, or set iris.image to a licensed image"
        )
    _fit_the_volumes(actions.databases, volumes)
    return actions


def _fit_the_volumes(databases: Iterable[Database], volumes: Mapping[str, tuple[str, int]]) -> None:
    """Whether databases fit, on volumes of which each has a setting and a size in GiB."""
    first = dict.fromkeys(volumes, 0)
    for database in databases:
        mount = f"/{database.place().split('/')[1]}"
        if mount not in volumes:
            raise ValueError(
                f"database {database.name} lies in {database.place()}, and the form that these "
                f"volumes are of has none at {mount}; set directory to a folder in {VOLUME}, or "
                "drop it"
            )
        setting, gib = volumes[mount]
        if database.max_size_mib and database.max_size_mib > gib * 1024:
            raise ValueError(
                f"database {database.name} may grow to {database.max_size_mib} MiB, and the volume "
                f"({setting} {gib}) has {gib * 1024}; lower maxSizeMib, or raise {setting}"
            )
        first[mount] += database.size_mib or 0
    for mount, (setting, gib) in volumes.items():
        # What else is on the first one takes as much again, as an estimate of this program.
        times, more = (2, ", which also holds IRIS, the journals and the write image journal")
        if mount != VOLUME:
            times, more = 1, ""
        if times * first[mount] > gib * 1024:
            raise ValueError(
                f"the databases have {first[mount]} MiB to begin with, and the volume "
                f"{gib * 1024}{more}; set {setting} to {-(-times * first[mount] // 1024)} or "
                "more, or lower sizeMib"
            )
