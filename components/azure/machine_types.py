"""Size of Azure's virtual machines, from their names (Azure, "VM sizes naming conventions")."""

import re

from components.capacity.node import Machine

_SIZE = re.compile(
    r"^Standard_(?P<family>[A-Z]+)(?P<cpus>\d+)(-(?P<fewer>\d+))?(?P<features>[a-z]*)_v(?P<v>\d+)$"
)
GIB_PER_CPU = {"D": 4, "DC": 4, "E": 8, "EC": 8, "L": 8}


def machine(node_type: str) -> Machine | None:
    """Processors and memory of a VM size; None where the name does not tell.

    Of a size with fewer processors, such as Standard_E8-4s_v5, the memory stays the whole.
    """
    match = _SIZE.match(node_type)
    if not match:
        return None
    family, features, cpus = match["family"], match["features"], int(match["cpus"])
    if family == "F":
        # Fsv2 has 2 GiB; from v6 on the letters say it: l for 2, m for 8, none for 4.
        gib_per_cpu = 2 if match["v"] == "2" or "l" in features else 8 if "m" in features else 4
    elif family == "D" and "l" in features:
        gib_per_cpu = 2
    elif family == "E" and cpus >= 64 and int(match["v"]) < 6:
        # 432 GiB for 64 in v3, 672 for 96 in v5.
        gib_per_cpu = 6.75
    elif family in GIB_PER_CPU:
        gib_per_cpu = GIB_PER_CPU[family]
    else:
        return None
    return Machine(int(match["fewer"] or cpus), cpus * gib_per_cpu)
