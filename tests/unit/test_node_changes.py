"""Which node changes wait for Longhorn, in each cloud; what they wait for is in test_longhorn_*."""

import pytest

NODES = {
    "eks": "aws:eks/nodeGroup:NodeGroup",
    "aks": "azure-native:containerservice:AgentPool",
    "gke": "gcp:container/nodePool:NodePool",
}


@pytest.fixture(params=NODES)
def cloud(request: pytest.FixtureRequest):
    """A cloud's committed stack, and the type of what has nodes there."""
    return request.getfixturevalue(request.param), NODES[request.param]


def test_every_zone_waits_for_the_copies_in_the_others_before_it_changes(cloud):
    stack, kind = cloud
    nodes = stack().of_type(kind)

    assert len(nodes) == 3
    for group in nodes:
        assert "cluster-nodes-before-change" in group.request.hooks.before_update, group.name


def test_new_nodes_are_never_waited_for_as_a_volume_may_need_them(cloud):
    stack, kind = cloud

    assert not any(group.request.hooks.before_create for group in stack().of_type(kind))


def test_a_plain_destroy_finds_nothing_that_it_would_have_to_ask(cloud):
    stack, _ = cloud

    for resource in stack().resources:
        assert not resource.request.hooks.before_delete, resource.name
        assert not resource.request.hooks.after_delete, resource.name


@pytest.mark.parametrize("name", ["aks", "gke"])
def test_a_set_that_retires_goes_only_without_copies(name: str, request: pytest.FixtureRequest):
    stack = request.getfixturevalue(name)
    pools = stack(cluster={"nodeSet": "b", "retiringNodeSet": "a"}).of_type(NODES[name])

    retiring = [pool.name for pool in pools if pool.request.hooks.before_delete]
    assert retiring == [pool.name for pool in pools if pool.name.startswith("cluster-nodes-a")]
    assert len(retiring) == 3


@pytest.mark.parametrize("name", ["aks", "gke"])
def test_a_set_that_retires_keeps_nobody_from_a_plain_destroy_of_unprotected_data(
    name: str, request: pytest.FixtureRequest
):
    stack = request.getfixturevalue(name)
    next_set = {"nodeSet": "b", "retiringNodeSet": "a"}

    for pool in stack(protectData=False, cluster=next_set).of_type(NODES[name]):
        assert not pool.request.hooks.before_delete


def test_nothing_that_a_hook_needs_waits_for_nodes(cloud):
    stack, kind = cloud
    engine = stack()

    # The kubeconfig comes from the cluster, which every group waits for.
    provider = engine.named("cluster-provider")
    assert not set(provider.property_depends_on["kubeconfig"]) & {
        group.name for group in engine.of_type(kind)
    }
