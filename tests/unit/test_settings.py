"""A bad stack file is refused whole, before anything is registered, in words that help."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from stacks.stack_file import StackFile


@pytest.fixture
def refusal(refused, kubeconfig):
    """The message with which a stack file is refused, and that nothing was registered."""

    def run(secret_keys: tuple[str, ...] = (), **groups: Any) -> str:
        cluster = groups.setdefault("cluster", {})
        if isinstance(cluster, dict):
            cluster.setdefault("kubeconfig", kubeconfig)
        config = {
            f"ha-iris:{key}": value if isinstance(value, str) else json.dumps(value)
            for key, value in groups.items()
        }
        return refused(config, secret_keys=[f"ha-iris:{k}" for k in secret_keys])

    return run


# What stands in the file, and what the message must say of it: the key, the value, the reason
# and the cure.
BAD_STACK_FILES: dict[str, tuple[dict[str, Any], str]] = {
    "unknown cloud": (
        {"cloud": "azur"},
        "ha-iris:cloud is azur: no such cloud; set it to one of existing, aws, azure, gcp",
    ),
    "misspelt group": ({"irsi": {}}, "ha-iris:irsi is not a setting: did you mean iris?"),
    "unknown group": ({"xyzzy": {}}, "ha-iris:xyzzy is not a setting: known here are cloud,"),
    "misspelt key": (
        {"iris": {"storageGb": 20}},
        "ha-iris:iris.storageGb is not a setting: did you mean storageGib?",
    ),
    "key in snake case": (
        {"iris": {"storage_gib": 20}},
        "ha-iris:iris.storage_gib is not a setting: did you mean storageGib?",
    ),
    "misspelt key two levels down": (
        {"iris": {"service": {"typ": "ClusterIP"}}},
        "ha-iris:iris.service.typ is not a setting: did you mean type?",
    ),
    "group that is a word": (
        {"iris": "big"},
        "ha-iris:iris is big: it must be a group of settings (a YAML mapping)",
    ),
    "group that is a list": (
        {"longhorn": [1]},
        "ha-iris:longhorn is [1]: it must be a group of settings (a YAML mapping)",
    ),
    "number in quotes": (
        {"iris": {"storageGib": "20"}},
        "ha-iris:iris.storageGib is 20: it must be a whole number, without quotes",
    ),
    "half a GiB": (
        {"iris": {"memoryGib": 2.5}},
        "ha-iris:iris.memoryGib is 2.5: it must be a whole",
    ),
    "no storage": (
        {"iris": {"storageGib": 0}},
        "ha-iris:iris.storageGib is 0: it must be more than 0 (Size of the database volume, GiB",
    ),
    "too little memory for IRIS": (
        {"iris": {"memoryGib": 1}},
        "ha-iris:iris.memoryGib is 1: it must be 2 or more (Memory, GiB, requested and limited",
    ),
    "globals beyond memory": (
        {"iris": {"memoryGib": 4, "globalsMib": 4096}},
        "ha-iris:iris: globalsMib 4096 + routinesMib 409 + gmheapKib 307200 (300 MiB) are 4805 "
        "MiB, and of memoryGib 4 they may take 3072 MiB",
    ),
    "globals and routines beyond memory together": (
        {"iris": {"memoryGib": 4, "globalsMib": 3000, "routinesMib": 3000}},
        "lower them or set memoryGib to 9 or more",
    ),
    "heap beyond memory": (
        {"iris": {"gmheapKib": 99999999}},
        "gmheapKib 99999999 (97656 MiB) are 99908 MiB",
    ),
    "heap below IRIS's minimum": (
        {"iris": {"gmheapKib": 16000}},
        "ha-iris:iris.gmheapKib is 16000: it must be 16384 or more (Shared memory heap, KiB",
    ),
    "heap beyond IRIS's maximum": (
        {"iris": {"gmheapKib": 1073741761}},
        "ha-iris:iris.gmheapKib is 1073741761: it must be 1073741760 or less",
    ),
    "routine cache below the minimum": (
        {"iris": {"routinesMib": 10}},
        "ha-iris:iris.routinesMib is 10: it must be 80 or more",
    ),
    "image without a tag": (
        {"iris": {"image": "intersystems/iris"}},
        "ha-iris:iris.image is intersystems/iris: it must be text that matches",
    ),
    "image that moves": (
        {"iris": {"image": "intersystems/iris-community:latest-em"}},
        "such a tag moves, and IRIS refuses to start a newer build",
    ),
    "ARM image on other nodes": (
        {"iris": {"image": "containers.intersystems.com/intersystems/iris-arm64:2026.1"}},
        "does not run on amd64 nodes; use the repository iris, or nodes of the other",
    ),
    "ARM operator on other nodes": (
        {
            "iris": {
                "form": "operator",
                "operator": {
                    "chart": "./lab/charts/iris-operator",
                    "image": "registry.example.com/intersystems/iris-operator-arm64:3.8",
                },
            }
        },
        "iris-operator-arm64:3.8 does not run on amd64 nodes; use the repository iris-operator",
    ),
    "operator without its chart": (
        {"iris": {"form": "operator"}},
        "ha-iris:iris.operator is missing: InterSystems publishes the operator's chart to its",
    ),
    "no such time zone": (
        {"iris": {"timeZone": "Berlin"}},
        "ha-iris:iris.timeZone is Berlin: no such time zone; use a name as in Europe/Berlin",
    ),
    "namespace in capitals": (
        {"iris": {"namespace": "IRIS"}},
        "ha-iris:iris.namespace is IRIS: it must be text that matches",
    ),
    "namespace with a hyphen at its end": (
        {"iris": {"namespace": "iris-"}},
        "ha-iris:iris.namespace is iris-: a Kubernetes name ends with a letter or a digit",
    ),
    "namespace too long": (
        {"iris": {"namespace": "i" * 64}},
        "it must be at most 63 characters long",
    ),
    "no time for a clean stop": (
        {"iris": {"terminationGracePeriodSeconds": 5}},
        "ha-iris:iris.terminationGracePeriodSeconds is 5: it must be 10 or more",
    ),
    "negative toleration": (
        {"iris": {"tolerationSeconds": -1}},
        "ha-iris:iris.tolerationSeconds is -1: it must be 0 or more",
    ),
    "service of an unknown type": (
        {"iris": {"service": {"type": "NodePort"}}},
        "ha-iris:iris.service.type is NodePort: it must be one of 'ClusterIP' or 'LoadBalancer'",
    ),
    "database open to everybody": (
        {"iris": {"service": {"type": "LoadBalancer"}}},
        "ha-iris:iris.service.sourceRanges is empty: a LoadBalancer without source ranges offers",
    ),
    "source ranges without a load balancer": (
        {"iris": {"service": {"sourceRanges": ["203.0.113.0/24"]}}},
        "only a LoadBalancer can tell clients apart; set type to LoadBalancer",
    ),
    "host bits in a network": (
        {"iris": {"service": {"type": "LoadBalancer", "sourceRanges": ["203.0.113.7/24"]}}},
        "ha-iris:iris.service.sourceRanges.0 is 203.0.113.7/24: the address has bits "
        "beyond its network; set it to 203.0.113.0/24",
    ),
    "network that is none": (
        {"iris": {"service": {"type": "LoadBalancer", "sourceRanges": ["office"]}}},
        "ha-iris:iris.service.sourceRanges.0 is office: this is no IPv4 network; write it as in",
    ),
    "password in clear": (
        {"iris": {"password": "correct-horse"}},
        "ha-iris:iris.password is in clear: anybody who reads the stack file reads it; run "
        "`pulumi config set --secret --path ha-iris:iris.password`",
    ),
    "licence key for Community Edition": (
        {"iris": {"licenseKey": "x"}},
        "ha-iris:iris.licenseKey: Community Edition takes no licence key",
    ),
    "registry login without a user": (
        {"iris": {"registryLogin": {"password": "x"}}},
        "ha-iris:iris.registryLogin.username is missing: User, for InterSystems' registry",
    ),
    "user that IRIS brings along": (
        {"iris": {"username": "SUPERUSER"}},
        "ha-iris:iris.username is SUPERUSER: IRIS brings this user along, and its own rules",
    ),
    "user name with a comma": (
        {"iris": {"username": "dba,Roles=%All"}},
        "ha-iris:iris.username is dba,Roles=%All: it must be text that matches",
    ),
    "file system that Longhorn does not make": (
        {"iris": {"fsType": "btrfs"}},
        "ha-iris:iris.fsType is btrfs: it must be one of 'ext4' or 'xfs'",
    ),
    "file system of somebody else's class": (
        {"iris": {"storageClass": "local-path", "fsType": "xfs"}},
        "ha-iris:iris.fsType is xfs: the file system is a matter of the StorageClass, and local-",
    ),
    "patience shorter than a probe": (
        {"iris": {"hungSeconds": 5}},
        "ha-iris:iris.hungSeconds is 5: it must be 30 or more (How long IRIS may report itself",
    ),
    "CPF parameter that the program owns": (
        {"iris": {"cpf": {"config": ["globals=0,0,100,0,0,0"]}}},
        "ha-iris:iris.cpf: [config] globals is set by the program; set iris.globalsMib instead",
    ),
    "commits that do not wait, by a line": (
        {"iris": {"cpf": {"Miscellaneous": ["synchcommit = 0"]}}},
        "[Miscellaneous] synchcommit is set by the program; set iris.synchCommit instead",
    ),
    "journal that gives up": (
        {"iris": {"cpf": {"Journal": ["FreezeOnError=0"]}}},
        "drop the line: it stays 1, or a stall of the storage loses data",
    ),
    "journal that gives up, by an action": (
        {"iris": {"cpf": {"Actions": ["ModifyJournal:FileSizeLimit=512,FreezeOnError=0"]}}},
        "[Actions] FreezeOnError is set by the program; drop the line: it stays 1",
    ),
    "CPF section in another case": (
        {"iris": {"cpf": {"actions": ["CreateRole:Name=clerk"]}}},
        "IRIS takes no notice of [actions]: names of sections have their case; write it as Actions",
    ),
    "CPF section that there is not": (
        {"iris": {"cpf": {"Jurnal": ["FileSizeLimit=512"]}}},
        "ha-iris:iris.cpf: [Jurnal] is no section of a CPF; use one of Actions, Archives,",
    ),
    "CPF section in the form of YAML keys": (
        {"iris": {"cpf": {"config": {"locksiz": "0"}}}},
        "ha-iris:iris.cpf.config is {'locksiz': '0'}: it must be a list (More lines for the CPF",
    ),
    "CPF section without a line": (
        {"iris": {"cpf": {"config": []}}},
        "ha-iris:iris.cpf.config is empty: it must be a list or group of at least 1",
    ),
    "CPF parameter that stands twice": (
        {"iris": {"cpf": {"config": ["locksiz=0", "Locksiz=65536"]}}},
        "ha-iris:iris.cpf: [config] Locksiz stands there twice; keep one of the lines",
    ),
    "CPF line that is no parameter": (
        {"iris": {"cpf": {"config": ["locksiz"]}}},
        "ha-iris:iris.cpf.config.0 is locksiz: it must be text that matches",
    ),
    "action without its colon": (
        {"iris": {"cpf": {"Actions": ["CreateRole=Name=clerk"]}}},
        "CreateRole=Name=clerk is no action; write it as in CreateRole:Name=clerk,Resources=%DB",
    ),
    "CPF line with a line break": (
        {"iris": {"cpf": {"config": ["locksiz=0\n[Actions]"]}}},
        "ha-iris:iris.cpf.config.0 is locksiz=0",
    ),
    "huge pages": (
        {"iris": {"cpf": {"config": ["memlock=64"]}}},
        "ha-iris:iris.cpf: [config] memlock is set by the program; drop the line: it stays 32",
    ),
    "huge pages by an action": (
        {"iris": {"cpf": {"Actions": ["ModifyConfig:MemLock=1"]}}},
        "ha-iris:iris.cpf: [Actions] MemLock is set by the program; drop the line: it stays 32",
    ),
    "more copies than nodes": (
        {"cluster": {"nodes": 2, "zones": 1}},
        "ha-iris:longhorn: replicas is 3 and the cluster has 2 node(s), each of which holds one",
    ),
    "no copy at all": (
        {"longhorn": {"replicas": 0}},
        "ha-iris:longhorn.replicas is 0: it must be 1 or more (Copies of the database volume",
    ),
    "chart of another minor": (
        {"longhorn": {"version": "1.13.0"}},
        "ha-iris:longhorn.version is 1.13.0: it must be text that matches ^1\\.12\\.\\d+$",
    ),
    "repository that is no address": (
        {"longhorn": {"repository": "charts.longhorn.io"}},
        "ha-iris:longhorn.repository is charts.longhorn.io: it must be text that matches",
    ),
    "data path without its slash": (
        {"longhorn": {"dataPath": "/data"}},
        "ha-iris:longhorn.dataPath is /data: it must be text that matches",
    ),
    "over-provisioning below all": (
        {"longhorn": {"overProvisioningPercentage": 50}},
        "ha-iris:longhorn.overProvisioningPercentage is 50: it must be 100 or more",
    ),
    "Longhorn's interface for everybody": (
        {"longhorn": {"ui": {"loadBalancerSourceRanges": ["0.0.0.0/0"]}}},
        "Longhorn's interface has no login and can delete every volume",
    ),
    "two storages": (
        {"longhorn": {"replicas": 2}, "iris": {"storageClass": "local-path"}},
        "storageClass local-path replaces Longhorn, and Longhorn is configured too; drop",
    ),
    "protectData that is a word": (
        {"protectData": "yes please"},
        "ha-iris:protectData is yes please: it must be true or false, without quotes",
    ),
    "kubeconfig that is missing": (
        {"cluster": {"kubeconfig": "nowhere/kubeconfig"}},
        "ha-iris:cluster.kubeconfig is nowhere/kubeconfig: there is no such file; run `make up`",
    ),
    "kubeconfig that is something else": (
        {"cluster": {"kubeconfig": "Pulumi.yaml"}},
        "ha-iris:cluster.kubeconfig is Pulumi.yaml: the file is not a kubeconfig",
    ),
    "context that is missing": (
        {"cluster": {"context": "elsewhere"}},
        "ha-iris:cluster.context is elsewhere: the kubeconfig has no context 'elsewhere'; "
        "set one of: here, there",
    ),
    "more zones than nodes": (
        {"cluster": {"nodes": 3, "zones": 4}},
        "ha-iris:cluster.zones is 4: 3 nodes cannot fill 4 zones; set it to 3 or less",
    ),
}


@pytest.mark.parametrize("fault", BAD_STACK_FILES)
def test_a_fault_names_key_value_reason_and_cure(refusal, fault):
    groups, expected = BAD_STACK_FILES[fault]

    message = refusal(**groups)

    assert message.startswith("ha-iris: Pulumi.test.yaml is not a stack this program can build:\n")
    assert expected in message
    assert "Traceback" not in message
    assert "pydantic" not in message


def test_all_faults_are_reported_at_once(refusal):
    message = refusal(
        irsi={},
        cluster={"zones": 9},
        longhorn={"replicas": 0, "ui": {"loadBalancerSourceRanges": ["0.0.0.0/0"]}},
        iris={"storageGb": 1, "memoryGib": 1, "password": "correct-horse", "timeZone": "X"},
    )

    assert len(re.findall(r"^  ha-iris:", message, re.MULTILINE)) == 8


def test_a_refused_secret_is_not_shown(refusal):
    message = refusal(secret_keys=("iris",), iris={"password": "short"})

    assert "ha-iris:iris.password: it must be at least 8 characters long" in message
    assert "short" not in message


def test_the_empty_stack_file_is_a_protected_stack_on_the_lab(deploy, kubeconfig, monkeypatch):
    lab = Path(kubeconfig).parent / ".lab"
    lab.mkdir()
    Path(kubeconfig).rename(lab / "kubeconfig")
    monkeypatch.chdir(lab.parent)
    seen = []

    def program():
        from stacks.existing import ExistingStackSettings

        seen.append(StackFile.of_this_stack().settings(ExistingStackSettings))

    deploy(program)

    assert seen[0].protect_data is True
    assert seen[0].cluster.kubeconfig == ".lab/kubeconfig"
