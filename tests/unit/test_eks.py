"""IRIS on EKS: the cluster and its nodes, as the committed stack file asks for them."""

import base64
import json
from typing import Any

import pytest

from components.aws.user_data import DATA_PATH, multipart, node_prep_script
from tests.unit.conftest import Registered
from tests.unit.destroy_order import gone_before

CLUSTER = "aws:eks/cluster:Cluster"
GROUP = "aws:eks/nodeGroup:NodeGroup"
TEMPLATE = "aws:ec2/launchTemplate:LaunchTemplate"
ADD_ON = "aws:eks/addon:Addon"
BUCKET = "aws:s3/bucket:Bucket"
KEY = "arn:aws:kms:eu-west-1:123456789012:key/1a2b"
GROUPS = ["cluster-nodes-1", "cluster-nodes-2", "cluster-nodes-3"]


def disks(template: Registered) -> dict[str, dict[str, Any]]:
    """Disks of a launch template by device."""
    return {
        device["deviceName"]: device["ebs"] for device in template.inputs["blockDeviceMappings"]
    }


def test_the_committed_stack_builds_the_whole_path(eks):
    kinds = {resource.type for resource in eks().resources if not resource.request.custom}

    assert kinds == {
        "ha-iris:network:AwsNetwork",
        "ha-iris:cluster:EksCluster",
        "ha-iris:cluster:EksAdmins",
        "ha-iris:cluster:EksNodeGroups",
        "ha-iris:storage:S3BackupStore",
        "ha-iris:storage:Longhorn",
        "ha-iris:database:Iris",
        "ha-iris:database:Credentials",
        "ha-iris:database:NetworkPolicies",
        "ha-iris:backup:ConsistentSnapshots",
        "ha-iris:backup:Rehearsal",
    }


def test_a_preview_knows_all_resources_before_the_cloud_answers(eks):
    assert len(eks(preview=True).resources) == len(eks().resources)


def test_each_zone_has_a_node_group_of_its_own_and_never_more_nodes_than_asked_for(eks):
    groups = eks(cluster={"nodes": 6}).of_type(GROUP)

    assert [group.inputs["subnetIds"] for group in groups] == [
        ["network-private-1-id"],
        ["network-private-2-id"],
        ["network-private-3-id"],
    ]
    size = {"desiredSize": 2, "minSize": 2, "maxSize": 2}
    assert all(group.inputs["scalingConfig"] == size for group in groups)


def test_nodes_are_changed_one_zone_after_the_other(eks):
    groups = eks().of_type(GROUP)

    assert [group.name for group in groups] == GROUPS
    assert [[n for n in group.depends_on if n in GROUPS] for group in groups] == [
        [],
        ["cluster-nodes-1"],
        ["cluster-nodes-2"],
    ]
    assert all(group.inputs["updateConfig"]["maxUnavailable"] == 1 for group in groups)


def test_a_drain_that_longhorn_refuses_is_never_forced_and_no_node_is_repaired_away(eks):
    for group in eks().of_type(GROUP):
        assert not group.inputs.get("forceUpdateVersion")
        assert group.inputs["nodeRepairConfig"] == {"enabled": False}
        assert group.inputs["capacityType"] == "ON_DEMAND"


def test_another_node_type_rolls_through_the_groups_and_replaces_none(eks):
    def groups(node_type):
        engine = eks(cluster={"nodeType": node_type})
        assert engine.one(TEMPLATE).inputs["instanceType"] == node_type
        return [group.inputs for group in engine.of_type(GROUP)]

    assert groups("m7i.xlarge") == groups("r7i.2xlarge")
    assert "instanceTypes" not in groups("m7i.xlarge")[0]


def test_a_newer_control_plane_leaves_the_nodes_alone(eks):
    older, engine = eks(cluster={"kubernetesVersion": "1.35"}), eks()

    assert older.one(CLUSTER).inputs["version"] == "1.35"
    assert engine.one(CLUSTER).inputs["version"] == "1.36"
    nodes = [group.inputs for group in engine.of_type(GROUP)]
    assert nodes == [group.inputs for group in older.of_type(GROUP)]
    assert not {"version", "releaseVersion"} & nodes[0].keys()


def test_nodes_follow_their_release_and_the_template_after_the_control_plane(eks):
    engine = eks(cluster={"kubernetesVersion": "1.36", "nodeRelease": "1.36.1-20261012"})

    for group in engine.of_type(GROUP):
        assert group.inputs["launchTemplate"] == {"id": "cluster-nodes-template-id", "version": "1"}
        assert group.inputs["version"] == "1.36"
        assert group.inputs["releaseVersion"] == "1.36.1-20261012"
        assert "cluster-eks" in group.depends_on


