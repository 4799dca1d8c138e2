"""The two locks on what holds data: a plan is refused, and what it would delete stays."""

import pytest

HOLDS_DATA = {
    "dev": {
        "kubernetes:core/v1:PersistentVolumeClaim",
        "kubernetes:helm.sh/v3:Release",
        "random:index/randomPassword:RandomPassword",
        "random:index/randomBytes:RandomBytes",
    },
    "eks": {"aws:eks/cluster:Cluster", "aws:eks/nodeGroup:NodeGroup", "aws:s3/bucket:Bucket"},
    "aks": {
        "azure-native:containerservice:ManagedCluster",
        "azure-native:containerservice:AgentPool",
        "azure-native:storage:StorageAccount",
        "azure-native:storage:BlobContainer",
    },
    "gke": {
        "gcp:container/cluster:Cluster",
        "gcp:container/nodePool:NodePool",
        "gcp:storage/bucket:Bucket",
    },
}


@pytest.mark.parametrize("stack", HOLDS_DATA)
def test_whatever_holds_data_has_both_locks(committed, stack):
    engine = committed(stack, protectData=True)

    for token in HOLDS_DATA["dev"] | HOLDS_DATA[stack]:
        locks = {(r.protect, r.request.retainOnDelete) for r in engine.of_type(token)}
        assert locks == {(True, True)}, token
    for namespace in (engine.named("iris-namespace"), engine.named("longhorn-namespace")):
        assert (namespace.protect, namespace.request.retainOnDelete) == (True, True)


@pytest.mark.parametrize("stack", HOLDS_DATA)
def test_nothing_that_plans_may_not_delete_goes_when_the_first_lock_is_ignored(committed, stack):
    engine = committed(stack, protectData=True)

    assert [r.name for r in engine.resources if r.protect and not r.request.retainOnDelete] == []


@pytest.mark.parametrize("stack", HOLDS_DATA)
def test_both_locks_come_off_together(committed, stack):
    backup = {} if stack == "dev" else {"backup": {"keepOnDestroy": False}}
    engine = committed(stack, protectData=False, **backup)

    assert [r.name for r in engine.resources if r.protect or r.request.retainOnDelete] == []


def test_nodes_that_retire_are_not_left_behind(aks):
    pools = aks(cluster={"nodeSet": "b", "retiringNodeSet": "a"}).of_type(
        "azure-native:containerservice:AgentPool"
    )

    locks = {(p.inputs["agentPoolName"][0], p.protect, p.request.retainOnDelete) for p in pools}
    assert locks == {("a", False, False), ("b", True, True)}
