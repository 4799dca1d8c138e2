"""What a node and its disk carry beside the database: kept snapshots and web gateways."""

import json
import re

import pytest

from components.backup.snapshot_settings import ConsistentSnapshotSettings
from components.capacity.disk import CopiesDisk, KeptSnapshots, too_many_snapshots
from components.capacity.node import (
    NodeCapacity,
    Share,
    gateways_beside,
    gateways_make_way,
    gateways_on_a_node,
    too_large_for_node,
)

DISK = CopiesDisk("dataDiskGib", 100, dedicated=True)
NODE = NodeCapacity(
    ("nodeType x", "nodeType x"),
    4,
    16,
    (Share("Kubernetes", 0.1, 2),),
    Share("the cluster's own pods", 0.5, 0.5),
)
LICENSED = "containers.intersystems.com/intersystems/iris:2026.1"


@pytest.mark.parametrize(
    ("settings", "kept", "sizes"),
    [
        ({}, KeptSnapshots(2, 1, 10), 0.2),
        ({"keep": 7}, KeptSnapshots(7, 1, 10), 0.7),
        ({"schedule": "0 3 * * 0", "keep": 4}, KeptSnapshots(4, 7, 10), 2.8),
        ({"schedule": "0 */6 * * *", "keep": 8}, KeptSnapshots(8, 0.25, 10), 0.2),
        ({"schedule": "0 3 1 * *", "keep": 2}, KeptSnapshots(2, 31, 10), 2),
        ({"changed_percent": 60}, KeptSnapshots(2, 1, 60), 1.2),
        ({"enabled": False}, KeptSnapshots(0, 1, 10), 0),
    ],
)
def test_a_kept_snapshot_holds_what_is_written_until_the_next_and_no_more_than_the_volume(
    settings, kept, sizes
):
    assert ConsistentSnapshotSettings(**settings).kept() == kept
    assert kept.sizes() == pytest.approx(sizes)


def test_the_message_of_too_many_snapshots_shows_the_sum():
    assert too_many_snapshots([30], KeptSnapshots(14, 1, 10), DISK) == (
        "snapshots.keep is 14, and they take 42 GiB of a node's disk (14 x 1 days x 10 % of 30) "
        "beside the 60 that the copies may grow to (2 x 30); of ha-iris:cluster.dataDiskGib 100 "
        "all may fill less than 90; set dataDiskGib to 114 or more, or keep to 9, or "
        "snapshots.changedPercent to what is really written anew in a day"
    )


@pytest.mark.parametrize("volumes", [[30], [20, 20], [44]])
def test_every_cure_for_too_many_snapshots_holds(volumes):
    kept = KeptSnapshots(14, 1, 10)
    message = too_many_snapshots(volumes, kept, DISK) or ""
    larger = int(re.findall(r"dataDiskGib to (\d+)", message)[0])

    assert not too_many_snapshots(volumes, kept, CopiesDisk("", larger, dedicated=True))
    assert too_many_snapshots(volumes, kept, CopiesDisk("", larger - 1, dedicated=True))
    for fewer in map(int, re.findall(r"keep to (\d+)", message)):
        assert not too_many_snapshots(volumes, kept._replace(keep=fewer), DISK)
        assert too_many_snapshots(volumes, kept._replace(keep=fewer + 1), DISK)


def test_snapshots_that_are_not_taken_need_no_room(refused, deploy, kubeconfig):
    from stacks import compose

    def stack(**groups):
        cluster = {"kubeconfig": kubeconfig, "diskSizeGib": 100, "dedicatedDisk": True}
        groups = {"iris": {"storageGib": 40}, **groups}
        groups["cluster"] = cluster | groups.get("cluster", {})
        return {f"ha-iris:{key}": json.dumps(value) for key, value in groups.items()}

    many = {"snapshots": {"keep": 14}}
    told = refused(stack(backup=many))
    assert "ha-iris:backup: snapshots.keep is 14, and they take 56 GiB" in told
    for config in (
        stack(backup={"snapshots": {"keep": 14, "enabled": False}}),
        stack(backup=many, cluster={"volumeSnapshots": False}),
    ):
        assert deploy(compose, config=config).resources


@pytest.mark.parametrize(
    ("instances", "gateways", "nodes", "beside", "after_a_loss"),
    [
        (1, 2, 3, 0, 1),
        (1, 3, 3, 1, 2),
        (1, 2, 1, 2, 2),
        (1, 2, 2, 1, 2),
        (2, 2, 3, 2, 2),
        (3, 3, 3, 3, 6),
        (1, 2, 6, 0, 1),
    ],
)
def test_gateways_go_where_no_database_is_as_long_as_there_are_such_nodes(
    instances, gateways, nodes, beside, after_a_loss
):
    assert gateways_beside(instances, gateways, nodes=nodes) == beside
    assert gateways_on_a_node(instances, gateways, nodes=nodes) == after_a_loss


def test_a_gateway_that_shares_the_node_is_in_the_sum_of_what_makes_way():
    two = Share("2 web gateways", 1, 1)

    assert too_large_for_node(2.8, 4, NODE, longhorn=True) == []
    assert gateways_make_way(2.8, 4, NODE, longhorn=True, instances=1, beside=two) == [
        "cpu is 2.8, and a node of ha-iris:cluster.nodeType x leaves the database 1.9 processors "
        "(4 - 0.1 for Kubernetes - 0.5 for the cluster's own pods - 0.47 for Longhorn - 1 for "
        "2 web gateways)"
    ]


def test_gateways_that_do_not_fit_beside_a_database_are_told_and_stop_no_update(
    deploy, refused, kubeconfig, caplog
):
    from stacks import compose

    def single_node(cpu):
        groups = {
            "cluster": {"kubeconfig": kubeconfig, "nodes": 1, "zones": 1, "allocatableCpus": 4},
            "longhorn": {"replicas": 1},
            "iris": {"image": LICENSED, "cpu": cpu},
        }
        return {f"ha-iris:{key}": json.dumps(value) for key, value in groups.items()}

    assert deploy(compose, config=single_node(2.5)).resources

    assert "With all nodes there, web gateways make way for the database" in caplog.text
    assert "cpu is 2.5, and a node of ha-iris:cluster.allocatableCpus" in caplog.text
    assert "1 for 2 web gateways)." in caplog.text
    assert "so its pod would wait for ever" in refused(single_node(3.9))


def test_gateways_that_a_database_puts_out_once_a_zone_is_lost_are_told(composed, caplog):
    composed("eks", iris={"image": LICENSED, "cpu": 2.8})

    assert "Once a zone is lost, web gateways make way for the database" in caplog.text
    assert "for 1 web gateway)" in caplog.text