@pytest.mark.parametrize(
    ("node_type", "image"),
    [
        ("m7i.xlarge", "AL2023_x86_64_STANDARD"),
        ("m7g.xlarge", "AL2023_ARM_64_STANDARD"),
    ],
)
def test_the_image_is_of_the_node_types_processor(eks, node_type, image):
    engine = eks(cluster={"nodeType": node_type})

    assert {group.inputs["amiType"] for group in engine.of_type(GROUP)} == {image}


def test_eks_keeps_choosing_the_image_and_the_security_group(eks):
    template = eks().one(TEMPLATE).inputs

    # With an image of its own EKS would stop merging its user data; with a security group of its
    # own the control plane could not reach Longhorn's webhooks; the others EKS refuses.
    for unset in (
        "imageId",
        "vpcSecurityGroupIds",
        "networkInterfaces",
        "iamInstanceProfile",
        "keyName",
        "hibernationOptions",
        "instanceMarketOptions",
    ):
        assert unset not in template


def test_longhorn_has_an_encrypted_disk_of_its_own(eks):
    template = eks(cluster={"dataDiskGib": 500, "diskKmsKey": KEY}).one(TEMPLATE)

    assert disks(template) == {
        "/dev/xvda": {
            "volumeType": "gp3",
            "volumeSize": 50,
            "encrypted": "true",
            "kmsKeyId": KEY,
            "deleteOnTermination": "true",
        },
        "/dev/xvdb": {
            "volumeType": "gp3",
            "volumeSize": 500,
            # What gp3 includes without a charge.
            "iops": 3000,
            "throughput": 125,
            "encrypted": "true",
            "kmsKeyId": KEY,
            "deleteOnTermination": "true",
        },
    }


def test_no_pod_reads_the_nodes_credentials(eks):
    assert eks().one(TEMPLATE).inputs["metadataOptions"] == {
        "httpEndpoint": "enabled",
        "httpTokens": "required",
        "httpPutResponseHopLimit": 1,
    }


def test_nodes_prepare_themselves_for_longhorn_before_they_join(eks):
    text = base64.b64decode(eks().one(TEMPLATE).inputs["userData"], validate=True).decode("ascii")

    assert text == multipart(node_prep_script())
    assert "mount_options=noatime,sync\n" in text
    assert text.startswith('Content-Type: multipart/mixed; boundary="==HA-IRIS-NODE-PREP=="')
    assert 'Content-Type: text/x-shellscript; charset="us-ascii"' in text


def test_writes_that_longhorn_acknowledges_are_on_the_disk_unless_that_is_given_up(eks):
    template = eks(cluster={"dataDiskSync": False}).one(TEMPLATE)
    text = base64.b64decode(template.inputs["userData"], validate=True).decode("ascii")

    assert text == multipart(node_prep_script(sync=False))
    assert "mount_options=noatime\n" in text
    assert text != multipart(node_prep_script())


def test_the_way_into_the_cluster_is_blocked_before_anything_can_fail():
    script = node_prep_script()

    blocked = script.index("AssertPathExists=$prepared")
    assert blocked < script.index("systemctl daemon-reload") < script.index("retry dnf")
    assert script.index('touch "$prepared"') > script.index('mountpoint -q "$data_path"\n')
    assert f"\ndata_path={DATA_PATH.rstrip('/')}\n" in script


@pytest.mark.parametrize(
    ("script", "said"),
    [
        pytest.param("echo hello\n", "without an interpreter", id="no-interpreter"),
        pytest.param("#!/bin/bash\necho \u00e9\n", "travels as ASCII", id="not-ascii"),
        pytest.param("#!/bin/bash\n--//\n", "would end the script", id="boundary-of-eks"),
        pytest.param("#!/bin/bash\n" + "#" * 13000, "that EC2 takes", id="too-long"),
    ],
)
def test_a_script_that_would_not_arrive_whole_is_refused(script, said):
    with pytest.raises(ValueError, match=said):
        multipart(script)


def test_the_network_plugin_is_there_before_nodes_and_deployments_come_after(eks):
    engine = eks()

    early = {"cluster-vpc-cni", "cluster-kube-proxy", "cluster-eks-pod-identity-agent"}
    assert early <= set(engine.named("cluster-nodes-1").depends_on)
    for late in ("cluster-coredns", "cluster-snapshot-controller"):
        assert set(GROUPS) <= set(engine.named(late).depends_on)


def test_a_version_that_longhorn_is_not_tested_on_is_warned_of(eks, caplog):
    eks(cluster={"kubernetesVersion": "1.37"})

    assert "Kubernetes 1.37 is newer than 1.36, the last that Longhorn" in caplog.text


def test_a_network_policy_has_an_effect(eks):
    values = json.loads(eks().named("cluster-vpc-cni").inputs["configurationValues"])

    assert values == {"enableNetworkPolicy": "true"}
    assert "configurationValues" not in eks().named("cluster-coredns").inputs


