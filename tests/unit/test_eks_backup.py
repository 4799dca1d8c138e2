"""IRIS on EKS: where backups go, who may touch them, and how hard they are to lose."""

import json

import pytest

from components.aws.backup_store import access_policy, bucket_policy
from tests.unit.conftest import changed
from tests.unit.test_eks import BUCKET, KEY


def test_longhorn_writes_backups_without_a_key(eks):
    engine = eks()

    association = engine.one("aws:eks/podIdentityAssociation:PodIdentityAssociation")
    assert association.inputs["namespace"] == "longhorn-system"
    assert association.inputs["serviceAccount"] == "longhorn-service-account"
    role = "arn:aws:iam::123456789012:role/ha-iris/backup-role-autonamed"
    assert association.inputs["roleArn"] == role
    secret = engine.named("longhorn-backup-credentials").inputs["stringData"]
    assert secret == {"AWS_IAM_ROLE_ARN": role}
    (statement,) = json.loads(engine.named("backup-role").inputs["assumeRolePolicy"])["Statement"]
    assert statement["Action"] == ["sts:AssumeRole", "sts:TagSession"]
    assert statement["Principal"] == {"Service": "pods.eks.amazonaws.com"}
    release = engine.one("kubernetes:helm.sh/v3:Release")
    # A pod that is older than the association never gets the role.
    assert {"backup-identity", "backup-role-policy"} <= set(release.depends_on)
    assert release.inputs["values"]["defaultBackupStore"]["backupTarget"] == (
        "s3://backup-bucket-id@eu-west-1/"
    )


