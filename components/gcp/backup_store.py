"""A Cloud Storage bucket that Longhorn writes its backups to."""

from collections.abc import Mapping

import pulumi
from pulumi_gcp import serviceaccount, storage
from pydantic import Field

from components.backup.settings import BackupSettings
from components.gcp.names import account_id

ENDPOINT = "https://storage.googleapis.com"
DAY = 86400


class GcsBackupStoreSettings(BackupSettings):
    """Where backups go, and how hard they are to lose."""

    enabled: bool = True
    """Give Longhorn a bucket for backups. Without one every copy is inside the cluster."""

    bucket: str | None = Field(default=None, pattern=r"^[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]$")
    """Bucket that exists, such as one that an earlier stack left behind; None makes a new one."""

    location: str | None = Field(
        default=None, pattern=r"^([A-Za-z]+-[A-Za-z]+\d+|[A-Za-z]+\d|EU|US|ASIA|eu|us|asia)$"
    )
    """Region, dual-region or multi-region (EU, US, ASIA) of a new bucket; None: the cluster's.

    A bucket in the cluster's own region is lost with it if the whole region is.
    """

    kms_key: str | None = Field(
        default=None, pattern=r"^projects/[^/]+/locations/[^/]+/keyRings/[^/]+/cryptoKeys/[^/]+$"
    )
    """Cloud KMS key of a new bucket; None: Google's own keys. The bucket is always encrypted.

    The project's Cloud Storage service agent needs roles/cloudkms.cryptoKeyEncrypterDecrypter.
    """

    recover_days: int = Field(default=30, ge=7, le=90)
    """Days for which objects that were deleted or overwritten can be brought back.

    Nobody can erase them sooner, not even with Longhorn's key. Not used with bucket.
    """

    key_generation: int = Field(default=1, ge=1)
    """Raise it by one to give Longhorn a new access key; the old one goes once that is in use."""

    keep_on_destroy: bool = True
    """Leave the bucket and its backups behind when the stack is destroyed."""


class GcsBackupStore(pulumi.ComponentResource):
    """A private bucket that forgets nothing at once, and an account that can do nothing but use it.

    What Longhorn, or whoever has its key, deletes or overwrites is soft-deleted: it can be brought
    back until its days are over, and not erased before. Neither versions nor a retention policy
    would do, as the key may delete versions, and Longhorn must delete and overwrite.

    Longhorn speaks S3 to Cloud Storage, which takes no other login than an HMAC key (Longhorn
    1.12.1, "Setting a backup target"); the key belongs to an account that has one role on one
    bucket, and is secret wherever it stands.
    """

    url: pulumi.Output[str]
    bucket: pulumi.Output[str]
    credentials: Mapping[str, pulumi.Input[str]]
    ready: list[pulumi.Resource]

    def __init__(
        self,
        name: str,
        settings: GcsBackupStoreSettings,
        *,
        cluster_name: str,
        project: str,
        region: str,
        labels: Mapping[str, str],
        protect_data: bool,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("ha-iris:storage:GcsBackupStore", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)

        if settings.bucket:
            bucket = pulumi.Output.from_input(settings.bucket)
        else:
            bucket = storage.Bucket(
                f"{name}-bucket",
                project=project,
                # The API answers in capitals; anything else is a difference at every refresh.
                location=(settings.location or region).upper(),
                storage_class="STANDARD",
                uniform_bucket_level_access=True,
                public_access_prevention="enforced",
                force_destroy=not settings.keep_on_destroy and not protect_data,
                soft_delete_policy=storage.BucketSoftDeletePolicyArgs(
                    retention_duration_seconds=settings.recover_days * DAY
                ),
                lifecycle_rules=[
                    storage.BucketLifecycleRuleArgs(
                        action=storage.BucketLifecycleRuleActionArgs(
                            type="AbortIncompleteMultipartUpload"
                        ),
                        condition=storage.BucketLifecycleRuleConditionArgs(age=7),
                    ),
                ],
                encryption=storage.BucketEncryptionArgs(default_kms_key_name=settings.kms_key)
                if settings.kms_key
                else None,
                labels=dict(labels),
                opts=pulumi.ResourceOptions.merge(
                    child,
                    pulumi.ResourceOptions(
                        protect=protect_data,
                        retain_on_delete=protect_data or settings.keep_on_destroy,
                    ),
                ),
            ).name

        account = serviceaccount.Account(
            f"{name}-account",
            project=project,
            account_id=account_id(cluster_name, "backup"),
            display_name=f"Longhorn backups of {cluster_name}",
            opts=child,
        )
        grant = storage.BucketIAMMember(
            f"{name}-grant",
            bucket=bucket,
            role="roles/storage.objectAdmin",
            member=account.member,
            opts=child,
        )
        key = storage.HmacKey(
            f"{name}-key-{settings.key_generation}",
            project=project,
            service_account_email=account.email,
            opts=child,
        )
        # The driver wants a region in the URL; Cloud Storage ignores it.
        self.bucket = bucket
        self.url = pulumi.Output.concat("s3://", bucket, "@us/")
        self.credentials = {
            "AWS_ACCESS_KEY_ID": key.access_id,
            "AWS_SECRET_ACCESS_KEY": key.secret,
            "AWS_ENDPOINTS": ENDPOINT,
        }
        self.ready = [grant]
        self.register_outputs({"url": self.url})
