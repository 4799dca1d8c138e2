"""Size of Compute Engine's machine types, from their names ("Machine families resource guide")."""

import re

from components.capacity.node import Machine

GIB_PER_CPU = {"standard": 4, "highmem": 8, "highcpu": 1}
"""Memory for each processor; what is different in a family stands below."""

OF_A_FAMILY = {
    "n1": {"standard": 3.75, "highmem": 6.5, "highcpu": 0.9},
    "c4": {"standard": 3.75, "highmem": 7.75, "highcpu": 2},
    "c4d": {"standard": 3.75, "highmem": 7.75, "highcpu": 1.75},
    **{family: {"highcpu": 2} for family in ("c2d", "c3", "c3d", "c4a", "n4", "n4a", "n4d")},
}
KNOWN = ("e2", "n1", "n2", "n2d", "n4", "n4a", "n4d", "c2", "c2d", "c3", "c3d", "c4", "c4a", "c4d")
KNOWN += ("t2a", "t2d")


def machine(node_type: str) -> Machine | None:
    """Processors and memory of a machine type; None where the name does not tell."""
    if node_type == "n2-highmem-128":
        return Machine(128, 864)
    custom = re.match(r"^(?:[a-z0-9]+-)?custom-(?P<cpus>\d+)-(?P<mib>\d+)(-ext)?$", node_type)
    if custom:
        return Machine(int(custom["cpus"]), int(custom["mib"]) / 1024)
    match = re.match(r"^(?P<family>[a-z0-9]+)-(?P<kind>[a-z]+)-(?P<cpus>\d+)$", node_type)
    if not match or match["family"] not in KNOWN:
        return None
    kinds = GIB_PER_CPU | OF_A_FAMILY.get(match["family"], {})
    gib_per_cpu = kinds.get(match["kind"])
    cpus = int(match["cpus"])
    return Machine(cpus, cpus * gib_per_cpu) if gib_per_cpu else None
