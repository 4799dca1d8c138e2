"""No volume is attached to a node that is out of reach.

When Longhorn has freed the volume of a dead node, Kubernetes' attach-detach controller has two
pods that want it: the new one, and the old one, which still is to be removed. If it takes the old
one's node, nothing can answer there, and the volume waits for two minutes
(docs/failover.md, "The race"). The API server refuses that attachment here, and the controller,
which tries again half a second later, comes to the living node.
"""

from typing import Any

import pulumi
import pulumi_kubernetes as k8s

POLICY = "ha-iris-no-volume-to-a-dead-node"
UNREACHABLE = "node.kubernetes.io/unreachable"
"""What the node controller taints a node with whose kubelet has been silent for too long."""

_NOT_THERE = (
    "params.metadata.name != object.spec.nodeName || !has(params.spec.taints) || "
    f"!params.spec.taints.exists(taint, taint.key == '{UNREACHABLE}')"
)


def no_volume_to_a_dead_node(name: str, *, driver: str, opts: pulumi.ResourceOptions) -> None:
    """Make the policy and its binding: every node is a parameter, and each has to agree.

    Args:
        name: prefix of both.
        driver: CSI driver of the volumes that this is about.
        opts: options of both.
    """
    attachments: Any = {
        "apiGroups": ["storage.k8s.io"],
        "apiVersions": ["v1"],
        "operations": ["CREATE"],
        "resources": ["volumeattachments"],
    }
    spec: Any = {
        # It only saves time: no volume may wait for it.
        "failurePolicy": "Ignore",
        "paramKind": {"apiVersion": "v1", "kind": "Node"},
        "matchConstraints": {"resourceRules": [attachments]},
        "matchConditions": [
            {"name": "longhorn", "expression": f"object.spec.attacher == '{driver}'"}
        ],
        "validations": [
            {
                "expression": _NOT_THERE,
                "messageExpression": "'node ' + params.metadata.name + ' is out of reach'",
            }
        ],
    }
    policy = k8s.admissionregistration.v1.ValidatingAdmissionPolicy(
        f"{name}-policy", metadata={"name": POLICY}, spec=spec, opts=opts
    )
    binding: Any = {
        "policyName": policy.metadata["name"],
        "validationActions": ["Deny"],
        "paramRef": {"selector": {}, "parameterNotFoundAction": "Allow"},
    }
    k8s.admissionregistration.v1.ValidatingAdmissionPolicyBinding(
        f"{name}-binding", metadata={"name": POLICY}, spec=binding, opts=opts
    )
