"""A cluster whose node groups are Secrets: what their changes wait for is real.

Runs as a Pulumi program. ``situation.json`` beside it says what it is asked for.
"""

import json
from pathlib import Path

import pulumi
import pulumi_kubernetes as k8s

from components.longhorn.node_changes import NodeChanges, NodeChangeSettings
from components.waiting import Patience

situation = json.loads(Path("situation.json").read_text())
kubeconfig = Path(situation["kubeconfig"]).read_text()
provider = k8s.Provider(
    "lab",
    kubeconfig=kubeconfig,
    cluster_identifier="lab",
)
seen_by_hooks = Path(situation["kubeconfig_of_hooks"]).read_text()
changes = NodeChanges(
    "nodes",
    NodeChangeSettings(wait_for_copies=situation["wait"]),
    kubeconfig=pulumi.Output.secret(provider.id.apply(lambda _: seen_by_hooks)),
    node_label="topology.kubernetes.io/zone",
    label_output="type",
    patience=Patience(
        timeout=situation["timeout"], settled=2, silence=4, every=0.5, between_lines=0
    ),
)
groups: list[pulumi.Resource] = []
for zone, version in situation["groups"].items():
    retiring = zone in situation["retiring"]
    groups.append(
        k8s.core.v1.Secret(
            f"group-{zone}",
            # Changed where it is; new data would replace the Secret.
            metadata={
                "name": f"group-{zone}",
                "namespace": "default",
                "annotations": {"version": str(version)},
            },
            # The output that names the group, as its nodes' label has it.
            type=zone,
            opts=pulumi.ResourceOptions(
                provider=provider,
                depends_on=groups[-1:],
                hooks=changes.of_retiring_nodes() if retiring else changes.of_nodes(),
            ),
        )
    )
