"""An S3 bucket that Longhorn writes its backups to, without a key that could be stolen."""

import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import pulumi
import pulumi_aws as aws
from pydantic import Field, ValidationInfo, field_validator

from components.aws.iam import ARN, AwsIamSettings, pod_identity
from components.backup.settings import BackupSettings
from components.longhorn.longhorn import NAMESPACE

SERVICE_ACCOUNT = "longhorn-service-account"
"""What all of Longhorn runs as, instance managers included (chart 1.12.1)."""

BUCKET_PREFIX = "ha-iris-backup-"
"""S3 adds 26 digits; so that one policy can speak of all these buckets."""


ERASING = (
    "s3:DeleteObjectVersion",
    "s3:PutLifecycleConfiguration",
    "s3:PutBucketVersioning",
    "s3:DeleteBucket",
    "s3:PutBucketPolicy",
    "s3:DeleteBucketPolicy",
)
"""What erases an old version, or brings somebody there who then may."""


class S3BackupStoreSettings(BackupSettings):
    """Where backups go, and how hard they are to lose."""

    enabled: bool = True
    """Give Longhorn a bucket for backups. Without one every copy is inside the cluster."""

    bucket: str | None = Field(default=None, pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")
    """Bucket that exists, such as one that an earlier stack left behind; None makes a new one."""

    bucket_region: str | None = Field(default=None, pattern=r"^[a-z]{2}(-[a-z]+)+-\d$")
    """Region of the bucket that exists; None: the stack's own."""

    kms_key: str | None = Field(default=None, pattern=ARN + r"kms:[a-z0-9-]+:\d{12}:key/.+$")
    """ARN of the KMS key of the bucket; None: S3's own keys. Backups are always encrypted."""

    recover_days: int = Field(default=30, ge=1, le=365)
    """Days for which objects that were deleted or overwritten can be brought back."""

    versions_erased_by: tuple[
        Annotated[str, Field(pattern=ARN + r"iam::\d{12}:role/.+$")], ...
    ] = ()
    """Roles that alone may erase an old version or change what keeps it, the deployer's among them.

    ARNs. Everybody else of the account is refused, administrators too; the root user can lift that.
    Empty: who administers the account can. Longhorn's role never can. Not for a bucket that exists.
    """

    keep_on_destroy: bool = True
    """Leave the bucket and its backups behind when the stack is destroyed."""

    @field_validator("bucket_region")
    @classmethod
    def _is_of_a_bucket_that_exists(cls, region: str | None, info: ValidationInfo) -> str | None:
        if region and "bucket" in info.data and not info.data["bucket"]:
            raise ValueError(
                "a bucket that is made here is made in the stack's own region, aws:region; name "
                "the bucket that exists in bucket, or drop bucketRegion"
            )
        return region

    @field_validator("versions_erased_by")
    @classmethod
    def _is_a_bucket_of_ours(cls, roles: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        if roles and info.data.get("bucket"):
            raise ValueError(
                f"bucket is {info.data['bucket']}, of which nothing is changed, its policy "
                "neither; drop versionsErasedBy, or say it in the policy of that bucket"
            )
        return roles


class S3BackupStore(pulumi.ComponentResource):
    """A private, versioned bucket and a role that can do nothing but use it.

    Longhorn's pods get the role from EKS Pod Identity. Longhorn asks for a Secret even then, and
    takes one that names the role and holds no key (longhorn-manager, ``engineapi/backups.go``).
    """

    url: pulumi.Output[str]
    bucket: pulumi.Output[str]
    credentials: Mapping[str, pulumi.Input[str]]
    ready: list[pulumi.Resource]

    def __init__(
        self,
        name: str,
        settings: S3BackupStoreSettings,
        *,
        cluster_name: pulumi.Input[str],
        region: str,
        iam: AwsIamSettings,
        tags: Mapping[str, str],
        protect_data: bool,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("ha-iris:storage:S3BackupStore", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)

        if settings.bucket:
            bucket = pulumi.Output.from_input(settings.bucket)
        else:
            bucket = self._bucket(name, settings, tags=tags, protect_data=protect_data)
        bucket_arn = pulumi.Output.concat(
            "arn:", aws.get_partition_output().partition, ":s3:::", bucket
        )
        identity = pod_identity(
            name,
            iam,
            description="Longhorn's backups",
            policy=bucket_arn.apply(lambda arn: access_policy(arn, settings.kms_key)),
            cluster_name=cluster_name,
            namespace=NAMESPACE,
            service_account=SERVICE_ACCOUNT,
            tags=tags,
            opts=child,
        )
        self.bucket = bucket
        self.url = pulumi.Output.concat("s3://", bucket, f"@{settings.bucket_region or region}/")
        self.credentials = {"AWS_IAM_ROLE_ARN": identity.role_arn}
        self.ready = [*identity.ready]
        self.register_outputs({"url": self.url})

    def _bucket(
        self,
        name: str,
        settings: S3BackupStoreSettings,
        *,
        tags: Mapping[str, str],
        protect_data: bool,
    ) -> pulumi.Output[str]:
        # All of it stays or goes together: a bucket that is kept keeps its guards.
        kept = pulumi.ResourceOptions(
            parent=self,
            protect=protect_data,
            retain_on_delete=protect_data or settings.keep_on_destroy,
        )
        bucket = aws.s3.Bucket(
            f"{name}-bucket",
            bucket_prefix=BUCKET_PREFIX,
            force_destroy=not settings.keep_on_destroy and not protect_data,
            tags=dict(tags),
            opts=kept,
        )
        no_public_access = aws.s3.BucketPublicAccessBlock(
            f"{name}-private",
            bucket=bucket.id,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
            opts=kept,
        )
        aws.s3.BucketServerSideEncryptionConfiguration(
            f"{name}-encryption",
            bucket=bucket.id,
            rules=[
                aws.s3.BucketServerSideEncryptionConfigurationRuleArgs(
                    apply_server_side_encryption_by_default=aws.s3.BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultArgs(
                        sse_algorithm="aws:kms" if settings.kms_key else "AES256",
                        kms_master_key_id=settings.kms_key,
                    ),
                    bucket_key_enabled=True if settings.kms_key else None,
                )
            ],
            opts=kept,
        )
        versioning = aws.s3.BucketVersioning(
            f"{name}-versions",
            bucket=bucket.id,
            versioning_configuration=aws.s3.BucketVersioningVersioningConfigurationArgs(
                status="Enabled"
            ),
            opts=kept,
        )
        aws.s3.BucketLifecycleConfiguration(
            f"{name}-lifecycle",
            bucket=bucket.id,
            # Nothing here touches what is current: Longhorn alone knows which backup needs which
            # block, and forbids any retention of the bucket's own.
            rules=[
                aws.s3.BucketLifecycleConfigurationRuleArgs(
                    id="forget-what-was-deleted",
                    status="Enabled",
                    filter=aws.s3.BucketLifecycleConfigurationRuleFilterArgs(prefix=""),
                    noncurrent_version_expiration=aws.s3.BucketLifecycleConfigurationRuleNoncurrentVersionExpirationArgs(
                        noncurrent_days=settings.recover_days
                    ),
                    expiration=aws.s3.BucketLifecycleConfigurationRuleExpirationArgs(
                        expired_object_delete_marker=True
                    ),
                    abort_incomplete_multipart_upload=aws.s3.BucketLifecycleConfigurationRuleAbortIncompleteMultipartUploadArgs(
                        days_after_initiation=7
                    ),
                )
            ],
            opts=pulumi.ResourceOptions.merge(
                kept, pulumi.ResourceOptions(depends_on=[versioning])
            ),
        )
        aws.s3.BucketPolicy(
            f"{name}-tls",
            bucket=bucket.id,
            policy=bucket.arn.apply(lambda arn: bucket_policy(arn, settings.versions_erased_by)),
            # S3 refuses two changes of one bucket's access at the same time.
            opts=pulumi.ResourceOptions.merge(
                kept, pulumi.ResourceOptions(depends_on=[no_public_access])
            ),
        )
        return bucket.id


def access_policy(bucket_arn: str, kms_key: str | None) -> str:
    """What Longhorn may do: exactly what it needs (Longhorn, "Setting a backup target", 1.12.1)."""
    statements = [
        {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": bucket_arn},
        {
            "Effect": "Allow",
            "Action": ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"],
            "Resource": f"{bucket_arn}/*",
        },
    ]
    if kms_key:
        statements.append(
            {
                "Effect": "Allow",
                "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
                "Resource": kms_key,
            }
        )
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def bucket_policy(bucket_arn: str, erased_by: Sequence[str] = ()) -> str:
    """A policy under which nobody reads or writes over a connection in clear.

    Args:
        bucket_arn: the bucket.
        erased_by: roles that alone may erase an old version or change what keeps it; empty: this
            policy says nothing of it. Versions that expire are S3's own doing and go on.
    """
    statements: list[Any] = [
        {
            "Sid": "RefuseWithoutTls",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": [bucket_arn, f"{bucket_arn}/*"],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
    ]
    if erased_by:
        statements.append(
            {
                "Sid": "KeepVersions",
                "Effect": "Deny",
                "Principal": "*",
                "Action": list(ERASING),
                "Resource": [bucket_arn, f"{bucket_arn}/*"],
                "Condition": {"ArnNotEquals": {"aws:PrincipalArn": list(erased_by)}},
            }
        )
    return json.dumps({"Version": "2012-10-17", "Statement": statements})
