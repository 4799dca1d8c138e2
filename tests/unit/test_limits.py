"""What every container that this program brings may use, and what it may not do."""

import pytest

LICENSED = "containers.intersystems.com/intersystems/iris:2026.1"
WORKLOADS = ("kubernetes:apps/v1:Deployment", "kubernetes:apps/v1:DaemonSet")
NODE_PREP = "cluster-node-prep-daemon-set"


def pods(engine):
    """Spec of the pods of each workload, by its name."""
    found = [workload for kind in WORKLOADS for workload in engine.of_type(kind)]
    return {workload.name: workload.inputs["spec"]["template"]["spec"] for workload in found}


def containers(pod):
    """All containers of a pod."""
    return [*pod.get("initContainers", []), *pod["containers"]]


@pytest.mark.parametrize("stack", ["dev", "eks", "aks", "gke"])
@pytest.mark.parametrize("image", [None, LICENSED])
def test_every_container_has_limits_for_processor_and_memory(committed, stack, image):
    engine = committed(stack, **({"iris": {"image": image}} if image else {}))

    for name, pod in pods(engine).items():
        for container in containers(pod):
            limits = container["resources"]["limits"]
            assert {"cpu", "memory"} <= set(limits), f"{name}: {container['name']}"
            assert container["resources"]["requests"].keys() == limits.keys()


@pytest.mark.parametrize("stack", ["dev", "eks", "aks", "gke"])
def test_no_pod_but_the_one_that_prepares_nodes_sees_the_node(committed, stack):
    for name, pod in pods(committed(stack, iris={"image": LICENSED})).items():
        sees = [
            *(key for key in ("hostNetwork", "hostPID", "hostIPC") if pod.get(key)),
            *(volume["name"] for volume in pod.get("volumes", []) if "hostPath" in volume),
            *(c["name"] for c in containers(pod) if c["securityContext"].get("privileged")),
        ]
        assert bool(sees) == (name == NODE_PREP), name
        assert pod["automountServiceAccountToken"] is False


@pytest.mark.parametrize("stack", ["aks", "gke"])
def test_the_pod_that_prepares_nodes_is_there(committed, stack):
    """Otherwise the exception above would be one for nobody."""
    assert NODE_PREP in pods(committed(stack))


@pytest.mark.parametrize("stack", ["dev", "eks", "aks", "gke"])
def test_no_disruption_budget_keeps_the_only_instance_where_it_is(committed, stack):
    engine = committed(stack, iris={"image": LICENSED})

    database = engine.named("iris-deployment").inputs["spec"]["selector"]["matchLabels"]
    for budget in engine.of_type("kubernetes:policy/v1:PodDisruptionBudget"):
        assert not budget.inputs["spec"]["selector"]["matchLabels"].items() <= database.items()
