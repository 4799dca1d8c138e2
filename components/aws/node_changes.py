"""What is asked before and after node groups change: EKS does more, and less, than it is told."""

from typing import Any

import pulumi
import pulumi_aws as aws

WAYS_OUT = {
    "CREATE_FAILED": (
        "it could not be made and holds no copy; find out why (the machine's console, quotas), "
        "delete it with `aws eks delete-nodegroup`, and run `pulumi up --refresh`"
    ),
    "DELETE_FAILED": (
        "find out why (`aws eks describe-nodegroup`, health), and run `pulumi up --refresh`"
    ),
}


def release_moves_along(change: pulumi.ResourceHookArgs) -> None:
    """Refuse a new template for nodes whose release is pinned and stays the same.

    The provider tells EKS what differs, and EKS takes the newest image of the control plane's
    version where it is told of a template only (EKS API reference, UpdateNodegroupVersion). The
    next update would then ask it to go back to the pinned release, which it does not.

    Raises:
        ValueError: the template changes and a pinned release does not.
    """
    old, new = _inputs(change.old_inputs), _inputs(change.new_inputs)
    release = new.get("releaseVersion")
    if not release or release != old.get("releaseVersion"):
        return
    if new.get("launchTemplate") != old.get("launchTemplate"):
        raise ValueError(
            f"ha-iris:cluster.nodeRelease is {release}, as before, and something else of the nodes "
            "changes (type, disks, tags, preparation): EKS would move them to the newest release "
            "with it, whatever is pinned; set nodeRelease to the newest, or drop it"
        )


def _inputs(values: Any) -> dict[str, Any]:
    return dict(values or {})


def as_recorded(group: aws.eks.NodeGroup) -> pulumi.Input[pulumi.Resource]:
    """The group, once EKS has said that it is what Pulumi has noted of it.

    An update that fails halfway is noted as done, and so is a group that could not be made: the
    next `pulumi up` sees no difference and goes on to the next zone
    (pulumi/pulumi-aws, issue 6062). In a preview nothing is asked, since what will change differs.
    """
    if pulumi.runtime.is_dry_run():
        return group
    found = aws.eks.get_node_group_output(
        cluster_name=group.cluster_name, node_group_name=group.node_group_name
    )

    def compare(answers: dict[str, Any]) -> aws.eks.NodeGroup:
        if fault := difference(**answers):
            raise pulumi.RunError(fault)
        return group

    return pulumi.Output.all(
        name=group.node_group_name,
        status=found.status,
        template=found.launch_templates.apply(lambda used: used[0].version if used else None),
        noted_template=group.launch_template.apply(lambda used: used and used.version),
        release=found.release_version,
        noted_release=group.release_version,
    ).apply(compare)


def difference(
    *,
    name: str,
    status: str,
    template: str | None,
    noted_template: str | None,
    release: str,
    noted_release: str | None,
) -> str | None:
    """Why the update must not go on to the next zone, and the cure; None if it may."""
    group = f"ha-iris: node group {name}"
    if status not in ("ACTIVE", "DEGRADED"):
        cure = WAYS_OUT.get(status, "wait until it is ACTIVE, and run `pulumi up --refresh`")
        return f"{group} is {status}, and Longhorn needs a node in each zone: {cure}"
    if status == "DEGRADED":
        pulumi.log.warn(f"{group} is DEGRADED: `aws eks describe-nodegroup` says why, in health.")
    if (template, release) != (noted_template, noted_release or release):
        return (
            f"{group} has template version {template} and release {release}, and Pulumi has noted "
            f"version {noted_template} and release {noted_release}: an update failed halfway and "
            "counts as done, or somebody changed it by hand; nothing was changed now. Wait until "
            "Longhorn is healthy, then run `pulumi up --refresh`"
        )
    return None
