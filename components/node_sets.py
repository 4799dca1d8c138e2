"""Nodes in sets: a change of nodes is a new set beside the old one, which then retires."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field, StringConstraints, ValidationInfo, field_validator

from components.cluster import ClusterSettings, NodesInThreeZones
from components.longhorn.node_changes import NodeChangeSettings

NodeSet = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]{0,7}$")]
"""Part of the names of node pools, of which AKS allows 12 characters in all and GKE 40."""


class NodeSetSettings(ClusterSettings):
    """Nodes of clouds that replace or reimage a node that is changed, and its copies with it."""

    nodes: NodesInThreeZones = 3
    """Nodes in all, spread evenly over the three zones, each a pool of its own.

    Fewer than before need a new nodeSet, and retiringNodes for the old one.
    """

    node_changes: NodeChangeSettings = NodeChangeSettings()
    """How changes and the end of a set wait for Longhorn."""

    node_set: NodeSet = "a"
    """Name of the set of nodes. A new name makes new nodes, at today's image and version."""

    retiring_node_set: NodeSet | None = Field(default=None, validate_default=True)
    """The set that nodeSet replaces. Drop it when Longhorn has left those nodes: they go then.

    While it is named here it is not protected and nothing of it changes.
    """

    retiring_nodes: NodesInThreeZones | None = Field(default=None, validate_default=True)
    """Nodes of the set that retires, where the new one has more or fewer; None: as many as nodes.

    Too small a number is a plan that deletes nodes, which protectData refuses.
    """

    def nodes_of(self, node_set: str) -> int:
        """Nodes of one of the two sets."""
        retiring = node_set == self.retiring_node_set
        return (self.retiring_nodes if retiring else None) or self.nodes

    @field_validator("retiring_node_set")
    @classmethod
    def _is_replaced_by_another(cls, retiring: str | None, info: ValidationInfo) -> str | None:
        if retiring and retiring == info.data.get("node_set"):
            raise ValueError("a set cannot replace itself; give nodeSet a new name")
        return retiring

    @field_validator("retiring_nodes")
    @classmethod
    def _are_of_a_set_that_retires(cls, nodes: int | None, info: ValidationInfo) -> int | None:
        if nodes and info.data.get("retiring_node_set", "") is None:
            raise ValueError(
                "no set retires; name the set in retiringNodeSet, or drop retiringNodes"
            )
        return nodes


def places(nodes: int, zones: Sequence[str]) -> list[tuple[str, int]]:
    """Zone of each node and its turn in that zone, from 1, in the order in which they are made."""
    return [(zone, turn) for turn in range(1, nodes // len(zones) + 1) for zone in zones]
