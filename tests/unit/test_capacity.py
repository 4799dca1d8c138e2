"""What a database needs of a disk and of a node, and what a node has for it."""

import json
import re
from dataclasses import replace
from typing import Any

import pytest

from components.aws import machine_types as ec2
from components.aws.settings import EksClusterSettings
from components.azure import machine_types as azure
from components.azure.settings import AksClusterSettings
from components.backup.snapshot_settings import ConsistentSnapshotSettings
from components.capacity.disk import CopiesDisk, disk_shares, too_large_for_disk
from components.capacity.node import (
    Machine,
    NodeCapacity,
    Share,
    too_large_for_node,
    too_many_cores_for_community,
)
from components.capacity.reserve import aks_reserved, eks_reserved, gke_reserved
from components.gcp import machine_types as compute
from components.gcp.settings import GkeClusterSettings
from components.iris import IrisSettings
from components.longhorn import LonghornSettings
from components.longhorn.values import chart_values
from tests.unit.conftest import OFFICE, ROOT, changed

FROM: Any = [OFFICE]
CLUSTERS = {
    "eks": EksClusterSettings(api_access_cidrs=FROM),
    "aks": AksClusterSettings(api_access_cidrs=FROM, local_accounts=True),
    "gke": GkeClusterSettings(api_access_cidrs=FROM),
}


def can_rebuild(disk: CopiesDisk, actual_gib: float) -> bool:
    """Longhorn 1.12.1's IsSchedulableToDisk, on an empty disk whose system fills its reserve."""
    values = chart_values(
        LonghornSettings(), node_count=3, dedicated_disk=disk.dedicated, protect_data=True
    )["defaultSettings"]
    reserved = disk.size_gib * values["storageReservedPercentageForDefaultDisk"] / 100
    kept_free = disk.size_gib * values["storageMinimalAvailablePercentage"] / 100
    return disk.size_gib - reserved - actual_gib > kept_free


@pytest.mark.parametrize("size_gib", [50, 100, 200, 300, 512, 2048])
@pytest.mark.parametrize("dedicated", [True, False])
def test_the_largest_volume_that_is_accepted_can_be_rebuilt_with_its_snapshot(size_gib, dedicated):
    disk = CopiesDisk("diskSizeGib", size_gib, dedicated)
    accepted = [n for n in range(1, size_gib) if too_large_for_disk([n], disk) is None]

    assert can_rebuild(disk, 2 * max(accepted))
    assert not can_rebuild(disk, 2 * (max(accepted) + 1))


@pytest.mark.parametrize("dedicated", [True, False])
@pytest.mark.parametrize("volume_gib", [10, 67, 91, 400])
def test_both_cures_for_a_volume_that_is_too_large_for_its_disk_hold(volume_gib, dedicated):
    message = too_large_for_disk([volume_gib], CopiesDisk("diskSizeGib", 20, dedicated)) or ""
    larger, smaller = (int(part.split()[0]) for part in message.split(" to ")[-2:])

    assert too_large_for_disk([volume_gib], CopiesDisk("diskSizeGib", larger, dedicated)) is None
    assert too_large_for_disk([volume_gib], CopiesDisk("diskSizeGib", larger - 1, dedicated))
    assert too_large_for_disk([smaller], CopiesDisk("diskSizeGib", 20, dedicated)) is None


def test_the_message_of_a_shared_disk_shows_the_sum():
    message = too_large_for_disk([250], CopiesDisk("diskSizeGib", 512, dedicated=False))

    assert message == (
        "storageGib is 250, and each node's copy may grow to 500 GiB (250 and as much for the "
        "snapshot that Longhorn cuts before a rebuild); of ha-iris:cluster.diskSizeGib 512 it may "
        "fill less than 230.4 (512 less 30 % for the system and 25 % without which Longhorn "
        "rebuilds nothing here); set diskSizeGib to 1112 or more, or storageGib to 115 or less"
    )


@pytest.mark.parametrize("dedicated", [True, False])
def test_longhorn_is_told_the_shares_that_volumes_are_checked_against(dedicated):
    values = chart_values(
        LonghornSettings(), node_count=3, dedicated_disk=dedicated, protect_data=True
    )["defaultSettings"]

    assert disk_shares(dedicated=dedicated) == (
        values["storageReservedPercentageForDefaultDisk"],
        values["storageMinimalAvailablePercentage"],
    )


