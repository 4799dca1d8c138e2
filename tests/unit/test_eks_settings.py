"""An EKS stack that Longhorn or AWS could not live with is refused before anything is made."""

import pytest

from components.aws.settings import EksClusterSettings
from stacks import compose
from tests.unit.answers import answer
from tests.unit.conftest import changed

ROLE = "arn:aws:iam::123456789012:role/dba"


@pytest.fixture
def refusal(refused, stack_config):
    """The message with which a change of the committed stack file is refused."""

    def run(drop: str = "", stack: str = "eks", **groups) -> str:
        config = changed(stack_config("eks"), groups)
        config.pop(drop, None)
        return refused(config, stack=stack)

    return run


@pytest.fixture
def answering(monkeypatch):
    """``answering("getClusters:", {...})``: AWS answers so to that one question."""
    answers = {}

    def answer_so(token, args):
        for part, reply in answers.items():
            if part in token:
                return reply
        return answer(token, args)

    monkeypatch.setattr("tests.unit.conftest.answer", answer_so)
    return answers.__setitem__


def fault(message: str, stack: str = "eks") -> str:
    """The only fault of a message."""
    heading, *faults = message.splitlines()
    assert heading == f"ha-iris: Pulumi.{stack}.yaml is not a stack this program can build:"
    assert len(faults) == 1, faults
    return faults[0].strip()


@pytest.mark.parametrize(
    ("key", "value", "stated", "reason", "cure"),
    [
        ("mode", "auto", "auto", "Bottlerocket", "set it to standard"),
        ("mode", "fargate", "fargate", "privileged pods", "set it to standard"),
        ("nodeImage", "BOTTLEROCKET_x86_64", "BOTTLEROCKET_x86_64", "iSCSI", "set it to AL2023"),
        ("capacityType", "spot", "spot", "takes Spot nodes away", "set it to on-demand"),
        ("nodes", 2, "2", "three copies", "set it to 3 or more"),
        ("nodes", 4, "4", "equally many", "set it to 3 or 6"),
        ("nodeType", "large", "large", "no EC2 instance type", "write it as in m7i.xlarge"),
        ("nodeType", "t3.medium", "t3.medium", "starves", "such as m7i.xlarge"),
        ("nodeType", "m4.xlarge", "m4.xlarge", "before Nitro", "choose a newer type"),
        ("systemDiskGib", 8, "8", "30 or more", "system, images and logs"),
        ("dataDiskGib", 20, "20", "50 or more", "Longhorn's copies"),
        ("dataDiskIops", 2000, "2000", "3000 or more", "Operations per second"),
        ("dataDiskMibps", 1001, "1001", "1000 or less", "Throughput"),
        ("kubernetesVersion", "1.31", "1.31", "not tested", "set it to 1.33 to 1.36"),
        ("kubernetesVersion", 1.35, "1.35", "text", 'as in "1.35"'),
        ("nodeRelease", "1.35.2-20261003", "1.35.2-20261003", "panics", "20261012 or newer"),
        (
            "nodeRelease",
            "1.37.1-20261012",
            "1.37.1-20261012",
            "newer than",
            "kubernetesVersion first",
        ),
        (
            "nodeRelease",
            "1.31.2-20261012",
            "1.31.2-20261012",
            "three minor",
            "raise nodeRelease first",
        ),
        ("apiEndpoint", "dns", "dns", "'public' or 'private'", "How the Kubernetes API"),
        ("apiAccessCidrs", [], "empty", "`pulumi up` included", "apiEndpoint to private"),
        ("apiAccessCidrs", ["0.0.0.0/0"], "['0.0.0.0/0']", "whole Internet", "name the networks"),
        ("admins", ["dba"], "['dba']", "no role or user", "write it as in"),
        ("deployer", "dba", "dba", "text that matches", "ARN of the role that runs"),
        ("logRetentionDays", 100, "100", "CloudWatch keeps", "set it to 90"),
    ],
)
def test_a_cluster_that_would_not_hold_is_refused(refusal, key, value, stated, reason, cure):
    message = fault(refusal(cluster={key: value}))

    assert message.startswith(f"ha-iris:cluster.{key} is {stated}:")
    assert reason in message
    assert cure in message


