"""The kubeconfig of an AKS cluster, from the credential that Azure hands out."""

import base64
from typing import Any

import yaml

from components.kubeconfig import login_kubeconfig

AKS_SERVER = "6dae42f8-4368-4678-94ff-3960e28e3630"
"""Application ID of AKS in Microsoft Entra ID, the same for everybody (kubelogin, AKS docs)."""


def certificate_kubeconfig(credential: str) -> str:
    """The kubeconfig as Azure made it, with a client certificate in it.

    ``credential`` is the base64 text of listClusterUserCredential.
    """
    return base64.b64decode(credential).decode()


def entra_kubeconfig(credential: str, *, name: str, login: str) -> str:
    """A kubeconfig whose user signs in with Microsoft Entra ID through kubelogin.

    Azure's own one asks for a code in a browser, for which a pipeline waits until it is killed
    (Azure/AKS#4990). Server and certificate authority are taken from it.
    """
    document: dict[str, Any] = yaml.safe_load(base64.b64decode(credential))
    cluster = document["clusters"][0]["cluster"]
    login_with_entra = {
        "apiVersion": "client.authentication.k8s.io/v1beta1",
        "command": "kubelogin",
        "args": ["get-token", "--login", login, "--server-id", AKS_SERVER],
        "interactiveMode": "Never",
        "provideClusterInfo": False,
        "installHint": "Install kubelogin: https://azure.github.io/kubelogin/",
    }
    return yaml.safe_dump(
        login_kubeconfig(name, server=cluster, login=login_with_entra), sort_keys=False
    )
