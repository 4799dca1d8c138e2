"""Size of EC2's instance types, from their names (AWS, "Amazon EC2 instance type naming")."""

import re

from components.capacity.node import Machine

GIB_PER_CPU = {
    **{"a": 2, "c": 2, "c5n": 2.625, "m": 4, "r": 8, "t": 4, "z": 8},
    **{"i3en": 8, "i4g": 8, "i4i": 8, "i7i": 8, "i7ie": 8, "i8g": 8, "im4gn": 4, "is4gen": 6},
    **{"d3": 8, "d3en": 4, "x2gd": 16, "x2idn": 16, "x2iedn": 32, "x2iezn": 32, "x8g": 16},
}
"""Memory for each processor, by family letter or by family with its options."""

PODS = {1: 58, 2: 58, 4: 234, 6: 234, 8: 234, 9: 234, 10: 234, 12: 234}
"""Most pods of a node by the number before xlarge, which the addresses of its network interfaces
decide (awslabs/amazon-eks-ami, eni-max-pods.txt, general purpose families)."""

_TYPE = re.compile(r"(?P<family>[a-z]+)(?P<number>\d*)(?P<options>[a-z]*)(-flex)?\.(?P<size>\S+)$")


def machine(node_type: str) -> Machine | None:
    """Processors and memory of an instance type; None where the name does not tell."""
    match = _TYPE.match(node_type)
    cpus = match and _cpus(match["size"])
    if not match or not cpus:
        return None
    exact = f"{match['family']}{match['number']}{match['options']}"
    gib_per_cpu = GIB_PER_CPU.get(exact) or GIB_PER_CPU.get(match["family"])
    return Machine(cpus, cpus * gib_per_cpu) if gib_per_cpu else None


def max_pods(node_type: str) -> int:
    """Most pods that EKS plans for on a node of this type."""
    size = node_type.split(".")[-1]
    if size == "large":
        return 29
    return PODS.get((_cpus(size) or 0) // 4, 737)


def _cpus(size: str) -> int | None:
    if size == "large":
        return 2
    match = re.match(r"(metal-)?(?P<factor>\d*)xl(arge)?$", size)
    return 4 * int(match["factor"] or 1) if match else None
