"""What a stack may choose about how an image comes to the nodes and follows another one."""

from pydantic import Field

from components.settings import KubernetesName, Settings


class PrePullSettings(Settings):
    """The images of IRIS and its web gateway on every node that may run them, before it has to."""

    enabled: bool = True
    """Keep the images on every node.

    A failover then waits for no download and needs no registry. Costs a small pod on each node.
    """

    timeout_seconds: int = Field(default=900, ge=60, le=7200)
    """How long the change of an image waits for the nodes before it stops IRIS.

    Where some nodes have the image by then, it goes on; where none has, it ends and IRIS runs on.
    """


class UpgradeSettings(Settings):
    """What happens between the old image and the new one."""

    stop_first: bool = True
    """Stop IRIS in its old image, and change the image only after a clean stop.

    A newer IRIS does not start on a volume that was not closed cleanly. false is for emergencies:
    an old image that does not start any more.
    """

    snapshot: bool = True
    """Take a VolumeSnapshot of the stopped database, which stays until a person deletes it."""

    snapshot_class: KubernetesName | None = None
    """VolumeSnapshotClass, where the volume is of another StorageClass than Longhorn's."""
