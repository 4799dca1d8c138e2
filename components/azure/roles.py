"""Azure's built-in roles that identities of the program get, each on one resource."""

import pulumi
from pulumi_azure_native import authorization

NETWORK_CONTRIBUTOR = "4d97b98b-1d4f-4787-a291-c67834d212e7"
PRIVATE_DNS_ZONE_CONTRIBUTOR = "b12aa53e-6015-4669-85d0-8515ebb3ae7f"
READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
KEY_VAULT_CRYPTO_USER = "12338af0-0e69-4776-bea7-57ae8d297424"
KEY_VAULT_CRYPTO_SERVICE_ENCRYPTION_USER = "e147488a-f6f5-4113-8e2d-b22465e65bf6"
"""Role IDs, the same in every subscription (Azure built-in roles)."""


def grant(
    name: str,
    role: str,
    *,
    to: pulumi.Input[str],
    scope: pulumi.Input[str],
    opts: pulumi.ResourceOptions,
) -> authorization.RoleAssignment:
    """A role on one resource for one managed identity.

    Args:
        name: name of the assignment in Pulumi.
        role: one of this module's role IDs.
        to: object ID of the identity, its ``principal_id``.
        scope: resource ID of what the role counts for, and for all below it.
        opts: options with a parent.
    """
    subscription = authorization.get_client_config_output(
        opts=pulumi.InvokeOutputOptions(parent=opts.parent)
    ).subscription_id
    definition = pulumi.Output.concat(
        "/subscriptions/",
        subscription,
        "/providers/Microsoft.Authorization/roleDefinitions/",
        role,
    )
    return assign(name, definition, to=to, scope=scope, opts=opts)


def assign(
    name: str,
    definition: pulumi.Input[str],
    *,
    to: pulumi.Input[str],
    scope: pulumi.Input[str],
    opts: pulumi.ResourceOptions,
) -> authorization.RoleAssignment:
    """The same for any role, by the resource ID of its definition."""
    return authorization.RoleAssignment(
        name,
        scope=scope,
        principal_id=to,
        # Azure then does not look for the identity in a directory that has not got it yet.
        principal_type="ServicePrincipal",
        role_definition_id=definition,
        opts=opts,
    )
