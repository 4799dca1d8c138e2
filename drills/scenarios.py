"""The scenarios, by the names that the command line knows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from drills.faults import Fault, database, longhorn, machines, volumes

Danger = Literal["safe", "disruptive", "destructive"]
"""Safe: a pod starts anew. Disruptive: a machine or the control plane is away for a time.
Destructive: copies of data go, or what is not in every copy may; asked for twice."""


@dataclass(frozen=True)
class Scenario:
    """One way to break things."""

    name: str
    danger: Danger
    what: str
    """What is broken, in one line."""
    fault: Fault
    in_lab: bool = False
    """Whether simulated nodes show what it does to the control plane's part of a failover."""
    budget: int = 120
    """Seconds within which clients are served again, unless told otherwise."""
    needs_fencing: bool = False
    """Whether it is about the fencing agent, which not every cluster has."""


SCENARIOS = {
    scenario.name: scenario
    for scenario in (
        Scenario(
            "clean-stop", "safe", "the database is stopped and started", database.clean_stop, True
        ),
        Scenario("iris-killed", "safe", "kill -9 to all of IRIS", database.iris_killed),
        Scenario("pod-deleted", "safe", "kubectl delete pod", database.pod_deleted, True),
        Scenario(
            "manager-killed",
            "safe",
            "the longhorn-manager of its node is deleted",
            longhorn.manager_killed,
            True,
        ),
        Scenario(
            "frozen-killed",
            "safe",
            "kill -9 in the middle of a freeze for a backup",
            database.frozen_and_killed,
        ),
        Scenario("node-drained", "disruptive", "its node is drained", machines.node_drained, True),
        Scenario(
            "node-crashed",
            "disruptive",
            "the kernel of its node stops at once",
            machines.node_crashed,
            True,
            240,
        ),
        Scenario(
            "power-cut", "disruptive", "its node loses its power", machines.power_cut, True, 240
        ),
        Scenario(
            "fencing-agent-dead",
            "disruptive",
            "its node crashes while the fencing agent is away",
            machines.fencing_agent_dead,
            True,
            300,
            needs_fencing=True,
        ),
        Scenario(
            "control-plane-away",
            "disruptive",
            "nothing reaches the API server for a minute",
            machines.control_plane_away,
            True,
            1,
        ),
        Scenario(
            "instance-manager-killed",
            "disruptive",
            "the volume's engine on its node is deleted",
            longhorn.instance_manager_killed,
        ),
        Scenario(
            "nodes-restarted",
            "disruptive",
            "every node is drained and restarted in turn",
            machines.nodes_restarted,
            True,
            180,
        ),
        Scenario(
            "registry-away",
            "disruptive",
            "the pod moves to a node without the image, and its registry is out of reach",
            machines.registry_away,
        ),
        Scenario(
            "zone-lost",
            "destructive",
            "every node of its zone loses its power",
            machines.zone_lost,
            True,
            240,
        ),
        Scenario(
            "partition-full",
            "destructive",
            "its node is cut off from everything",
            machines.partition_full,
            True,
            240,
        ),
        Scenario(
            "partition-api",
            "destructive",
            "its node is cut off from the API server alone",
            machines.partition_api,
            True,
            240,
        ),
        Scenario(
            "partition-peers",
            "destructive",
            "its node is cut off from the other nodes alone",
            machines.partition_peers,
        ),
        Scenario(
            "replica-destroyed",
            "destructive",
            "one copy of its volume is deleted",
            longhorn.replica_destroyed,
            False,
            1,
        ),
        Scenario(
            "volume-full",
            "destructive",
            "its volumes are full for two minutes; counts from when they have room again",
            volumes.volume_full,
        ),
    )
}
"""In the order of their danger."""
