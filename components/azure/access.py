"""How the API server of an AKS cluster is reached, and the kubeconfig that logs in to it."""

import pulumi
from pulumi_azure_native import containerservice, resources

from components.azure.keys import Key
from components.azure.kubeconfig import certificate_kubeconfig, entra_kubeconfig
from components.azure.settings import AksClusterSettings


def api_access(
    settings: AksClusterSettings,
) -> containerservice.ManagedClusterAPIServerAccessProfileArgs:
    """Where the API server has an address, and for whom."""
    if settings.api_endpoint == "private":
        return containerservice.ManagedClusterAPIServerAccessProfileArgs(
            enable_private_cluster=True,
            # Azure refuses a server whose name stands nowhere.
            enable_private_cluster_public_fqdn=settings.private_dns_zone == "none",
            private_dns_zone=settings.private_dns_zone,
            disable_run_command=True,
        )
    return containerservice.ManagedClusterAPIServerAccessProfileArgs(
        authorized_ip_ranges=[str(network) for network in settings.api_access_cidrs],
        # `az aks command invoke` runs a pod from outside, past these ranges.
        disable_run_command=True,
    )


def entra(settings: AksClusterSettings) -> containerservice.ManagedClusterAADProfileArgs | None:
    """Entra groups whose members are administrators, or None where a certificate is the login."""
    if not settings.admins:
        return None
    return containerservice.ManagedClusterAADProfileArgs(
        managed=True,
        # Kubernetes roles, which take effect at once; Azure's take minutes to spread.
        enable_azure_rbac=False,
        admin_group_object_ids=[*settings.admins],
    )


def key_service(settings: AksClusterSettings) -> containerservice.AzureKeyVaultKmsArgs:
    """The key that the API server wraps the keys of Kubernetes Secrets with, besides Azure's."""
    if settings.secrets_kms_key is None:
        # Said, so that a setting that is dropped has an effect that does not depend on Azure.
        return containerservice.AzureKeyVaultKmsArgs(enabled=False)
    return containerservice.AzureKeyVaultKmsArgs(
        enabled=True,
        key_id=Key.of(settings.secrets_kms_key).identifier,
        key_vault_network_access=containerservice.KeyVaultNetworkAccessTypes.PUBLIC,
    )


def kubeconfig(
    component: pulumi.Resource,
    settings: AksClusterSettings,
    group: resources.ResourceGroup,
    cluster: containerservice.ManagedCluster,
    cluster_name: str,
) -> pulumi.Output[str]:
    """The kubeconfig of the cluster as text, secret."""
    credential = (
        containerservice.list_managed_cluster_user_credentials_output(
            resource_group_name=group.name,
            resource_name=cluster.name,
            opts=pulumi.InvokeOutputOptions(parent=component),
        )
        .kubeconfigs[0]
        .value
    )
    if settings.admins:
        text = credential.apply(
            lambda value: entra_kubeconfig(value, name=cluster_name, login=settings.login)
        )
    else:
        text = credential.apply(certificate_kubeconfig)
    return pulumi.Output.secret(text)
