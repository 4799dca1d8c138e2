"""IRIS on EKS: who reaches the cluster, and what the cluster reaches."""

import json
from functools import partial
from ipaddress import IPv4Network
from itertools import combinations

import pulumi
import pytest

from components.aws.network import subnet_ranges
from tests.unit.conftest import OFFICE
from tests.unit.destroy_order import gone_before
from tests.unit.test_eks import BUCKET, CLUSTER, GROUP, TEMPLATE

ENTRY = "aws:eks/accessEntry:AccessEntry"
POLICY = "aws:eks/accessPolicyAssociation:AccessPolicyAssociation"
NAT = "aws:ec2/natGateway:NatGateway"
SUBNET = "aws:ec2/subnet:Subnet"
TABLE = "aws:ec2/routeTable:RouteTable"
ROLE = "aws:iam/role:Role"
RULE = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
LOGIN = "arn:aws:iam::123456789012:role/login"
CI = "arn:aws:iam::123456789012:role/ci"
DBA = "arn:aws:iam::123456789012:role/dba"
EXISTING = {"vpcId": "vpc-0123", "privateSubnetIds": ["subnet-0a", "subnet-0b", "subnet-0c"]}


@pytest.fixture
def eks_outputs(composed):
    """The engine and the outputs of the committed stack file, changed."""
    return partial(composed, "eks")


def login(kubeconfig: str) -> list[str]:
    """Arguments of the command that a kubeconfig logs in with."""
    (user,) = json.loads(kubeconfig)["users"]
    assert user["user"]["exec"]["command"] == "aws"
    assert user["user"]["exec"]["apiVersion"] == "client.authentication.k8s.io/v1"
    assert user["user"]["exec"]["interactiveMode"] == "Never"
    return user["user"]["exec"]["args"]


def test_only_the_named_networks_reach_the_public_endpoint_and_nodes_reach_the_private_one(eks):
    engine = eks()

    access = engine.one(CLUSTER).inputs["vpcConfig"]
    assert access["publicAccessCidrs"] == [OFFICE]
    assert access["endpointPublicAccess"] is True
    assert access["endpointPrivateAccess"] is True
    assert engine.of_type(RULE) == []


def test_a_private_endpoint_has_no_public_address_and_opens_to_joined_networks_alone(eks):
    engine = eks(cluster={"apiEndpoint": "private", "apiAccessCidrs": ["10.8.0.0/16"]})

    access = engine.one(CLUSTER).inputs["vpcConfig"]
    assert access["endpointPublicAccess"] is False
    assert access["endpointPrivateAccess"] is True
    assert "publicAccessCidrs" not in access
    rule = engine.one(RULE).inputs
    assert (rule["cidrIpv4"], rule["fromPort"], rule["toPort"]) == ("10.8.0.0/16", 443, 443)
    assert rule["securityGroupId"] == "sg-0123456789"
    assert engine.one(RULE).name in engine.named("cluster-provider").depends_on


def test_the_deployer_administers_the_cluster_as_a_role_and_not_as_a_session(eks):
    engine = eks()

    entry, policy = engine.one(ENTRY), engine.one(POLICY)
    assert entry.inputs["principalArn"] == "arn:aws:iam::123456789012:role/deployer"
    assert entry.inputs["type"] == "STANDARD"
    assert policy.inputs["policyArn"] == (
        "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"
    )
    assert policy.inputs["accessScope"] == {"type": "cluster"}
    (asked,) = [args for token, args in engine.calls if token.endswith("getSessionContext")]
    assert asked["arn"] == "arn:aws:sts::123456789012:assumed-role/deployer/session"
    assert {entry.name, policy.name} <= set(engine.named("cluster-provider").depends_on)


def test_whoever_deploys_next_does_not_take_the_first_ones_access_away(eks):
    assert eks().one(ENTRY).request.ignoreChanges == ["principalArn"]

    engine = eks(cluster={"deployer": DBA})
    assert engine.one(ENTRY).inputs["principalArn"] == DBA
    assert list(engine.one(ENTRY).request.ignoreChanges) == []
    assert not [token for token, _ in engine.calls if token.endswith("getCallerIdentity")]