@pytest.mark.parametrize("cloud", list(CLUSTERS))
def test_the_defaults_of_each_cloud_hold_the_worst_case_with_room(cloud):
    disk, volume = CLUSTERS[cloud].copies_disk(), IrisSettings().storage_gib

    assert disk.holds(volume, times=3)
    assert disk.usable_gib() > 3.3 * volume


@pytest.mark.parametrize("cloud", list(CLUSTERS))
def test_the_default_node_of_each_cloud_has_8_gib_for_iris_and_its_default_processors(cloud):
    node = CLUSTERS[cloud].node_capacity()

    assert node
    assert too_large_for_node(IrisSettings().cpu, 8, node, longhorn=True) == []
    assert len(too_large_for_node(16, 64, node, longhorn=True)) == 2


@pytest.mark.parametrize(
    ("machine", "max_pods", "allocatable"),
    [
        pytest.param(Machine(4, 32), 10, (3.92, 29845), id="d3.xlarge"),
        pytest.param(Machine(16, 244), 234, (15.89, 228187), id="f1.4xlarge"),
        pytest.param(Machine(96, 768), 737, (95.69, 718987), id="dl1.24xlarge"),
    ],
)
def test_eks_leaves_to_pods_what_karpenter_lists_for_the_instance_type(
    machine, max_pods, allocatable
):
    shares = eks_reserved(machine, max_pods=max_pods)

    assert machine.cpus - sum(share.cpus for share in shares) == pytest.approx(allocatable[0])
    left_mib = 1024 * (machine.memory_gib - sum(share.memory_gib for share in shares))
    assert int(left_mib) == allocatable[1]


def test_aks_keeps_the_processors_of_its_table():
    kept = [
        sum(share.cpus for share in aks_reserved(Machine(cpus, 512), max_pods=110))
        for cpus in (1, 2, 4, 8, 16, 32, 64)
    ]

    assert kept == pytest.approx([0.06, 0.1, 0.14, 0.18, 0.26, 0.42, 0.74])


@pytest.mark.parametrize(
    ("memory_gib", "max_pods", "kept_gb"), [(8, 30, 0.65), (4, 70, 1.0737), (16, 110, 2.25)]
)
def test_aks_keeps_memory_for_each_pod_and_a_quarter_at_most(memory_gib, max_pods, kept_gb):
    kubernetes = aks_reserved(Machine(2, memory_gib), max_pods=max_pods)[-1]

    assert kubernetes.memory_gib * 2**30 == pytest.approx(kept_gb * 1e9 + 100 * 2**20, rel=1e-4)


def test_gke_keeps_memory_by_slices_and_100_mib_for_evictions():
    # 25 % of 4, 20 % of 4, 10 % of 8, 6 % of 112, 2 % of 22: the documented 9.8577 for 150 GiB.
    kubernetes = gke_reserved(Machine(4, 150))[-1]

    assert kubernetes.memory_gib == pytest.approx(9.8577, abs=1e-4)
    assert kubernetes.cpus == pytest.approx(0.08)


NODE = NodeCapacity(
    ("nodeType x", "nodeType x"),
    4,
    16,
    (Share("Kubernetes", 0.1, 2),),
    Share("the cluster's own pods", 0.5, 0.5),
)


def test_the_message_of_a_node_shows_the_sum():
    assert too_large_for_node(3, 16, NODE, longhorn=True) == [
        "cpu is 3, and a node of ha-iris:cluster.nodeType x leaves the database 2.9 processors "
        "(4 - 0.1 for Kubernetes - 0.5 for the cluster's own pods - 0.47 for Longhorn), so its "
        "pod would wait for ever; choose larger nodes, or lower cpu to 2.9",
        "memoryGib is 16, and a node of ha-iris:cluster.nodeType x leaves the database 12 GiB "
        "(16 - 2 for Kubernetes - 0.5 for the cluster's own pods - 1 for Longhorn), so its pod "
        "would wait for ever or take what Longhorn needs; choose larger nodes, "
        "or lower memoryGib to 12",
    ]


