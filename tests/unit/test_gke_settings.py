"""A GKE stack that Longhorn or Google could not live with is refused before anything is made."""

import pulumi
import pytest

from stacks import compose
from tests.unit.conftest import changed


@pytest.fixture
def refusal(refused, stack_config):
    """The message with which a change of the committed stack file is refused."""

    def run(config: dict[str, str] | None = None, stack: str = "gke", **groups) -> str:
        changed_config = changed({**stack_config("gke"), **(config or {})}, groups)
        message = refused(changed_config, stack=stack)
        heading, *faults = message.splitlines()
        assert heading == (f"ha-iris: Pulumi.{stack}.yaml is not a stack this program can build:")
        assert len(faults) == 1, faults
        return faults[0]

    return run


@pytest.mark.parametrize(
    ("key", "value", "stated", "reason", "cure"),
    [
        ("mode", "autopilot", "autopilot", "privileged pods", "set it to standard"),
        ("nodeImage", "COS_CONTAINERD", "COS_CONTAINERD", "iSCSI", "set it to UBUNTU_CONTAINERD"),
        ("capacityType", "spot", "spot", "takes Spot", "set it to on-demand"),
        ("nodes", 2, "2", "three copies", "set it to 3 or more"),
        ("nodes", 4, "4", "equally many", "set it to 3 or 6"),
        ("nodeType", "e2-medium", "e2-medium", "shared-core", "e2-standard-4"),
        ("nodeType", "c3-standard-4-lssd", "c3-standard-4-lssd", "local SSDs", "without -lssd"),
        ("diskType", "pd-standard", "pd-standard", "fast and durable", "pd-balanced"),
        ("diskSizeGib", 50, "50", "100 or more", "Disk of each node"),
        ("kubernetesVersion", "1.31", "1.31", "neither GKE nor Longhorn", "1.33 to 1.36"),
        ("kubernetesVersion", "1.35.8", "1.35.8", "must be text that matches", "Minor version"),
        ("nodeVersion", "1.37.1-gke.1", "1.37.1-gke.1", "newer than", "raise kubernetesVersion"),
        ("retiringNodeSet", "a", "a", "cannot replace itself", "give nodeSet a new name"),
        ("retiringNodes", 6, "6", "no set retires", "name the set in retiringNodeSet"),
        ("nodeSet", "a-b", "a-b", "must be text that matches", "Name of the set of nodes"),
        ("nodeVersion", "1.35", "1.35", "must be text that matches", "Exact GKE version"),
        ("apiAccessCidrs", [], "empty", "nobody could reach", "203.0.113.0/24"),
        ("apiAccessCidrs", ["0.0.0.0/0"], "['0.0.0.0/0']", "whole Internet", "apiEndpoint to dns"),
        ("apiEndpoint", "open", "open", "one of 'public', 'private' or 'dns'", "is reached"),
        ("zones", ["europe-west1-b"], "['europe-west1-b']", "three zones", "name three different"),
        ("zones", ["b", "c", "d"], "['b', 'c', 'd']", "is no zone", "europe-west1-b"),
        ("admins", ["ada@example.com"], "['ada@example.com']", "no IAM member", "group:dba@"),
        (
            "admins",
            ["group:a@one.example", "group:b@two.example"],
            "group:a@one.example",
            "groups of one domain",
            "name groups of one domain",
        ),
        ("releaseChannel", "RAPID", "RAPID", "one of 'REGULAR'", "release channel"),
        ("name", "Ha_Iris", "Ha_Iris", "must be text that matches", "Name of the cluster"),
        ("drainTimeoutMinutes", 5, "5", "60 or more", "waits for Longhorn"),
    ],
)
def test_a_bad_cluster_is_refused_with_reason_and_cure(refusal, key, value, stated, reason, cure):
    fault = refusal(cluster={key: value})

    assert fault.startswith(f"  ha-iris:cluster.{key}")
    for part in (stated, reason, cure):
        assert part in fault