def test_an_administrator_who_leaves_changes_nothing_for_the_others(eks):
    others = "arn:aws:iam::123456789012:role/sre"
    both = eks(cluster={"deployer": CI, "admins": [DBA, others]}).of_type(ENTRY)
    left = eks(cluster={"deployer": CI, "admins": [others]}).of_type(ENTRY)
    both, left = [{e.name: e.inputs for e in entries} for entries in (both, left)]

    assert len(both) == 3
    assert left.items() < both.items()


def test_whoever_destroys_the_stack_stays_an_administrator_until_all_in_it_is_gone(eks):
    engine = eks(cluster={"deployer": CI, "admins": [DBA], "loginRole": LOGIN})

    admitted = {entry.inputs["principalArn"]: entry for entry in engine.of_type(ENTRY)}
    assert admitted.keys() == {CI, DBA, LOGIN}
    for entry in (*admitted.values(), *engine.of_type(POLICY)):
        assert {"iris-data", "longhorn-release"} <= gone_before(engine, entry.name)


def test_the_role_that_logs_in_is_admitted_and_nobody_twice(eks):
    # The program acts as this role itself, or as one that need not be known to the cluster.
    alone = eks(cluster={"loginRole": LOGIN})
    assert alone.one(ENTRY).inputs["principalArn"] == LOGIN
    assert list(alone.one(ENTRY).request.ignoreChanges) == []

    both = eks(cluster={"loginRole": LOGIN, "deployer": LOGIN, "admins": [DBA]})
    admitted = [entry.inputs["principalArn"] for entry in both.of_type(ENTRY)]
    assert sorted(admitted) == [DBA, LOGIN]


def test_eks_gives_its_nodes_their_access_itself(eks):
    assert {entry.inputs["type"] for entry in eks().of_type(ENTRY)} == {"STANDARD"}


def test_the_kubeconfig_holds_no_credential_and_no_profile_of_one_machine(eks_outputs, resolve):
    engine, outputs = eks_outputs(
        **{"aws:profile": "work", "cluster": {"name": "iris-prod", "loginRole": DBA}}
    )

    arguments = ["eks", "get-token", "--cluster-name", "iris-prod", "--region", "eu-west-1"]
    arguments += ["--output", "json", "--role-arn", DBA]
    assert login(resolve(outputs["kubeconfig"])) == arguments
    provider = engine.named("cluster-provider").inputs
    assert login(provider["kubeconfig"]) == [*arguments, "--profile", "work"]
    assert resolve(pulumi.Output.from_input(outputs["kubeconfig"].is_secret())) is True


def test_a_change_of_the_cluster_never_replaces_what_is_in_it(eks):
    # Known at preview: an unknown identifier makes the provider replace every object in doubt.
    provider = eks(preview=True).named("cluster-provider")

    assert provider.inputs["clusterIdentifier"] == "ha-iris-eks"
    assert provider.inputs["enablePatchForce"] == "true"
    assert provider.inputs["enableSecretMutable"] == "true"


def test_the_port_forward_command_gets_its_kubeconfig_first(eks_outputs):
    _, outputs = eks_outputs()

    assert outputs["portForwardCommand"] == (
        "(umask 077 && pulumi stack output --stack eks --show-secrets kubeconfig "
        "> ha-iris-eks.kubeconfig) && kubectl --kubeconfig ha-iris-eks.kubeconfig "
        "--namespace iris port-forward service/iris 52773 1972"
    )


def test_nodes_have_no_public_address_and_a_way_out_in_each_zone(eks):
    engine = eks()

    assert all(s.inputs["mapPublicIpOnLaunch"] is False for s in engine.of_type(SUBNET))
    assert {nat.inputs["subnetId"] for nat in engine.of_type(NAT)} == {
        f"network-public-{number}-id" for number in (1, 2, 3)
    }
    for number in (1, 2, 3):
        (route,) = engine.one(TABLE, f"network-private-{number}").inputs["routes"]
        assert route["natGatewayId"] == f"network-nat-{number}-id"
        zone = f"eu-west-1{'abc'[number - 1]}"
        for kind in ("private", "public"):
            subnet = engine.one(SUBNET, f"network-{kind}-{number}")
            assert subnet.inputs["availabilityZone"] == zone