@pytest.mark.parametrize(
    ("groups", "said"),
    [
        pytest.param(
            {"cluster": {"admins": ["arn:aws:sts::123456789012:assumed-role/dba/me"]}},
            "is a session, and EKS knows roles; write the role, as in arn:aws:iam::123456789012",
            id="session-as-admin",
        ),
        pytest.param(
            {"cluster": {"deployer": ROLE, "admins": [ROLE]}},
            "deployer and loginRole are administrators already, and EKS refuses to name one twice; "
            "drop it",
            id="deployer-twice",
        ),
        pytest.param(
            {"cluster": {"loginRole": ROLE, "admins": [ROLE]}},
            "deployer and loginRole are administrators already, and EKS refuses to name one twice; "
            "drop it",
            id="role-that-logs-in-twice",
        ),
        pytest.param(
            {"cluster": {"admins": [ROLE]}},
            "whoever runs the first `pulumi up` is one; set deployer to the role that runs it, and "
            "drop that role here",
            id="admins-and-an-unknown-deployer",
        ),
        pytest.param(
            {"cluster": {"apiEndpoint": "private", "apiAccessCidrs": []}},
            "the cluster's security group admits its nodes only, and `pulumi up` would be refused "
            "in the VPC too; list the networks that it comes from, such as vpcRange",
            id="private-and-closed-to-all",
        ),
        pytest.param(
            {"cluster": {"dataDiskIops": 3000, "dataDiskMibps": 1000}},
            "ha-iris:cluster.dataDiskMibps is 1000: gp3 gives at most a quarter of dataDiskIops "
            "(3000); set it to 750 or less, or dataDiskIops to 4000 or more",
            id="throughput-without-operations",
        ),
        pytest.param(
            {"cluster": {"addonVersions": {"aws-ebs-csi-driver": "v1.2.3-eksbuild.1"}}},
            "aws-ebs-csi-driver is no add-on of this cluster; name one of vpc-cni,",
            id="unknown-add-on",
        ),
        pytest.param(
            {"cluster": {"addonVersions": {"coredns": "latest"}}},
            "latest is no add-on version; write it as in v1.20.4-eksbuild.2",
            id="add-on-that-moves",
        ),
        pytest.param(
            {"cluster": {"dataDiskGib": 100}, "iris": {"storageGib": 45}},
            "ha-iris:iris: storageGib is 45, and each node's copy may grow to 90 GiB (45 and as "
            "much for the snapshot that Longhorn cuts before a rebuild); of "
            "ha-iris:cluster.dataDiskGib 100 it may fill less than 90 (100 less 10 % without which "
            "Longhorn rebuilds nothing here); set dataDiskGib to 101 or more, or storageGib to 44",
            id="database-larger-than-its-disk",
        ),
        pytest.param(
            {"longhorn": {"dataPath": "/data/"}},
            "ha-iris:longhorn: dataPath is /data/, and the disk that EKS nodes keep for Longhorn "
            "is mounted at /var/lib/longhorn/; drop dataPath",
            id="copies-on-the-system-disk",
        ),
        pytest.param(
            {"aws:assumeRoles": [{"roleArn": ROLE}]},
            "ha-iris:cluster.loginRole is missing: aws:assumeRoles makes the program act as a role "
            "that the AWS CLI, which logs in to the cluster, knows nothing of",
            id="another-role-than-the-cli",
        ),
        pytest.param(
            {"network": {"zones": ["eu-west-1a", "eu-west-1b"]}},
            "Longhorn keeps a copy in each of three zones; name three different zones",
            id="two-zones",
        ),
        pytest.param(
            {"network": {"zones": ["eu-west-1a", "eu-west-1b", "eu-west-2c"]}},
            "eu-west-2c is no availability zone of aws:region eu-west-1; write it as in eu-west-1a",
            id="zone-of-another-region",
        ),
        pytest.param(
            {"network": {"vpcRange": "10.0.0.0/8"}},
            "ha-iris:network.vpcRange is 10.0.0.0/8: a VPC is at most a /16",
            id="vpc-too-large",
        ),
        pytest.param(
            {"network": {"vpcRange": "172.20.0.0/16"}},
            "ha-iris:network.servicesRange is 172.20.0.0/16: it overlaps vpcRange 172.20.0.0/16",
            id="services-inside-the-vpc",
        ),
        pytest.param(
            {"network": {"servicesRange": "198.41.0.0/16"}},
            "EKS takes a private range from /12 to /24; set it to one such as 172.20.0.0/16",
            id="services-on-the-internet",
        ),
        pytest.param(
            {"network": {"nat": "none"}},
            "ha-iris:network.nat is none: it must be one of 'per-zone', 'regional' or 'single'",
            id="no-way-out",
        ),
        pytest.param(
            {"network": {"existing": {"vpcId": "vpc-1", "privateSubnetIds": ["subnet-1"]}}},
            "name three private subnets, one in each zone",
            id="one-subnet",
        ),
        pytest.param(
            {"tags": {"Name": "x"}},
            "Name is not yours to set: AWS keeps aws: to itself, and Name is set by the program",
            id="tag-of-the-program",
        ),
        pytest.param(
            {"backup": {"recoverDays": 0}},
            "ha-iris:backup.recoverDays is 0: it must be 1 or more (Days for which objects",
            id="no-time-to-recover",
        ),
    ],
)
def test_settings_that_contradict_each_other_are_refused(refusal, groups, said):
    assert said in fault(refusal(**groups))