def test_without_longhorn_its_share_is_the_databases():
    assert too_large_for_node(3.4, 13, NODE, longhorn=False) == []
    assert len(too_large_for_node(3.4, 13, NODE, longhorn=True)) == 2


def test_nothing_is_refused_where_nobody_said_what_a_node_has():
    unknown = replace(NODE, cpus=None, memory_gib=None)

    assert too_large_for_node(128, 2048, unknown, longhorn=True) == []
    assert too_many_cores_for_community(unknown, 20) is None
    assert too_many_cores_for_community(None, 20) is None


def test_community_edition_is_not_asked_to_start_where_there_are_too_many_cores():
    unknown = replace(NODE, cpus=None, memory_gib=None)

    assert "cpu is 24, and" in (too_many_cores_for_community(unknown, 24) or "")
    assert "whatever iris.cpu" in (too_many_cores_for_community(replace(NODE, cpus=32), 2) or "")


@pytest.mark.parametrize(
    ("types", "name", "machine"),
    [
        (ec2, "m7i.xlarge", (4, 16)),
        (ec2, "m7g.large", (2, 8)),
        (ec2, "c7i.4xlarge", (16, 32)),
        (ec2, "r6id.12xlarge", (48, 384)),
        (ec2, "m7i-flex.2xlarge", (8, 32)),
        (ec2, "i4i.2xlarge", (8, 64)),
        (ec2, "m7i.metal-24xl", (96, 384)),
        (ec2, "p5.48xlarge", None),
        (ec2, "m5.metal", None),
        (ec2, "u-6tb1.metal", None),
        (azure, "Standard_D4s_v5", (4, 16)),
        (azure, "Standard_D4ps_v6", (4, 16)),
        (azure, "Standard_D8ls_v5", (8, 16)),
        (azure, "Standard_E8-4s_v5", (4, 64)),
        (azure, "Standard_E64s_v3", (64, 432)),
        (azure, "Standard_F8s_v2", (8, 16)),
        (azure, "Standard_F8as_v6", (8, 32)),
        (azure, "Standard_M64s_v2", None),
        (azure, "Standard_NC4as_T4_v3", None),
        (compute, "e2-standard-4", (4, 16)),
        (compute, "n2-highmem-8", (8, 64)),
        (compute, "n2-highmem-128", (128, 864)),
        (compute, "n4-highcpu-8", (8, 16)),
        (compute, "e2-highcpu-8", (8, 8)),
        (compute, "c4-standard-8", (8, 30)),
        (compute, "n1-standard-4", (4, 15)),
        (compute, "n2-custom-6-24576", (6, 24)),
        (compute, "m3-ultramem-32", None),
        (compute, "a2-highgpu-1g", None),
    ],
)
def test_the_name_of_a_machine_type_tells_its_size_or_nothing(types, name, machine):
    assert types.machine(name) == machine


@pytest.mark.parametrize(
    ("stack", "node_type", "fault"),
    [
        ("eks", "m7i.8xlarge", "nodeType m7i.8xlarge has 32"),
        ("aks", "Standard_D32s_v5", "nodeType Standard_D32s_v5 has 32"),
        ("gke", "e2-standard-32", "nodeType e2-standard-32 has 32"),
    ],
)
def test_community_edition_is_not_put_on_machines_that_it_does_not_start_on(
    refused, stack_config, stack, node_type, fault
):
    message = refused(
        changed(stack_config(stack), {"cluster": {"nodeType": node_type}}), stack=stack
    )

    assert "Community Edition starts on machines with 20 cores or less" in message
    assert fault in message


def test_a_licensed_iris_may_have_more_cores(eks):
    engine = eks(
        cluster={"nodeType": "m7i.8xlarge"},
        iris={"image": "containers.intersystems.com/intersystems/iris:2026.1"},
    )

    assert engine.of_type("kubernetes:apps/v1:Deployment")


@pytest.mark.parametrize("stack", ["eks", "aks", "gke"])
def test_a_database_larger_than_any_node_is_refused_in_every_cloud(refused, stack_config, stack):
    message = refused(
        changed(stack_config(stack), {"iris": {"cpu": 16, "memoryGib": 64}}), stack=stack
    )

    assert "ha-iris:iris: cpu is 16, and a node of ha-iris:cluster.nodeType" in message
    assert "; and memoryGib is 64" in message


