"""The permissions that docs/gke.md asks for are those that the program needs."""

import yaml

from tests.unit.conftest import ROOT

POLICIES = ROOT / "docs" / "policies"
PERMISSIONS = {
    "gcp:compute/network:Network": "compute.networks",
    "gcp:compute/subnetwork:Subnetwork": "compute.subnetworks",
    "gcp:compute/address:Address": "compute.addresses",
    "gcp:compute/router:Router": "compute.routers",
    "gcp:compute/routerNat:RouterNat": "compute.routers",
    "gcp:compute/firewall:Firewall": "compute.firewalls",
    "gcp:serviceaccount/account:Account": "iam.serviceAccounts",
    "gcp:storage/bucket:Bucket": "storage.buckets",
    "gcp:storage/hmacKey:HmacKey": "storage.hmacKeys",
}
"""Type of resource -> prefix of the permissions that create, read and delete it."""

ELSEWHERE = {
    "gcp:container/cluster:Cluster": "roles/container.admin",
    "gcp:container/nodePool:NodePool": "roles/container.admin",
    "gcp:projects/iAMMember:IAMMember": "roles/resourcemanager.projectIamAdmin",
    "gcp:storage/bucketIAMMember:BucketIAMMember": "storage.buckets.setIamPolicy",
}
"""Type of resource -> what else lets the deployer make it."""


def test_the_deployers_role_covers_every_kind_of_resource_and_no_other(gke):
    role = yaml.safe_load((POLICIES / "gke-deployer.yaml").read_text())["includedPermissions"]
    kinds = {r.type for r in gke().resources if r.type.startswith("gcp:")}

    assert kinds == PERMISSIONS.keys() | ELSEWHERE.keys()
    for prefix in PERMISSIONS.values():
        assert {f"{prefix}.{verb}" for verb in ("create", "delete", "get")} <= set(role)
    assert "iam.serviceAccounts.actAs" in role
    assert "storage.buckets.setIamPolicy" in role
    others = {
        permission
        for permission in role
        if not permission.startswith(tuple(f"{prefix}." for prefix in PERMISSIONS.values()))
    }
    assert others == {
        "compute.globalOperations.get",
        "compute.regionOperations.get",
        "compute.instanceGroupManagers.get",
        "resourcemanager.projects.get",
    }
    assert role == list(dict.fromkeys(role))


def test_the_deployer_may_grant_the_roles_that_the_program_grants(gke):
    condition = yaml.safe_load((POLICIES / "gke-deployer-grants.yaml").read_text())
    engine = gke(cluster={"admins": ["user:ada@example.com"]})

    granted = {g.inputs["role"] for g in engine.of_type("gcp:projects/iAMMember:IAMMember")}
    assert granted == {"roles/container.defaultNodeServiceAccount", "roles/container.clusterViewer"}
    for role in granted:
        assert f"'{role}'" in condition["expression"]
    assert condition["expression"].count("'roles/") == len(granted)


def test_the_page_names_whom_a_host_project_must_let_in():
    page = (ROOT / "docs" / "gke.md").read_text()
    section = page.split("### A network of your own")[1].split("\n## ")[0]

    # GKE, clusters with shared VPC: its own agent, and the one that makes the machines.
    for member in ("container-engine-robot", "cloudservices", "the deployer"):
        assert member in section
    for role in ("roles/container.hostServiceAgentUser", "roles/compute.networkUser"):
        assert f"`{role}`" in section
        assert f"--role {role}" in section
    assert "policies/gke-deployer-host.yaml" in section


def test_in_a_host_project_the_deployer_may_do_what_the_program_does_there(gke):
    role = yaml.safe_load((POLICIES / "gke-deployer-host.yaml").read_text())["includedPermissions"]
    there = gke(
        network={
            "existing": {
                "network": "projects/host/global/networks/n",
                "subnetwork": "projects/host/regions/europe-west1/subnetworks/s",
            }
        }
    ).resources

    kinds = {r.type for r in there if r.inputs.get("project") == "host"}
    assert kinds == {"gcp:compute/firewall:Firewall"}
    verbs = ("create", "delete", "get", "update")
    assert {f"compute.firewalls.{verb}" for verb in verbs} | {
        "compute.networks.updatePolicy",
        "compute.globalOperations.get",
    } == {*role}
