"""What a stack makes of ha-iris:fencing, and what it says of it."""

import importlib
import json
import re
from pathlib import Path

import pytest
import yaml

from components.azure.power import ACTIONS
from components.fencing.program import settings as of_the_program
from components.fencing.rights import PAUSE
from components.gcp.power import names_begin, role_id
from stacks import compose
from tests.unit.conftest import ROOT

DEPLOYMENT = "kubernetes:apps/v1:Deployment"
AGENT = "fencing-deployment"
ON = {"enabled": True}


@pytest.fixture
def command(tmp_path):
    """A program of somebody's that switches machines."""
    file = tmp_path / "fence"
    file.write_text("#!/usr/bin/env python3\n")
    return {"program": str(file)}


def agent(engine):
    """The agent's Deployment."""
    return engine.one(DEPLOYMENT, AGENT).inputs


def told(engine):
    """What the agent is told."""
    (files,) = [
        r.inputs["data"]
        for r in engine.of_type("kubernetes:core/v1:ConfigMap")
        if r.name == "fencing-program"
    ]
    return json.loads(files["settings.json"])


@pytest.mark.parametrize("stack", ["dev", "eks", "aks", "gke"])
def test_nothing_of_fencing_is_made_until_somebody_asks(committed, stack):
    assert [r.name for r in committed(stack).resources if "fencing" in r.name] == []


