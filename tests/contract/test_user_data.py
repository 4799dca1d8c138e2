"""What a new EKS node is told, read as nodeadm reads it and run on a node of stand-ins."""

import base64

import pytest

from components.aws.user_data import node_prep_script
from tests.contract.mime import EKS_NODE_CONFIG, merged, parts
from tests.contract.node import DATA_DISK, Node, why_no_node

SCRIPT = "text/x-shellscript"
LIMIT = 16 * 1024
"""Bytes of user data that EC2 takes, before base64 (EC2 user guide)."""

_REASON = why_no_node()
needs_node = pytest.mark.skipif(bool(_REASON), reason=_REASON)


@pytest.fixture
def user_data(deployed) -> str:
    """User data of the launch template of the committed stack."""
    runs = deployed("eks")
    (text,) = {
        run.resource.inputs["userData"]
        for run in runs
        if run.resource.type == "aws:ec2/launchTemplate:LaunchTemplate"
        and run.variant == "as committed"
    }
    return base64.b64decode(text, validate=True).decode("ascii")


@pytest.fixture
def script(user_data) -> str:
    """The part that prepares the node."""
    (only,) = [part.body for part in parts(user_data) if part.media_type == SCRIPT]
    return only


def test_user_data_fits_into_what_ec2_takes(user_data):
    assert len(user_data) < LIMIT


def test_the_script_arrives_whole_and_with_its_interpreter(script):
    assert script.startswith("#!/bin/bash\n")


def test_eks_can_merge_its_own_part_and_every_part_survives(user_data):
    both = parts(merged(user_data))

    assert both[0].body == EKS_NODE_CONFIG
    assert both[1:] == parts(user_data)


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        pytest.param("#!/bin/bash\ntrue\n", "malformed header", id="bare-script"),
        pytest.param("MIME-Version: 1.0\n\nhello\n", "not multipart", id="not-multipart"),
        pytest.param(
            'Content-Type: multipart/mixed; boundary="b"\n\n--b\nContent-Type: x/y\n\nhello\n',
            "not closed",
            id="never-closed",
        ),
        pytest.param(
            'Content-Type: multipart/mixed; boundary="b"\n\n--b\nset -e\n\nhello\n--b--\n',
            "malformed header",
            id="part-without-headers",
        ),
    ],
)
def test_what_nodeadm_could_not_read_is_refused(broken, said):
    with pytest.raises(ValueError, match=said):
        parts(broken)


@needs_node
def test_a_fresh_disk_is_formatted_and_mounted_before_the_node_joins(tmp_path, script):
    node = Node(tmp_path, disks=DATA_DISK)

    boot = node.boot(script)

    assert boot.returncode == 0, boot.output
    assert len(boot.ran("mkfs.xfs")) == 1
    assert boot.ran("mkfs.xfs")[0].endswith("/dev/nvme1n1")
    assert node.mounted
    assert node.starts("nodeadm-run")


@needs_node
def test_longhorn_finds_iscsi_with_a_name_of_its_own(tmp_path, script):
    node = Node(tmp_path, disks=DATA_DISK)

    boot = node.boot(script)

    assert any("iscsi-initiator-utils" in call for call in boot.ran("dnf"))
    assert any("iscsi_tcp" in call for call in boot.ran("modprobe"))
    assert any("iscsid" in call for call in boot.ran("systemctl"))
    assert node.read("/etc/iscsi/initiatorname.iscsi").startswith("InitiatorName=iqn.")


def mount_options(node: Node) -> set[str]:
    """How the node mounts Longhorn's disk."""
    (line,) = [row for row in node.read("/etc/fstab").splitlines() if "/var/lib/longhorn" in row]
    return set(line.split()[3].split(","))


@needs_node
def test_what_longhorn_acknowledges_is_on_the_disk(tmp_path, script):
    node = Node(tmp_path, disks=DATA_DISK)

    boot = node.boot(script)

    assert boot.returncode == 0, boot.output
    assert {"sync", "noatime", "nofail"} <= mount_options(node)


@needs_node
def test_a_site_that_gives_that_up_mounts_the_disk_as_xfs_does(tmp_path):
    node = Node(tmp_path, disks=DATA_DISK)

    boot = node.boot(node_prep_script(sync=False))

    assert boot.returncode == 0, boot.output
    assert "sync" not in mount_options(node)
    assert {"noatime", "nofail"} <= mount_options(node)


@needs_node
def test_no_boot_waits_for_the_volumes_of_the_time_before(tmp_path, script):
    node = Node(tmp_path, disks=DATA_DISK)
    node.boot(script)

    assert not node.starts("iscsi")
    assert node.starts("iscsid")


@needs_node
def test_a_disk_with_data_on_it_is_never_formatted(tmp_path, script):
    node = Node(tmp_path, disks=DATA_DISK)
    (node.world / "formatted").touch()

    boot = node.boot(script)

    assert boot.returncode == 0, boot.output
    assert boot.ran("mkfs.xfs") == []
    assert node.mounted


@needs_node
def test_the_second_boot_keeps_the_disk_and_says_nothing_twice(tmp_path, script):
    node = Node(tmp_path, disks=DATA_DISK)
    node.boot(script)

    boot = node.boot(script)

    assert boot.returncode == 0, boot.output
    assert boot.ran("mkfs.xfs") == []
    assert node.mounted
    assert node.read("/etc/fstab").count("/var/lib/longhorn") == 1
    assert node.starts("nodeadm-run")


SECOND_DISK = ["nvme2n1|disk|Amazon Elastic Block Store|||"]


@needs_node
@pytest.mark.parametrize(
    ("disks", "fault"),
    [
        pytest.param([], None, id="no-disk"),
        pytest.param(DATA_DISK, "no-packages", id="packages-cannot-be-installed"),
        pytest.param(DATA_DISK, "foreign", id="disk-holds-something-else"),
        pytest.param(DATA_DISK, "unreadable", id="disk-cannot-be-read"),
        pytest.param([*DATA_DISK, *SECOND_DISK], None, id="two-disks-could-be-meant"),
    ],
)
def test_a_node_that_longhorn_cannot_use_never_joins(tmp_path, script, disks, fault):
    node = Node(tmp_path, disks=disks)
    if fault:
        (node.world / fault).touch()

    boot = node.boot(script)

    assert boot.returncode != 0
    assert not node.starts("nodeadm-run")
    assert not node.starts("kubelet")
    assert boot.ran("mkfs.xfs") == []


@needs_node
def test_a_second_boot_keeps_the_name_that_iscsi_targets_know(tmp_path, script):
    node = Node(tmp_path, disks=DATA_DISK)
    node.boot(script)
    name = node.read("/etc/iscsi/initiatorname.iscsi")

    node.boot(script)

    assert node.read("/etc/iscsi/initiatorname.iscsi") == name


@needs_node
def test_nothing_of_this_machine_can_be_written_from_the_node(tmp_path):
    node = Node(tmp_path, disks=[])

    # Asked, not tried: -w is false on a read-only file system, and nothing is at risk if it is not.
    boot = node.boot(
        "for place in / /usr/lib /host/bin /host/bin/bash /proc/sys/vm/swappiness; do\n"
        "  [[ -w $place ]] && echo writable: $place\n"
        "done; true\n"
    )

    assert boot.output == "writable: /\n"