def test_longhorn_may_use_its_bucket_and_nothing_else():
    policy = json.loads(access_policy("arn:aws:s3:::b", KEY))

    allowed = {
        (action, statement["Resource"])
        for statement in policy["Statement"]
        for action in (
            [statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"]
        )
    }
    assert allowed == {
        ("s3:ListBucket", "arn:aws:s3:::b"),
        ("s3:GetObject", "arn:aws:s3:::b/*"),
        ("s3:PutObject", "arn:aws:s3:::b/*"),
        ("s3:DeleteObject", "arn:aws:s3:::b/*"),
        ("kms:Decrypt", KEY),
        ("kms:GenerateDataKey", KEY),
    }
    assert "kms" not in access_policy("arn:aws:s3:::b", None)


def test_the_bucket_is_private_encrypted_and_forgives_deletions(eks):
    engine = eks(backup={"recoverDays": 60, "kmsKey": KEY})

    shut = engine.named("backup-private").inputs
    assert [value for key, value in shut.items() if key != "bucket"] == [True] * 4
    (rule,) = engine.named("backup-encryption").inputs["rules"]
    assert rule["applyServerSideEncryptionByDefault"] == {
        "sseAlgorithm": "aws:kms",
        "kmsMasterKeyId": KEY,
    }
    assert engine.named("backup-versions").inputs["versioningConfiguration"] == {
        "status": "Enabled"
    }
    (rule,) = engine.named("backup-lifecycle").inputs["rules"]
    assert rule["noncurrentVersionExpiration"] == {"noncurrentDays": 60}
    # Longhorn alone knows which backup needs which block: nothing current ever expires.
    assert rule["expiration"] == {"expiredObjectDeleteMarker": True}
    assert "objectLockEnabled" not in engine.one(BUCKET).inputs
    (deny,) = json.loads(bucket_policy("arn:aws:s3:::b"))["Statement"]
    assert (deny["Effect"], deny["Principal"]) == ("Deny", "*")
    assert deny["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


@pytest.mark.parametrize(
    ("keep", "protect", "emptied"),
    [(True, False, False), (False, True, False), (False, False, True)],
)
def test_backups_outlive_the_stack_unless_both_guards_are_off(eks, keep, protect, emptied):
    engine = eks(protectData=protect, backup={"keepOnDestroy": keep})

    of_the_bucket = [r for r in engine.resources if r.type.startswith("aws:s3/")]
    assert len(of_the_bucket) == 6
    assert {r.request.retainOnDelete for r in of_the_bucket} == {keep or protect}
    assert {r.protect for r in of_the_bucket} == {protect}
    assert engine.one(BUCKET).inputs["forceDestroy"] is emptied


def test_a_bucket_that_an_earlier_stack_left_is_taken_up_again(eks):
    engine = eks(backup={"bucket": "left-behind"})

    assert not [r for r in engine.resources if r.type.startswith("aws:s3/")]
    values = engine.one("kubernetes:helm.sh/v3:Release").inputs["values"]
    assert values["defaultBackupStore"]["backupTarget"] == "s3://left-behind@eu-west-1/"
    assert "arn:aws:s3:::left-behind/*" in engine.named("backup-role-policy").inputs["policy"]


def test_a_bucket_of_another_region_is_reached_there(eks):
    engine = eks(backup={"bucket": "left-behind", "bucketRegion": "us-gov-west-1"})

    values = engine.one("kubernetes:helm.sh/v3:Release").inputs["values"]
    assert values["defaultBackupStore"]["backupTarget"] == "s3://left-behind@us-gov-west-1/"


def test_a_new_bucket_is_made_in_the_stacks_own_region(refused, stack_config):
    backup = json.dumps({"bucketRegion": "eu-west-2"})

    told = refused({**stack_config("eks"), "ha-iris:backup": backup}, stack="eks")

    assert "bucketRegion" in told
    assert "aws:region; name the bucket that exists in bucket, or drop bucketRegion" in told


def test_without_a_bucket_longhorn_gets_no_backup_target(eks):
    engine = eks(backup={"enabled": False})

    assert engine.of_type("ha-iris:storage:S3BackupStore") == []
    values = engine.one("kubernetes:helm.sh/v3:Release").inputs["values"]
    # Left out, the target of yesterday would stay.
    assert values["defaultBackupStore"] == {
        "backupTarget": "",
        "backupTargetCredentialSecret": "",
    }


def test_old_versions_are_erased_by_named_roles_alone_where_a_stack_file_says_so(eks):
    deployer = "arn:aws:iam::123456789012:role/deployer"
    engine = eks(backup={"versionsErasedBy": [deployer]})

    policy = json.loads(engine.named("backup-tls").inputs["policy"])
    (keep,) = [s for s in policy["Statement"] if s["Sid"] == "KeepVersions"]
    assert (keep["Effect"], keep["Principal"]) == ("Deny", "*")
    assert {"s3:DeleteObjectVersion", "s3:PutLifecycleConfiguration"} <= set(keep["Action"])
    # Whoever may change the policy may do anything.
    assert {"s3:PutBucketPolicy", "s3:DeleteBucketPolicy"} <= set(keep["Action"])
    assert keep["Condition"] == {"ArnNotEquals": {"aws:PrincipalArn": [deployer]}}
    # Longhorn deletes the current version, which leaves the old ones, and goes on doing so.
    assert "s3:DeleteObject" not in keep["Action"]


def test_longhorn_never_may_erase_an_old_version():
    assert "Version" not in access_policy("arn:aws:s3:::b", None).replace('"Version": "2012', "")


def test_who_erases_the_versions_of_a_bucket_that_exists_is_not_the_programs_to_say(
    refused, stack_config
):
    backup = {
        "bucket": "left-behind",
        "versionsErasedBy": ["arn:aws:iam::123456789012:role/deployer"],
    }

    told = refused({**stack_config("eks"), "ha-iris:backup": json.dumps(backup)}, stack="eks")

    assert "bucket is left-behind, of which nothing is changed, its policy neither" in told


def test_a_deployer_that_would_lock_itself_out_of_the_bucket_is_refused(refused, stack_config):
    other, deployer = (f"arn:aws:iam::123456789012:role/{name}" for name in ("other", "deployer"))
    config = changed(
        stack_config("eks"),
        {"cluster": {"deployer": deployer}, "backup": {"versionsErasedBy": [other]}},
    )

    told = refused(config, stack="eks")

    assert f"ha-iris:backup: versionsErasedBy lacks {deployer}" in told
