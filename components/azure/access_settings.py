"""Who reaches the API server of an AKS cluster, and with which login."""

from ipaddress import IPv4Network
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, ValidationInfo, field_validator

from components.settings import Cidr, Settings, no_examples, open_to_all

ObjectId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
"""Object ID of a group in Microsoft Entra ID."""

EXAMPLE_GROUP = "00000000-0000-0000-0000-000000000000"
"""Stands in the committed stack file for a group, and is none."""

PRIVATE_DNS_ZONE = (
    r"/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft\.Network"
    r"/privateDnsZones/([a-z0-9-]{1,32}\.)?privatelink\.[a-z0-9]+\.azmk8s\.io"
)
"""Resource ID of a zone in which AKS finds a place for an API server (AKS, private clusters)."""


class AksAccessSettings(Settings):
    """How the Kubernetes API of an AKS cluster is reached, and who may do what there."""

    api_endpoint: Literal["public", "private"] = "public"
    """How the Kubernetes API is reached.

    public: a public address, for apiAccessCidrs only. private: an address in the virtual network,
    so `pulumi up` must run where that network can be reached; needs network.existing.
    """

    api_access_cidrs: tuple[Cidr, ...] = Field(default=(), max_length=200, validate_default=True)
    """Networks that may reach the Kubernetes API, such as your office and your CI."""

    private_dns_zone: str = Field(
        default="system", pattern=rf"^(system|none|{PRIVATE_DNS_ZONE})$", validate_default=True
    )
    """Where the name of a private API server stands.

    system: a zone that AKS makes and links to the nodes' network alone. Resource ID: a zone that
    exists, privatelink.REGION.azmk8s.io or one below it. none: the public DNS, which answers with
    the private address.
    """

    local_accounts: bool = False
    """Let a certificate of an administrator open the cluster, in place of admins.

    It stands in the state, and nothing takes it back: Azure's way of doing so recreates every
    node, and every copy of the database with them.
    """

    admins: tuple[ObjectId, ...] = Field(default=(), validate_default=True)
    """Entra groups (object IDs) whose members administer the cluster; the deployer must be in one.

    To be named before the first `pulumi up`: certificates handed out until then stay valid.
    """

    login: Literal["azurecli", "workloadidentity", "spn", "msi"] = Field(
        default="azurecli", validate_default=True
    )
    """How kubelogin gets a token where admins is set: its --login mode."""

    @field_validator("api_access_cidrs")
    @classmethod
    def _are_not_the_world(
        cls, cidrs: tuple[IPv4Network, ...], info: ValidationInfo
    ) -> tuple[IPv4Network, ...]:
        endpoint = info.data.get("api_endpoint")
        if open_to_all(cidrs):
            raise ValueError(
                "0.0.0.0/0 shows the Kubernetes API to the whole Internet; name the networks that "
                "need it, or set apiEndpoint to private"
            )
        if endpoint == "public" and not cidrs:
            raise ValueError(
                "AKS takes an empty list for the whole Internet; list the networks that may reach "
                "the Kubernetes API, such as [203.0.113.0/24], or set apiEndpoint to private"
            )
        if endpoint == "private" and cidrs:
            raise ValueError(
                "a private API server has no public address that these could reach; "
                "drop apiAccessCidrs, or set apiEndpoint to public"
            )
        return cidrs

    _are_no_examples = field_validator("api_access_cidrs")(no_examples)

    @field_validator("private_dns_zone")
    @classmethod
    def _is_of_a_private_address(cls, zone: str, info: ValidationInfo) -> str:
        if zone != "system" and info.data.get("api_endpoint") == "public":
            raise ValueError(
                "the name of a public API server stands in the public DNS; "
                "drop privateDnsZone, or set apiEndpoint to private"
            )
        return zone

    @field_validator("admins")
    @classmethod
    def _somebody_can_log_in(cls, admins: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        local_accounts = info.data.get("local_accounts")
        if admins and local_accounts:
            raise ValueError(
                "with localAccounts a certificate still opens the cluster past these groups; "
                "drop localAccounts"
            )
        if not admins and local_accounts is False:
            raise ValueError(
                "without Entra groups the only login is a certificate that nothing takes back but "
                "the loss of every copy of the database; name the groups (object IDs) whose "
                "members administer the cluster, or set localAccounts to true"
            )
        return admins

    @field_validator("login")
    @classmethod
    def _is_used(cls, login: str, info: ValidationInfo) -> str:
        if login != "azurecli" and info.data.get("admins") == ():
            raise ValueError(
                "kubelogin is used only where Entra groups administer the cluster; "
                "set admins, or drop login"
            )
        return login