def test_load_balancers_find_the_subnets_of_their_kind(eks):
    tags = {s.name: s.inputs["tags"] for s in eks().of_type(SUBNET)}

    for number in (1, 2, 3):
        assert tags[f"network-public-{number}"]["kubernetes.io/role/elb"] == "1"
        assert tags[f"network-private-{number}"]["kubernetes.io/role/internal-elb"] == "1"


def test_one_gateway_serves_all_zones_where_that_is_asked_for(eks):
    for nat in ("single", "regional"):
        engine = eks(network={"nat": nat})
        gateway = engine.one(NAT)
        routes = [engine.one(TABLE, f"network-private-{n}").inputs["routes"] for n in (1, 2, 3)]
        assert [route["natGatewayId"] for (route,) in routes] == [f"{gateway.name}-id"] * 3
        if nat == "regional":
            assert gateway.inputs["availabilityMode"] == "regional"
            assert not {"subnetId", "allocationId"} & gateway.inputs.keys()
            assert engine.of_type("aws:ec2/eip:Eip") == []


def test_backups_and_image_layers_do_not_pay_for_nat(eks):
    endpoint = eks().one("aws:ec2/vpcEndpoint:VpcEndpoint").inputs

    assert endpoint["vpcEndpointType"] == "Gateway"
    assert endpoint["serviceName"] == "com.amazonaws.eu-west-1.s3"
    assert endpoint["routeTableIds"] == [f"network-private-{n}-id" for n in (1, 2, 3)]


def test_nodes_find_the_private_endpoint_by_name_and_the_default_group_opens_nothing(eks):
    engine = eks()

    vpc = engine.one("aws:ec2/vpc:Vpc").inputs
    assert vpc["enableDnsHostnames"] is True
    assert vpc["enableDnsSupport"] is True
    closed = engine.one("aws:ec2/defaultSecurityGroup:DefaultSecurityGroup").inputs
    assert closed["ingress"] == closed["egress"] == []


@pytest.mark.parametrize("vpc", ["10.20.0.0/16", "192.168.16.0/20"])
def test_subnets_fit_into_the_vpc_beside_each_other(vpc):
    public, private = subnet_ranges(IPv4Network(vpc))

    assert len(public) == len(private) == 3
    assert all(net.subnet_of(IPv4Network(vpc)) for net in public + private)
    assert not [pair for pair in combinations(public + private, 2) if pair[0].overlaps(pair[1])]
    # AWS's smallest subnet.
    assert all(net.prefixlen <= 28 for net in public)


def test_a_zone_that_aws_lists_otherwise_tomorrow_moves_no_subnet(eks):
    engine = eks(network={"zones": []})

    (asked,) = [args for token, args in engine.calls if token.endswith("getAvailabilityZones")]
    # Not only those that work at the moment: the loss of a zone must not change the answer.
    assert "state" not in asked
    assert asked["excludeZoneIds"] == ["use1-az3", "usw1-az2", "cac1-az3"]
    for subnet in engine.of_type(SUBNET):
        assert subnet.inputs["availabilityZone"] in ("eu-west-1a", "eu-west-1b", "eu-west-1c")
        assert list(subnet.request.ignoreChanges) == ["availabilityZone"]
    assert all(list(s.request.ignoreChanges) == [] for s in eks().of_type(SUBNET))


def test_a_network_of_ones_own_is_used_and_not_touched(eks, stack_config):
    engine = eks(network={"existing": EXISTING, "zones": []})

    assert not [r for r in engine.resources if r.type.startswith("aws:ec2/") and r.type != TEMPLATE]
    assert engine.one(CLUSTER).inputs["vpcConfig"]["subnetIds"] == EXISTING["privateSubnetIds"]
    assert [g.inputs["subnetIds"] for g in engine.of_type(GROUP)] == [
        ["subnet-0a"],
        ["subnet-0b"],
        ["subnet-0c"],
    ]


