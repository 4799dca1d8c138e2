"""The agent in the cluster: two pods, of which one acts, and what they may do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pulumi
import pulumi_kubernetes as k8s

from components.cluster import Cluster
from components.fencing.pod import LABELS, PORT, PROGRAM, pod_spec
from components.fencing.power import NAMESPACE, SERVICE_ACCOUNT, MachinePower
from components.fencing.rights import ANYWHERE, NAME, within
from components.fencing.settings import FencingSettings


@dataclass(frozen=True)
class Database:
    """Which pods run the database, whatever form it has."""

    namespace: str
    pods: Sequence[Mapping[str, str]]
    """Labels of the pods of each IRIS."""

    running: pulumi.Resource
    """What makes them; the agent comes after it and goes before it."""


class Fencing(pulumi.ComponentResource):
    """Two agents on two nodes, which switch a silent third one off."""

    def __init__(
        self,
        name: str,
        settings: FencingSettings,
        *,
        cluster: Cluster,
        database: Database,
        power: MachinePower,
        longhorn: bool,
        read_from: str | None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Make the agent and its rights.

        Args:
            name: Prefix of every child.
            settings: Choices of the stack.
            cluster: Where it runs.
            database: What it saves.
            power: Who switches the machines.
            longhorn: Whether there are copies that must be rebuilt before a fence is over.
            read_from: Namespace of who reads the metrics; None: nobody does.
            opts: Options of this component.
        """
        super().__init__("ha-iris:fencing:Fencing", name, None, opts)
        child = pulumi.ResourceOptions(
            parent=self, provider=cluster.provider, depends_on=[database.running, *power.ready]
        )
        namespace = k8s.core.v1.Namespace(
            f"{name}-namespace",
            metadata={
                "name": NAMESPACE,
                "labels": {
                    **LABELS,
                    "pod-security.kubernetes.io/enforce": "restricted",
                    "pod-security.kubernetes.io/warn": "restricted",
                },
            },
            opts=child,
        )
        here: Any = {"namespace": namespace.metadata["name"], "labels": LABELS}
        named: Any = {"name": NAME, **here}
        account = k8s.core.v1.ServiceAccount(
            f"{name}-service-account",
            metadata=cast(
                Any, {**named, "name": SERVICE_ACCOUNT, "annotations": dict(power.annotations)}
            ),
            automount_service_account_token=False,
            opts=child,
        )
        self._rights(name, account, database=database, longhorn=longhorn, opts=child)
        told = pulumi.Output.all(
            namespace=NAMESPACE,
            database_namespace=database.namespace,
            selectors=[
                ",".join(f"{key}={value}" for key, value in labels.items())
                for labels in database.pods
            ],
            power=power.kind,
            options=dict(power.options),
            stale_seconds=settings.stale_seconds,
            storm_limit=settings.storm_limit,
            dry_run=settings.dry_run,
            longhorn=longhorn,
        )
        files = k8s.core.v1.ConfigMap(
            f"{name}-program",
            metadata=here,
            immutable=True,
            data=told.apply(PROGRAM.data),
            opts=child,
        )
        command = self._command(name, settings, here, opts=child)
        self._network(name, named, read_from=read_from, opts=child)
        budget: Any = {"minAvailable": 1, "selector": {"matchLabels": LABELS}}
        k8s.policy.v1.PodDisruptionBudget(f"{name}-budget", metadata=named, spec=budget, opts=child)
        spec: Any = {
            "replicas": 2,
            "selector": {"matchLabels": LABELS},
            # A third one beside the two would want a node of its own.
            "strategy": {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}},
            "template": {
                "metadata": {"labels": LABELS},
                "spec": pod_spec(
                    settings,
                    program=files.metadata["name"],
                    service_account=account.metadata["name"],
                    command=command,
                    audience=power.audience,
                ),
            },
        }
        k8s.apps.v1.Deployment(f"{name}-deployment", metadata=named, spec=spec, opts=child)
        self.register_outputs({})

    def _rights(
        self,
        name: str,
        account: k8s.core.v1.ServiceAccount,
        *,
        database: Database,
        longhorn: bool,
        opts: pulumi.ResourceOptions,
    ) -> None:
        subjects: Any = [
            {"kind": "ServiceAccount", "name": account.metadata["name"], "namespace": NAMESPACE}
        ]
        wide: Any = {"name": NAME, "labels": LABELS}
        role = k8s.rbac.v1.ClusterRole(
            f"{name}-cluster-role", metadata=wide, rules=ANYWHERE, opts=opts
        )
        k8s.rbac.v1.ClusterRoleBinding(
            f"{name}-cluster-role-binding",
            metadata=wide,
            role_ref=_ref("ClusterRole", role),
            subjects=subjects,
            opts=opts,
        )
        for where, rules in within(database.namespace, longhorn=longhorn).items():
            there: Any = {**wide, "namespace": where}
            role = k8s.rbac.v1.Role(
                f"{name}-role-{where}",
                metadata=there,
                rules=rules,
                opts=pulumi.ResourceOptions.merge(
                    opts, pulumi.ResourceOptions(depends_on=[account])
                ),
            )
            k8s.rbac.v1.RoleBinding(
                f"{name}-role-binding-{where}",
                metadata=there,
                role_ref=_ref("Role", role),
                subjects=subjects,
                opts=opts,
            )

    def _command(
        self, name: str, settings: FencingSettings, here: Any, *, opts: pulumi.ResourceOptions
    ) -> tuple[pulumi.Output[str], pulumi.Output[str] | None] | None:
        """ConfigMap of the command, and Secret of its login."""
        if settings.command is None:
            return None
        text = Path(settings.command.program).expanduser().read_text()
        files = k8s.core.v1.ConfigMap(
            f"{name}-command", metadata=here, immutable=True, data={"fence": text}, opts=opts
        )
        if settings.command.login is None:
            return files.metadata["name"], None
        login = k8s.core.v1.Secret(
            f"{name}-login",
            metadata=cast(Any, {**here, "name": f"{NAME}-login"}),
            string_data={"login": pulumi.Output.secret(settings.command.login.get_secret_value())},
            opts=opts,
        )
        return files.metadata["name"], login.metadata["name"]

    def _network(
        self, name: str, named: Any, *, read_from: str | None, opts: pulumi.ResourceOptions
    ) -> None:
        reader = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": read_from}}}
        read = {"from": [reader], "ports": [{"port": PORT, "protocol": "TCP"}]}
        spec: Any = {
            "podSelector": {},
            "policyTypes": ["Ingress", "Egress"],
            # The kubelet's probes come from the pod's own node, which no policy keeps out.
            "ingress": [read] if read_from else [],
            # To the API server, the cloud and the nodes, of which no address is known here.
            "egress": [{"ports": [{"protocol": "TCP"}, {"port": 53, "protocol": "UDP"}]}],
        }
        k8s.networking.v1.NetworkPolicy(f"{name}-network", metadata=named, spec=spec, opts=opts)


def _ref(kind: str, role: Any) -> Any:
    return {
        "apiGroup": "rbac.authorization.k8s.io",
        "kind": kind,
        "name": role.metadata["name"],
    }
