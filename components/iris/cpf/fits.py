"""Whether what a stack file says of the CPF fits the rest of what it says of the instance."""

from pydantic import ValidationInfo

from components.iris.cpf.actions import CpfActions
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
    """A check of ``actions`` after the volume, the image and the user of the program.

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
    storage_gib = info.data.get("storage_gib")
    if storage_gib is None:
        return actions
    for database in actions.databases:
        if database.max_size_mib and database.max_size_mib > storage_gib * 1024:
            raise ValueError(
                f"database {database.name} may grow to {database.max_size_mib} MiB, and the volume "
                f"(storageGib {storage_gib}) has {storage_gib * 1024}; lower maxSizeMib, or raise "
                "storageGib"
            )
    first = sum(database.size_mib or 0 for database in actions.databases)
    image = told_image(info.data)
    if image and image.community and first > COMMUNITY_GIB * 1024:
        raise ValueError(
            f"the databases have {first} MiB to begin with, and Community Edition holds "
            f"{COMMUNITY_GIB} GiB; lower sizeMib, or set iris.image to a licensed image"
        )
    if 2 * first > storage_gib * 1024:
        raise ValueError(
            f"the databases have {first} MiB to begin with, and the volume {storage_gib * 1024}, "
            "which also holds IRIS, the journals and the write image journal; set storageGib to "
            f"{-(-2 * first // 1024)} or more, or lower sizeMib"
        )
    return actions
