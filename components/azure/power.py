"""Who may power the nodes' machines off and on."""

from collections.abc import Mapping

import pulumi
from pulumi_azure_native import authorization, managedidentity

from components.azure.roles import assign
from components.fencing.power import NAMESPACE, SERVICE_ACCOUNT, MachinePower

MACHINES = "Microsoft.Compute/virtualMachineScaleSets/virtualMachines"
ACTIONS = (
    f"{MACHINES}/read",
    f"{MACHINES}/instanceView/read",
    f"{MACHINES}/powerOff/action",
    f"{MACHINES}/start/action",
)
AUDIENCE = "api://AzureADTokenExchange"


class VmssPower(pulumi.ComponentResource):
    """An identity that the fencing agent's pods alone can take on, and a role of four actions.

    The role counts in the nodes' resource group, which must not be locked then: a deny assignment
    stands above every role.
    """

    power: MachinePower

    def __init__(
        self,
        name: str,
        *,
        cluster_name: str,
        resource_group: pulumi.Input[str],
        node_resource_group: pulumi.Input[str],
        oidc_issuer: pulumi.Input[str],
        location: str,
        tags: Mapping[str, str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("ha-iris:fencing:VmssPower", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        us = authorization.get_client_config_output(opts=pulumi.InvokeOutputOptions(parent=self))
        identity = managedidentity.UserAssignedIdentity(
            f"{name}-identity",
            resource_name_=f"{cluster_name}-fencing",
            resource_group_name=resource_group,
            location=location,
            tags=tags,
            opts=child,
        )
        credential = managedidentity.FederatedIdentityCredential(
            f"{name}-credential",
            federated_identity_credential_resource_name="agent",
            resource_group_name=resource_group,
            resource_name_=identity.name,
            issuer=oidc_issuer,
            subject=f"system:serviceaccount:{NAMESPACE}:{SERVICE_ACCOUNT}",
            audiences=[AUDIENCE],
            opts=child,
        )
        scope = pulumi.Output.concat(
            "/subscriptions/", us.subscription_id, "/resourceGroups/", node_resource_group
        )
        role = authorization.RoleDefinition(
            f"{name}-role",
            # One of a name is allowed in a directory, which has many subscriptions.
            role_name=pulumi.Output.concat(cluster_name, " fencing ", us.subscription_id),
            role_type="CustomRole",
            description=f"Powers nodes of {cluster_name} off and on",
            scope=scope,
            assignable_scopes=[scope],
            permissions=[
                authorization.PermissionArgs(
                    actions=list(ACTIONS), not_actions=[], data_actions=[], not_data_actions=[]
                )
            ],
            opts=child,
        )
        granted = assign(
            f"{name}-grant", role.id, to=identity.principal_id, scope=scope, opts=child
        )
        self.power = MachinePower(
            "azure",
            {"tenant": us.tenant_id, "client": identity.client_id},
            audience=AUDIENCE,
            ready=[credential, granted],
        )
        self.register_outputs({})
