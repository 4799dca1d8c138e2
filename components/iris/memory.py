"""How IRIS divides its memory: caches and heap that it takes at start, and the rest."""

from typing import NamedTuple

LARGEST_PERCENT = 75
"""Share of the memory that caches and heap may take together; the rest is for IRIS's processes,
journal buffers and the page cache. A judgement of this program."""


class SharedMemory(NamedTuple):
    """What IRIS takes when it starts, and keeps (CPF parameters globals, routines, gmheap)."""

    globals_mib: int
    routines_mib: int
    gmheap_kib: int

    def mib(self) -> float:
        """All of it."""
        return self.globals_mib + self.routines_mib + self.gmheap_kib / 1024


def shared_memory(
    *,
    memory_gib: int,
    globals_mib: int | None,
    routines_mib: int | None,
    gmheap_kib: int | None,
) -> SharedMemory:
    """Caches and heap for so much memory, as far as nobody has set them.

    Half of the memory goes to globals, a tenth of that to routines, and three hundredths of it to
    the heap, as IRIS would choose (Configuration Parameter File Reference, gmheap, routines).
    """
    globals_mib = globals_mib or memory_gib * 1024 // 2
    return SharedMemory(
        globals_mib,
        routines_mib or max(80, globals_mib // 10),
        gmheap_kib or max(307200, globals_mib * 1024 * 3 // 100),
    )


def too_large_for_memory(taken: SharedMemory, memory_gib: int) -> str | None:
    """Why caches and heap do not fit, with the sum and the cure; None if they do."""
    most = memory_gib * 1024 * LARGEST_PERCENT // 100
    if taken.mib() <= most:
        return None
    enough = -(-taken.mib() * 100 // (LARGEST_PERCENT * 1024))
    return (
        f"globalsMib {taken.globals_mib} + routinesMib {taken.routines_mib} + gmheapKib "
        f"{taken.gmheap_kib} ({taken.gmheap_kib / 1024:.0f} MiB) are {taken.mib():.0f} MiB, and of "
        f"memoryGib {memory_gib} they may take {most} MiB, as {100 - LARGEST_PERCENT} percent are "
        f"left for IRIS's processes; lower them or set memoryGib to {enough:g} or more"
    )