@pytest.mark.parametrize(
    ("cluster", "iris", "fault"),
    [
        ({"diskSizeGib": 60}, {}, "storageGib is 40, and each node's copy may grow to 80 GiB"),
        ({"diskSizeGib": 80, "dedicatedDisk": True}, {}, "fill less than 72"),
        ({"allocatableCpus": 2}, {}, "ha-iris:cluster.allocatableCpus leaves the database 1.4"),
        ({"allocatableMemoryGib": 5}, {}, "allocatableMemoryGib leaves the database 3 GiB"),
        ({"allocatableCpus": 31.8}, {}, "ha-iris:cluster.allocatableCpus has 31.8"),
    ],
)
def test_an_existing_cluster_is_checked_as_far_as_the_stack_file_tells(
    refused, kubeconfig, cluster, iris, fault
):
    groups = {"cluster": {"kubeconfig": kubeconfig, **cluster}, "iris": iris}
    message = refused({f"ha-iris:{key}": json.dumps(value) for key, value in groups.items()})

    assert fault in message


def test_a_database_on_another_storage_class_needs_no_room_for_copies(deploy, kubeconfig):
    from stacks import compose

    groups = {
        "cluster": {"kubeconfig": kubeconfig, "diskSizeGib": 60},
        "iris": {"storageClass": "fast"},
    }
    engine = deploy(compose, config={f"ha-iris:{k}": json.dumps(v) for k, v in groups.items()})

    assert engine.of_type("kubernetes:core/v1:PersistentVolumeClaim")


def test_a_machine_type_that_tells_nothing_is_warned_of_and_not_refused(composed, caplog):
    composed("gke", cluster={"nodeType": "m3-ultramem-32"})

    assert "nodeType does not tell its processors and memory" in caplog.text


def test_a_disk_without_room_for_the_worst_case_is_warned_of(composed, caplog):
    composed("gke", iris={"storageGib": 50})

    assert "may grow to 3 x 50 GiB, beside 10 GiB of kept snapshots, while" in caplog.text
    assert "356 would hold it" in caplog.text


def test_the_committed_stack_files_are_warned_of_nothing_that_does_not_fit(composed, caplog):
    for stack in ("dev", "eks", "aks", "gke"):
        composed(stack)

    assert "may grow to" not in caplog.text
    assert "does not tell" not in caplog.text


@pytest.mark.parametrize("cloud", list(CLUSTERS))
def test_the_pages_show_what_the_program_computes(cloud):
    page = (ROOT / "docs" / "sizing.md").read_text()
    settings = CLUSTERS[cloud]
    disk, node = settings.copies_disk(), settings.node_capacity()
    kept = ConsistentSnapshotSettings().kept().sizes()
    largest = [
        max(n for n in range(1, disk.size_gib) if disk.holds(n, times=times + kept))
        for times in (2, 3)
    ]
    shares = node.shares(longhorn=True)
    cpus = (node.cpus - sum(share.cpus for share in shares)) // 0.1 / 10
    memory = (node.memory_gib - sum(share.memory_gib for share in shares)) // 1

    assert (
        f"| {cloud.upper()} | `{disk.setting}: {disk.size_gib}` | {largest[0]} GiB | "
        f"{largest[1]} GiB | {IrisSettings().storage_gib} GiB |"
    ) in page
    left = next(line for line in page.splitlines() if line.startswith("| **left for IRIS**"))
    column = 1 + list(CLUSTERS).index(cloud)
    assert left.split(" | ")[column] == f"**{cpus:g}, {memory:g}**"
    assert f"`{settings.node_type}`" in page
    reference = (ROOT / "docs" / "settings.md").read_text()
    (row,) = re.findall(rf'^.*nodeType` \| `"{settings.node_type}"`.*$', reference, re.MULTILINE)
    assert f" leave IRIS {memory:g} GiB beside Longhorn" in row
    (row,) = re.findall(rf"^.*{disk.setting}` \| `{disk.size_gib}`.*$", reference, re.MULTILINE)
    percent = 100 * largest[0] // disk.size_gib
    assert cloud == "eks" or f"may be {percent} percent of it, by default" in row
