"""What a new EKS node is told before it joins, in the one form that EKS accepts."""

import base64
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from pathlib import Path

BOUNDARY = "==HA-IRIS-NODE-PREP=="
EKS_BOUNDARY = "//"
"""Boundary of what EKS makes of its own part and ours (awslabs/amazon-eks-ami, issue 1988)."""

DATA_PATH = "/var/lib/longhorn/"
"""Where the script mounts the disk that is Longhorn's alone."""

LIMIT_BYTES = 16 * 1024
"""EC2's limit, before base64 (EC2 user guide, "Run commands at launch"). EKS adds its part."""

EKS_PART_BYTES = 4 * 1024
"""Room for what EKS puts in front: a NodeConfig with the cluster's certificate."""


def node_prep_script(*, sync: bool = True) -> str:
    """The script that prepares a node for Longhorn.

    Args:
        sync: every write to the data disk is on the disk before it is acknowledged.
    """
    script = Path(__file__).with_name("node_prep.sh").read_text(encoding="ascii")
    before, options, after = script.partition("\nmount_options=noatime,sync\n")
    assert options, "node_prep.sh does not say how the data disk is mounted"
    return script if sync else f"{before}\nmount_options=noatime\n{after}"


def multipart(script: str) -> str:
    """User data with a shell script that runs to its end before nodeadm starts.

    EKS refuses a bare script, and puts its own part in front of the parts it gets, so that there
    is one level of parts and no more (Amazon EKS user guide, "Customize managed nodes with launch
    templates"). ``nodeadm-run.service`` starts after ``cloud-final.service``, in which the script
    runs.

    Raises:
        ValueError: the script is not ASCII, cannot be told from the envelope, or is too long.
    """
    if not script.startswith("#!"):
        raise ValueError("cloud-init runs no script without an interpreter; start it with #!")
    if not script.isascii():
        raise ValueError("user data travels as ASCII; replace the other characters")
    for boundary in (BOUNDARY, EKS_BOUNDARY):
        if f"\n--{boundary}" in script:
            raise ValueError(f"a line starts with --{boundary} and would end the script there")
    envelope = MIMEMultipart("mixed", boundary=BOUNDARY)
    envelope.attach(MIMEText(script, "x-shellscript", "us-ascii"))
    message = envelope.as_string()
    if len(message) > LIMIT_BYTES - EKS_PART_BYTES:
        raise ValueError(
            f"{len(message)} bytes of user data leave EKS less than {EKS_PART_BYTES} of the "
            f"{LIMIT_BYTES} that EC2 takes; shorten the script"
        )
    return message


def user_data(*, sync: bool) -> str:
    """The launch template's ``user_data``: base64 of the whole message."""
    return base64.b64encode(multipart(node_prep_script(sync=sync)).encode("ascii")).decode("ascii")
