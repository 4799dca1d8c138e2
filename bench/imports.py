"""What an import waits for: Python's own account of it (``-X importtime``), by whose modules."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import defaultdict

from bench.beside import ROOT

LINE = re.compile(r"^import time:\s+(\d+) \|\s+\d+ \|\s+(\S+)$", re.MULTILINE)
OWNERS = {
    "pulumi_kubernetes": "pulumi-kubernetes: its classes",
    "pulumi_aws": "the cloud's SDK: its classes",
    "pulumi_azure_native": "the cloud's SDK: its classes",
    "pulumi_gcp": "the cloud's SDK: its classes",
    "pulumi": "pulumi, gRPC and protobuf",
    "grpc": "pulumi, gRPC and protobuf",
    "google": "pulumi, gRPC and protobuf",
    "components": "this program: its modules and its models of settings",
    "stacks": "this program: its modules and its models of settings",
    "pydantic": "pydantic",
    "pydantic_core": "pydantic",
}
REST = "other packages and Python's own"


def shares(account: str) -> dict[str, float]:
    """Seconds by owner of the modules, the greatest first.

    Args:
        account: what Python wrote to its standard error; microseconds of each module by itself.
    """
    found: dict[str, float] = defaultdict(float)
    for alone, module in LINE.findall(account):
        found[OWNERS.get(module.partition(".")[0], REST)] += int(alone) / 1e6
    return dict(sorted(found.items(), key=lambda share: -share[1]))


def waits_for(module: str) -> dict[str, float]:
    """Seconds by owner of all that one module imports, in a process of its own.

    The account itself takes time: the sum is more than an import without it.

    Raises:
        subprocess.CalledProcessError: it cannot be imported.
    """
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", f"import {module}"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return shares(done.stderr)
