"""Who may reset the nodes' instances."""

import pulumi
from pulumi_gcp import projects, serviceaccount

from components.fencing.power import NAMESPACE, SERVICE_ACCOUNT, MachinePower
from components.gcp.names import account_id

RESET = ("compute.instances.get", "compute.instances.reset")
WATCH = ("compute.zoneOperations.get",)


class GcePower(pulumi.ComponentResource):
    """An account that the fencing agent's pods alone can act as, by workload identity federation.

    It may reset instances of this cluster's nodes, by their names, and see how its requests fare.
    """

    power: MachinePower

    def __init__(
        self,
        name: str,
        *,
        cluster_name: str,
        project: str,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("ha-iris:fencing:GcePower", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        account = serviceaccount.Account(
            f"{name}-account",
            project=project,
            account_id=account_id(cluster_name, "fence"),
            display_name=f"Fencing of {cluster_name}",
            opts=child,
        )
        identity = serviceaccount.IAMMember(
            f"{name}-identity",
            service_account_id=account.name,
            role="roles/iam.workloadIdentityUser",
            member=f"serviceAccount:{project}.svc.id.goog[{NAMESPACE}/{SERVICE_ACCOUNT}]",
            opts=child,
        )
        grants = [
            projects.IAMMember(
                f"{name}-{what}-grant",
                project=project,
                role=projects.IAMCustomRole(
                    f"{name}-{what}-role",
                    project=project,
                    role_id=role_id(cluster_name, what),
                    title=f"ha-iris fencing of {cluster_name}: {what}",
                    permissions=list(permissions),
                    stage="GA",
                    opts=child,
                ).name,
                member=account.member,
                condition=projects.IAMMemberConditionArgs(
                    title="nodes-of-this-cluster", expression=names_begin(cluster_name)
                )
                if what == "reset"
                else None,
                opts=child,
            )
            for what, permissions in (("reset", RESET), ("watch", WATCH))
        ]
        self.power = MachinePower(
            "gcp",
            annotations={"iam.gke.io/gcp-service-account": account.email},
            ready=[identity, *grants],
        )
        self.register_outputs({})


def role_id(cluster_name: str, what: str) -> str:
    """ID of a custom role: letters, digits, periods and underscores, at most 64."""
    return f"haIrisFencing_{what}_{cluster_name.replace('-', '_')}"


def names_begin(cluster_name: str) -> str:
    """Condition that a machine is called as GKE calls nodes of this cluster.

    GKE cuts long names of clusters in names of machines; nobody cuts ten letters.
    """
    return (
        'resource.type == "compute.googleapis.com/Instance" && '
        f'resource.name.extract("/instances/{{name}}").startsWith("gke-{cluster_name[:10]}")'
    )
