"""Kubeconfigs that hold no credential, and the commands that a person uses one with."""

from typing import Any

import pulumi


def login_kubeconfig(name: str, *, server: Any, login: Any) -> dict[str, Any]:
    """A kubeconfig of one cluster whose user logs in with a program (``exec``) when it is used."""
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": server}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "current-context": name,
        "users": [{"name": name, "user": {"exec": login}}],
    }


def kubectl_commands(cluster_name: str) -> tuple[str, str]:
    """How a person calls kubectl for a cluster, and what writes the file that this names."""
    file = f"{cluster_name}.kubeconfig"
    save = (
        f"(umask 077 && pulumi stack output --stack {pulumi.get_stack()} --show-secrets "
        f"kubeconfig > {file})"
    )
    return f"kubectl --kubeconfig {file}", save