def test_a_network_that_exists_is_not_configured_as_well(refusal):
    ids = ["subnet-0a", "subnet-0b", "subnet-0c"]
    existing = {"vpcId": "vpc-0123", "privateSubnetIds": ids}

    message = fault(refusal(network={"existing": existing, "zones": [], "nat": "single"}))
    assert message.startswith("ha-iris:network.nat is single: the network exists and nothing of it")


@pytest.mark.parametrize(
    ("existing", "said"),
    [
        pytest.param(
            {"vpcId": "vpc-0123", "privateSubnetIds": ["subnet-0a", "subnet-0b", "subnet-1a"]},
            "subnet-1a and subnet-0a are both in eu-west-1a, and Longhorn keeps a copy in each of "
            "three zones; name a subnet in each",
            id="two-in-one-zone",
        ),
        pytest.param(
            {"vpcId": "vpc-9999", "privateSubnetIds": ["subnet-0a", "subnet-0b", "subnet-0c"]},
            "subnet-0a is in vpc-0123 and not in vpc-9999; name subnets of one VPC",
            id="another-vpc",
        ),
    ],
)
def test_subnets_of_ones_own_are_in_three_zones_of_one_vpc(refusal, existing, said):
    message = refusal(network={"existing": existing, "zones": []})

    assert message == f"ha-iris:network.existing.privateSubnetIds: {said}"


def test_a_region_with_two_zones_is_refused(refusal, monkeypatch):
    monkeypatch.setattr(
        "tests.unit.conftest.answer", lambda token, args: {"names": ["us-west-1a", "us-west-1c"]}
    )

    message = refusal(network={"zones": []}, **{"aws:region": "us-west-1"})
    assert message.startswith("ha-iris: aws:region is us-west-1: it offers this account 2 zone(s)")
    assert message.endswith("choose another region")