@pytest.mark.parametrize(
    ("group", "value", "key", "reason", "cure"),
    [
        (
            "cluster",
            {"nodeType": "n4-standard-4", "diskType": "pd-ssd"},
            "cluster.diskType is pd-ssd",
            "takes no Persistent Disk",
            "hyperdisk-balanced",
        ),
        (
            "cluster",
            {"apiEndpoint": "dns"},
            "cluster.apiAccessCidrs is",
            "knows no networks",
            "drop apiAccessCidrs",
        ),
        (
            "cluster",
            {"maintenance": {"days": ["SU"], "hours": 6}},
            "cluster.maintenance.hours is 6",
            "48 hours in 32 days",
            "12 or more",
        ),
        (
            "cluster",
            {"maintenance": {"days": ["SUN"]}},
            "cluster.maintenance.days is",
            "SUN is no day",
            "MO, TU",
        ),
        (
            "cluster",
            {"maintenance": {"days": ["SU", "SU", "SA"]}},
            "cluster.maintenance.days is",
            "named twice",
            "once",
        ),
        (
            "network",
            {"podsRange": "10.44.0.0/22"},
            "network.podsRange is 10.44.0.0/22",
            "256 addresses",
            "/20 or larger",
        ),
        (
            "network",
            {"servicesRange": "10.44.16.0/20"},
            "network.servicesRange is 10.44.16.0/20",
            "overlaps podsRange 10.44.0.0/16",
            "addresses of its own",
        ),
        (
            "network",
            {"controlPlaneRange": "172.16.0.0/24"},
            "network.controlPlaneRange is 172.16.0.0/24",
            "sixteen addresses",
            "make it a /28",
        ),
        (
            "cluster",
            {"apiEndpoint": "private"},
            "network: cluster.apiEndpoint is private",
            "a VPC that it has yet to make",
            "network.existing, or set cluster.apiEndpoint to dns",
        ),
        ("backup", {"recoverDays": 5}, "backup.recoverDays is 5", "7 or more", "Days for which"),
        ("network", {"natAddresses": -1}, "network.natAddresses is -1", "0 or more", "addresses"),
        (
            "backup",
            {"bucket": "My_Bucket"},
            "backup.bucket is My_Bucket",
            "must be text that matches",
            "Bucket that exists",
        ),
        (
            "iris",
            {"storageGib": 68},
            "iris: storageGib is 68",
            "300 less 30 % for the system and 25 %",
            "set diskSizeGib to 303 or more, or storageGib to 67 or less",
        ),
        ("labels", {"Team": "x"}, "labels.Team", "must be text that matches", "Labels of"),
        ("labels", {"team": "A B"}, "labels.team is A B", "must be text that matches", "Labels of"),
    ],
)
def test_settings_that_do_not_go_together_are_refused(refusal, group, value, key, reason, cure):
    fault = refusal(**{group: value})

    assert fault.startswith(f"  ha-iris:{key}")
    assert reason in fault
    assert cure in fault


def test_a_range_of_pods_that_two_sets_of_nodes_do_not_fit_in_is_refused(refusal):
    fault = refusal(cluster={"nodes": 9}, network={"podsRange": "10.44.0.0/20"})

    assert "podsRange 10.44.0.0/20 has the addresses of 16 nodes, and 18 are there" in fault
    assert "make podsRange a /19 or larger" in fault


@pytest.mark.parametrize("key", ["project", "region"])
def test_a_missing_place_is_refused_with_the_command_that_sets_it(refusal, key):
    fault = refusal({f"gcp:{key}": ""})

    assert fault.startswith(f"  gcp:{key} is missing: ")
    assert f"pulumi config set gcp:{key}" in fault


def test_zones_of_another_region_are_refused(refusal):
    zones = ["europe-west4-a", "europe-west4-b", "europe-west4-c"]

    fault = refusal(cluster={"zones": zones})

    assert fault == (
        "  ha-iris:cluster.zones is europe-west4-a, europe-west4-b, europe-west4-c: gcp:region is "
        "europe-west1; name zones of it, or none"
    )


def test_a_subnetwork_of_another_region_is_refused(refusal):
    fault = refusal(
        network={
            "existing": {
                "network": "projects/host/global/networks/shared",
                "subnetwork": "projects/host/regions/europe-west4/subnetworks/nodes",
            }
        }
    )

    assert fault.startswith("  ha-iris:network.existing.subnetwork is projects/host/regions/")
    assert "gcp:region is europe-west1; name a subnetwork of it" in fault


def test_a_stack_whose_name_names_no_cluster_asks_for_one(refusal):
    fault = refusal(stack="Production_1")

    assert fault.startswith("  ha-iris:cluster.name is missing: ha-iris-Production_1, which")
    assert "lower-case letters, digits and hyphens" in fault


def test_a_cluster_without_any_settings_is_asked_for(deploy, stack_config):
    config = stack_config("gke")
    del config["ha-iris:cluster"]

    with pytest.raises(pulumi.RunError, match=r"ha-iris:cluster is missing: .* set it"):
        deploy(compose, stack="gke", config=config)