@pytest.mark.parametrize("service", ["eks", "ec2", "pods.eks"])
def test_every_role_bears_the_sites_path_and_boundary(eks, service):
    boundary = "arn:aws:iam::123456789012:policy/limit"
    engine = eks(cluster={"iam": {"path": "/team/", "permissionsBoundary": boundary}})

    roles = [
        role.inputs
        for role in engine.of_type(ROLE)
        if f'"{service}.amazonaws.com"' in role.inputs["assumeRolePolicy"]
    ]
    assert [(role["path"], role["permissionsBoundary"]) for role in roles] == [("/team/", boundary)]


def test_nodes_may_do_what_nodeadm_needs_and_no_more(eks):
    attachments = eks().of_type("aws:iam/rolePolicyAttachment:RolePolicyAttachment")

    policies = {
        a.inputs["policyArn"].removeprefix("arn:aws:iam::aws:policy/")
        for a in attachments
        if a.name.startswith("cluster-nodes-")
    }
    assert policies == {
        "AmazonEKSWorkerNodePolicy",
        "AmazonEC2ContainerRegistryPullOnly",
        "AmazonEKS_CNI_Policy",
        "AmazonSSMManagedInstanceCore",
    }


def test_nodes_lose_the_network_plugins_rights_where_it_has_a_role_of_its_own(eks):
    engine = eks(cluster={"cniIdentity": "pod"})

    attached = {
        a.inputs["role"]: a.inputs["policyArn"]
        for a in engine.of_type("aws:iam/rolePolicyAttachment:RolePolicyAttachment")
        if a.inputs["policyArn"].endswith("AmazonEKS_CNI_Policy")
    }
    assert [*attached] == ["cluster-cni-role-autonamed"]
    (identity,) = engine.named("cluster-vpc-cni").inputs["podIdentityAssociations"]
    assert identity["serviceAccount"] == "aws-node"
    assert identity["roleArn"].endswith("cluster-cni-role-autonamed")
    assert "cluster-cni-role-AmazonEKS_CNI_Policy" in engine.named("cluster-vpc-cni").depends_on
    assert "podIdentityAssociations" not in eks().named("cluster-vpc-cni").inputs


def test_what_the_vpc_refuses_is_noted_where_that_is_asked_for(eks):
    engine = eks(network={"flowLogs": True})

    log = engine.one("aws:ec2/flowLog:FlowLog").inputs
    assert (log["trafficType"], log["vpcId"]) == ("REJECT", "network-vpc-id")
    group = engine.named("network-flow-logs-role").inputs
    assert '"vpc-flow-logs.amazonaws.com"' in group["assumeRolePolicy"]
    # Below the name that the deployer's policy speaks of.
    assert log["logDestination"].endswith("log-group:/aws/eks/ha-iris-eks/vpc")
    assert eks().of_type("aws:ec2/flowLog:FlowLog") == []


def test_tags_reach_everything_that_can_bear_them(eks):
    untaggable = {
        "aws:ec2/routeTableAssociation:RouteTableAssociation",
        "aws:eks/accessPolicyAssociation:AccessPolicyAssociation",
        "aws:iam/rolePolicy:RolePolicy",
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
    }
    engine = eks(tags={"team": "dba"})

    for resource in engine.resources:
        if resource.type.startswith("aws:") and resource.type not in untaggable:
            if resource.type.startswith("aws:s3/") and resource.type != BUCKET:
                continue
            assert resource.inputs["tags"]["team"] == "dba", resource.name
            assert resource.inputs["tags"]["application"] == "ha-iris", resource.name
    specifications = engine.one(TEMPLATE).inputs["tagSpecifications"]
    assert [s["resourceType"] for s in specifications] == [
        "instance",
        "volume",
        "network-interface",
    ]
    assert all(s["tags"]["team"] == "dba" for s in specifications)