def test_add_ons_follow_the_kubernetes_version_unless_a_version_is_held(eks):
    engine = eks(cluster={"addonVersions": {"coredns": "v1.12.1-eksbuild.2"}})

    versions = {a.inputs["addonName"]: a.inputs["addonVersion"] for a in engine.of_type(ADD_ON)}
    assert versions == {
        "vpc-cni": "v1.0.0-eksbuild.1",
        "kube-proxy": "v1.0.0-eksbuild.1",
        "eks-pod-identity-agent": "v1.0.0-eksbuild.1",
        "coredns": "v1.12.1-eksbuild.2",
        "snapshot-controller": "v1.0.0-eksbuild.1",
    }
    asked = [args for token, args in engine.calls if token.endswith("getAddonVersion")]
    assert {args["kubernetesVersion"] for args in asked} == {"1.36"}


def test_no_default_of_the_provider_can_replace_the_cluster(eks):
    cluster = eks().one(CLUSTER)

    assert cluster.inputs["accessConfig"] == {
        "authenticationMode": "API",
        "bootstrapClusterCreatorAdminPermissions": False,
    }
    assert cluster.inputs["bootstrapSelfManagedAddons"] is False
    assert set(cluster.request.ignoreChanges) == {
        "accessConfig.bootstrapClusterCreatorAdminPermissions",
        "bootstrapSelfManagedAddons",
    }


def test_logs_have_a_retention_and_a_group_before_eks_makes_one_without(eks):
    engine = eks(cluster={"logRetentionDays": 30, "name": "iris-prod"})

    group = engine.one("aws:cloudwatch/logGroup:LogGroup")
    assert group.inputs["name"] == "/aws/eks/iris-prod/cluster"
    assert group.inputs["retentionInDays"] == 30
    assert "cluster-logs" in engine.one(CLUSTER).depends_on
    assert "audit" in engine.one(CLUSTER).inputs["enabledClusterLogTypes"]


def test_a_control_plane_that_shall_go_can_stop_writing_logs_first(eks):
    engine = eks(cluster={"logs": []}, protectData=False)

    assert engine.one(CLUSTER).inputs["enabledClusterLogTypes"] == []
    # Still the program's: what is written until the end has a retention.
    assert engine.one("aws:cloudwatch/logGroup:LogGroup").inputs["retentionInDays"] == 90


def test_logs_get_a_key_of_the_site_only_when_one_is_named(eks):
    group = "aws:cloudwatch/logGroup:LogGroup"

    assert "kmsKeyId" not in eks().one(group).inputs
    assert eks(cluster={"logsKmsKey": KEY}).one(group).inputs["kmsKeyId"] == KEY


def test_secrets_get_a_key_of_the_site_only_when_one_is_named(eks):
    assert "encryptionConfig" not in eks().one(CLUSTER).inputs
    assert eks(cluster={"secretsKmsKey": KEY}).one(CLUSTER).inputs["encryptionConfig"] == {
        "provider": {"keyArn": KEY},
        "resources": ["secrets"],
    }


@pytest.mark.parametrize("protect", [True, False])
def test_protection_covers_cluster_nodes_and_bucket_and_the_clouds_own_follows(eks, protect):
    engine = eks(protectData=protect)

    cluster, bucket = engine.one(CLUSTER), engine.one(BUCKET)
    assert {r.protect for r in [cluster, bucket, *engine.of_type(GROUP)]} == {protect}
    assert cluster.inputs["deletionProtection"] is protect


def test_kubernetes_objects_go_before_nodes_and_nodes_before_what_they_need(eks):
    engine = eks(
        iris={"service": {"type": "LoadBalancer", "sourceRanges": ["203.0.113.0/24"]}},
    )

    objects = {r.name for r in engine.resources if r.type.startswith("kubernetes:")}
    assert {"iris-service", "iris-data", "longhorn-release"} <= objects
    for needed in (
        *GROUPS,
        "cluster-coredns",
        "cluster-snapshot-controller",
        "cluster-admins-deployer",
    ):
        # The rest is neither a load balancer nor a volume: the cluster's end takes it along.
        left = objects - gone_before(engine, needed)
        assert left <= {"iris-priority-class"}, needed
    for needed in (
        "cluster-vpc-cni",
        "cluster-nodes-role-AmazonEKS_CNI_Policy",
        "cluster-eks",
        "network-nat-1",
        "network-private-1",
        "network-internet",
        "network-s3",
    ):
        assert {*GROUPS, "iris-service", "iris-data", "longhorn-release"} <= gone_before(
            engine, needed
        ), needed
    assert "cluster-eks" in gone_before(engine, "cluster-role-AmazonEKSClusterPolicy")
    assert "cluster-eks" in gone_before(engine, "cluster-logs")
    assert "longhorn-release" in gone_before(engine, "backup-identity")


def test_no_resource_gets_a_secret_in_clear(eks):
    engine = eks()

    for resource in engine.resources:
        for key, value in resource.inputs.items():
            if "generated-" in json.dumps(value):
                assert key in resource.secret_inputs, f"{resource.name}.{key}"
    assert "kubeconfig" in engine.named("cluster-provider").secret_inputs