@pytest.mark.parametrize("stack", ["eks", "aks", "gke"])
def test_two_agents_on_two_nodes_run_as_nobody(committed, stack):
    pod = agent(committed(stack, fencing=ON))["spec"]["template"]["spec"]

    (rule,) = pod["affinity"]["podAntiAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    assert rule["topologyKey"] == "kubernetes.io/hostname"
    assert pod["securityContext"]["runAsNonRoot"]
    (container,) = pod["containers"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    # What is out of service must not be borne: the agent would judge the node that it runs on.
    assert {t["key"] for t in pod["tolerations"]} == {
        "node.kubernetes.io/not-ready",
        "node.kubernetes.io/unreachable",
    }


def test_the_drills_find_the_agent_by_its_label(eks):
    labels = agent(eks(fencing=ON))["metadata"]["labels"]

    assert labels["app.kubernetes.io/name"] == "ha-iris-fencing"


@pytest.mark.parametrize(
    ("stack", "power", "options"),
    [
        ("eks", "aws", {"region"}),
        ("aks", "azure", {"tenant", "client"}),
        ("gke", "gcp", set()),
    ],
)
def test_each_clouds_agent_is_told_what_its_module_takes(committed, stack, power, options):
    said = told(committed(stack, fencing=ON))

    assert said["power"] == power
    assert said["options"].keys() == options
    module = importlib.import_module(f"components.fencing.program.{power}")
    getattr(module, power.capitalize())(**said["options"])
    of_the_program.Settings(**said)


def test_the_agent_of_aws_starts_once_its_identity_is_there(eks):
    waits = eks(fencing=ON).one(DEPLOYMENT, AGENT).depends_on

    assert "fencing-power-identity" in waits
    assert "fencing-power-role-policy" in waits


def test_the_agent_of_azure_may_do_four_things_to_machines_of_nodes_that_are_not_locked(aks):
    engine = aks(fencing=ON)

    (role,) = engine.of_type("azure-native:authorization:RoleDefinition")
    assert role.inputs["permissions"] == [
        {"actions": list(ACTIONS), "notActions": [], "dataActions": [], "notDataActions": []}
    ]
    assert role.inputs["scope"].endswith("-nodes")
    (cluster,) = engine.of_type("azure-native:containerservice:ManagedCluster")
    profile = cluster.inputs["nodeResourceGroupProfile"]
    assert profile == {"restrictionLevel": "Unrestricted"}
    (plain,) = aks().of_type("azure-native:containerservice:ManagedCluster")
    assert plain.inputs["nodeResourceGroupProfile"] == {"restrictionLevel": "ReadOnly"}
    (credential,) = engine.of_type("azure-native:managedidentity:FederatedIdentityCredential")
    assert credential.inputs["subject"] == "system:serviceaccount:ha-iris-fencing:ha-iris-fencing"
    volumes = agent(engine)["spec"]["template"]["spec"]["volumes"]
    (token,) = [v["projected"]["sources"][0] for v in volumes if "projected" in v]
    assert [token["serviceAccountToken"]["audience"]] == credential.inputs["audiences"]


def test_the_agent_of_google_may_reset_machines_of_its_own_cluster_alone(gke):
    engine = gke(fencing=ON)

    grants = engine.of_type("gcp:projects/iAMMember:IAMMember")
    (reset,) = [g.inputs for g in grants if g.name == "fencing-power-reset-grant"]
    assert reset["condition"]["expression"] == names_begin("ha-iris-gke")
    assert 'startsWith("gke-ha-iris-gk")' in reset["condition"]["expression"]
    (account,) = [
        r.inputs
        for r in engine.of_type("kubernetes:core/v1:ServiceAccount")
        if r.name == "fencing-service-account"
    ]
    assert account["metadata"]["annotations"].keys() == {"iam.gke.io/gcp-service-account"}


def test_an_id_of_a_role_of_google_is_one_for_the_longest_name():
    assert re.fullmatch(r"[a-zA-Z0-9_.]{3,64}", role_id("c" * 40, "reset"))


def test_longhorns_policy_comes_second_while_fencing_is_on(eks):
    spec = eks(fencing=ON).one(DEPLOYMENT, "iris-deployment").inputs["spec"]["template"]["spec"]

    assert {t["tolerationSeconds"] for t in spec["tolerations"]} == {60}


def test_a_command_of_ones_own_is_carried_to_the_agent_and_its_login_is_secret(
    deploy, stack_config, command
):
    fencing = {**ON, "command": {**command, "login": "hush"}}
    config = {**stack_config("dev"), "ha-iris:fencing": json.dumps(fencing)}
    engine = deploy(compose, config=config, secret_keys=["ha-iris:fencing"])

    assert told(engine)["options"] == {"command": ["/etc/ha-iris/fence/fence"]}
    (secret,) = [
        r for r in engine.of_type("kubernetes:core/v1:Secret") if r.name == "fencing-login"
    ]
    assert "stringData" in secret.secret_inputs
    pod = agent(engine)["spec"]["template"]["spec"]
    (volume,) = [v["configMap"] for v in pod["volumes"] if v["name"] == "command"]
    assert volume["defaultMode"] == 0o555


def rules(engine, kind):
    """Rules of the agent's roles, by namespace; none for what counts anywhere."""
    return {
        r.inputs["metadata"].get("namespace"): r.inputs["rules"]
        for r in engine.of_type(f"kubernetes:rbac.authorization.k8s.io/v1:{kind}")
        if r.name.startswith("fencing")
    }


def test_the_agent_reads_no_secret_and_deletes_nothing_but_the_databases_pods(eks):
    engine = eks(fencing=ON)

    every = {**rules(engine, "ClusterRole"), **rules(engine, "Role")}
    verbs = [
        (where, resource, verb)
        for where, listed in every.items()
        for rule in listed
        for resource in rule["resources"]
        for verb in rule["verbs"]
    ]
    assert [v for v in verbs if v[2] == "delete"] == [("iris", "pods", "delete")]
    assert [v for v in verbs if v[0] is None and v[2] not in ("list", "get")] == [
        (None, "nodes", "patch")
    ]
    assert not any(v[1] == "secrets" for v in verbs)
    assert PAUSE == of_the_program.PAUSE


def test_a_stack_without_fencing_loads_nothing_of_it():
    text = "\n".join(
        line
        for file in Path(ROOT, "stacks").glob("*.py")
        for line in file.read_text().splitlines()
        if line.startswith(("import ", "from "))
    )

    assert "components.fencing.fencing" not in text
    assert not re.search(r"components\.(aws|azure|gcp)\.power", text)


@pytest.mark.parametrize(
    ("groups", "said"),
    [
        ({"fencing": ON}, "nobody here knows who switches the machines of a cluster that exists"),
        (
            {"fencing": {**ON, "command": {"program": "nowhere"}}},
            "fencing.command.program is nowhere: there is no such file",
        ),
        (
            {"fencing": {**ON, "command": {"program": "README.md"}}},
            "its first line must say what runs it",
        ),
        (
            {"fencing": {**ON, "command": {"program": "COMMAND"}}, "cluster": {"nodes": 2}},
            "of 2 nodes no two are left when one is off",
        ),
        ({"fencing": {"staleSeconds": 5}}, "fencing.staleSeconds is 5"),
        ({"fencing": {"stormLimit": 0}}, "fencing.stormLimit is 0"),
        ({"iris": {"namespace": "ha-iris-fencing"}}, "that namespace is others' already"),
    ],
)
def test_what_could_not_work_is_refused_before_anything_is_made(
    refused, kubeconfig, command, groups, said
):
    text = json.dumps(groups).replace("COMMAND", command["program"])
    groups = json.loads(text)
    cluster = {"kubeconfig": kubeconfig, "zones": 2, **groups.pop("cluster", {})}
    config = {f"ha-iris:{k}": json.dumps(v) for k, v in {"cluster": cluster, **groups}.items()}

    assert said in refused(config)


def test_a_command_is_refused_where_the_cloud_switches_its_machines_itself(
    refused, stack_config, command
):
    config = {**stack_config("eks"), "ha-iris:fencing": json.dumps({**ON, "command": command})}

    assert "the cloud switches its machines itself; drop command" in refused(config)


def test_the_deployers_further_rights_are_those_that_fencing_needs(aks, gke):
    policies = ROOT / "docs" / "policies"
    azure = json.loads((policies / "aks-deployer-fencing.json").read_text())["Actions"]
    google = yaml.safe_load((policies / "gke-deployer-fencing.yaml").read_text())

    new = {r.type for r in aks(fencing=ON).resources} - {r.type for r in aks().resources}
    assert {kind for kind in new if kind.startswith("azure")} == {
        "azure-native:authorization:RoleDefinition",
        "azure-native:managedidentity:FederatedIdentityCredential",
    }
    assert {action.rsplit("/", 1)[0] for action in azure} == {
        "Microsoft.Authorization/roleDefinitions",
        "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials",
    }
    new = {r.type for r in gke(fencing=ON).resources} - {r.type for r in gke().resources}
    assert {kind for kind in new if kind.startswith("gcp")} == {
        "gcp:projects/iAMCustomRole:IAMCustomRole",
        "gcp:serviceaccount/iAMMember:IAMMember",
    }
    assert {p.rpartition(".")[0] for p in google["includedPermissions"]} == {
        "iam.roles",
        "iam.serviceAccounts",
    }