def test_a_zone_that_holds_no_control_plane_is_refused_although_it_was_named(refusal, monkeypatch):
    answered = {"names": ["us-east-1a", "us-east-1b", "us-east-1d"]}
    monkeypatch.setattr("tests.unit.conftest.answer", lambda token, args: answered)

    zones = ["us-east-1a", "us-east-1b", "us-east-1c"]
    message = refusal(network={"zones": zones}, **{"aws:region": "us-east-1"})
    assert (
        "us-east-1c is no zone that this account has and that EKS puts a control plane" in message
    )
    assert message.endswith("choose three of us-east-1a, us-east-1b, us-east-1d")


def test_a_node_type_that_a_zone_does_not_offer_is_refused(refusal, answering):
    answering("getInstanceTypeOfferings", {"locations": ["eu-west-1a", "eu-west-1b"]})

    assert refusal() == (
        "ha-iris:cluster.nodeType is m7i.xlarge: AWS does not offer it in eu-west-1c; choose "
        "another type, or zones among eu-west-1a, eu-west-1b"
    )


@pytest.mark.parametrize(
    ("running", "wanted", "said"),
    [
        ("1.37", "1.36", "EKS has upgraded it (it does so when standard support ends), or a"),
        ("1.34", "1.36", "EKS goes up one minor version at a time; set it to 1.35 first"),
    ],
)
def test_a_version_that_eks_does_not_go_to_is_refused(refusal, answering, running, wanted, said):
    answering("getClusters:", {"names": ["ha-iris-eks"]})
    answering("getCluster:", {"version": running})

    message = refusal(cluster={"kubernetesVersion": wanted})
    assert message.startswith(
        f"ha-iris:cluster.kubernetesVersion is {wanted}, and ha-iris-eks runs {running}: "
    )
    assert said in message


def test_the_next_version_and_the_same_one_are_taken(deploy, stack_config, answering):
    answering("getClusters:", {"names": ["somebody-elses", "ha-iris-eks"]})
    answering("getCluster:", {"version": "1.36"})

    for wanted in ("1.36", "1.37"):
        config = changed(stack_config("eks"), {"cluster": {"kubernetesVersion": wanted}})
        engine = deploy(compose, stack="eks", config=config)
        assert engine.one("aws:eks/cluster:Cluster").inputs["version"] == wanted


def test_a_stack_without_a_region_says_how_to_give_it_one(refusal):
    assert "run `pulumi config set aws:region eu-west-1`" in fault(refusal(drop="aws:region"))


def test_a_stack_whose_name_is_no_cluster_name_asks_for_one(refusal):
    message = fault(refusal(stack="eks.blue"), stack="eks.blue")

    assert message.startswith("ha-iris:cluster.name is missing: ha-iris-eks.blue")


def test_the_api_is_open_to_nobody_until_somebody_says_to_whom(refusal):
    message = refusal(drop="ha-iris:cluster")

    assert fault(message).startswith("ha-iris:cluster is missing: The EKS cluster.")


@pytest.mark.parametrize(
    ("node_type", "architecture"),
    [
        ("m7i.xlarge", "amd64"),
        ("m7i-flex.xlarge", "amd64"),
        ("g5.xlarge", "amd64"),
        ("g5g.xlarge", "arm64"),
        ("i3en.xlarge", "amd64"),
        ("im4gn.xlarge", "arm64"),
        ("x2gd.xlarge", "arm64"),
        ("c7gn.xlarge", "arm64"),
        ("a1.xlarge", "arm64"),
        ("t4g.xlarge", "arm64"),
        ("r8gb.metal-24xl", "arm64"),
        ("u7i-6tb.112xlarge", "amd64"),
        ("hpc7g.4xlarge", "arm64"),
    ],
)
def test_the_processor_follows_from_the_node_type(node_type, architecture):
    settings = EksClusterSettings.model_validate(
        {"nodeType": node_type, "apiAccessCidrs": ["10.0.0.0/8"]}
    )

    assert settings.node_architecture() == architecture
