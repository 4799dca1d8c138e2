"""Whether several instances, with volumes of their own each, fit on the nodes and their disks."""

import pytest

from components.capacity.disk import CopiesDisk, copies_on_a_node, too_large_for_disk
from components.capacity.node import NodeCapacity, Share, instances_on_a_node, too_large_for_node

NODE = NodeCapacity(
    ("nodeType x", "nodeType x"),
    4,
    16,
    (Share("Kubernetes", 0.1, 2),),
    Share("the cluster's own pods", 0.5, 0.5),
)


@pytest.mark.parametrize(
    ("volumes", "nodes", "gib"),
    [
        ([40], 3, 40),
        ([40], 6, 40),
        ([40], 1, 40),
        ([40, 60] * 2, 3, 200),
        ([40, 60] * 2, 6, 100),
        ([10, 90], 6, 90),
        ([15, 15, 15], 6, 23),
    ],
)
def test_the_nodes_of_a_zone_share_the_copies_of_several_volumes(volumes, nodes, gib):
    assert copies_on_a_node(volumes, nodes=nodes) == gib


def test_the_message_of_several_volumes_shows_the_sum_and_its_cure_holds():
    disk = CopiesDisk("dataDiskGib", 100, dedicated=True)
    message = too_large_for_disk([20, 30, 20, 30], disk, nodes=3) or ""

    assert message.startswith(
        "the volumes have 20 + 30 + 20 + 30 GiB, copies of 100 come to a node, and they may grow "
        "to 200 GiB (100 and as much for the snapshot"
    )
    assert message.endswith(
        "set dataDiskGib to 223 or more, or take smaller volumes or fewer instances"
    )
    larger = CopiesDisk("dataDiskGib", 223, dedicated=True)
    assert too_large_for_disk([20, 30, 20, 30], larger, nodes=3) is None
    assert too_large_for_disk([20, 30, 20, 30], disk, nodes=9) is None


@pytest.mark.parametrize(
    ("instances", "nodes", "on_one"),
    [(1, 3, 1), (1, 1, 1), (2, 1, 2), (2, 2, 2), (2, 3, 1), (3, 3, 2), (4, 6, 1), (5, 6, 2)],
)
def test_instances_fit_where_they_are_when_a_zone_is_lost(instances, nodes, on_one):
    assert instances_on_a_node(instances, nodes=nodes) == on_one


def test_two_instances_on_a_node_take_twice_as_much_of_it():
    assert too_large_for_node(1.4, 6, NODE, longhorn=True, instances=2) == []
    assert too_large_for_node(1.5, 7, NODE, longhorn=True, instances=2) == [
        "cpu is 1.5 for each of 2 instances that share a node once another is lost, and a node of "
        "ha-iris:cluster.nodeType x leaves the database 1.4 processors ((4 - 0.1 for Kubernetes - "
        "0.5 for the cluster's own pods - 0.47 for Longhorn) / 2), so its pod would wait for ever; "
        "choose larger nodes, or lower cpu to 1.4",
        "memoryGib is 7 for each of 2 instances that share a node once another is lost, and a "
        "node of ha-iris:cluster.nodeType x leaves the database 6 GiB ((16 - 2 for Kubernetes - "
        "0.5 for the cluster's own pods - 1 for Longhorn) / 2), so its pod would wait for ever or "
        "take what Longhorn needs; choose larger nodes, or lower memoryGib to 6",
    ]
