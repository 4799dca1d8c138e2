"""A store for backups that somebody else keeps: an NFS export, or anything that speaks S3."""

from collections.abc import Mapping

import pulumi
from pydantic import Field, SecretStr, ValidationInfo, field_validator

from components.backup.settings import BackupSettings
from components.settings import Settings

FOLDERS = r"^(/[\w.-]+)+/?$"
"""A path without what Longhorn refuses in a backup target, a dollar sign or a comma."""


class NfsStoreSettings(Settings):
    """An NFS export of version 4 that every node can mount."""

    server: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9.-]*$")
    """Name or IPv4 address of the server."""

    path: str = Field(pattern=FOLDERS)
    """Folder that the server exports, as in /exports/longhorn."""

    options: tuple[str, ...] = ()
    """Mount options, as in nconnect=4. Longhorn adds soft, timeo and retry to them, so that a
    server that is gone blocks nothing."""

    @field_validator("options")
    @classmethod
    def _never_wait_for_ever(cls, options: tuple[str, ...]) -> tuple[str, ...]:
        for option in options:
            if option == "hard" or not option or any(sign in option for sign in ",&?# "):
                raise ValueError(
                    f"{option or 'an empty one'} is no option here: one option for each line, and "
                    "never hard, with which a lost server blocks Longhorn for ever; drop it"
                )
        return options

    def url(self) -> str:
        """Longhorn's backup target."""
        options = f"?nfsOptions={','.join(self.options)}" if self.options else ""
        return f"nfs://{self.server}:{self.path}{options}"


class S3CompatibleStoreSettings(Settings):
    """A bucket of AWS, or of anything that speaks its language (MinIO, Ceph, a NAS)."""

    bucket: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")
    """Bucket that exists. It must be nobody else's: Longhorn removes what it takes for its own."""

    region: str = Field(default="us-east-1", pattern=r"^[a-z0-9-]{1,63}$")
    """Region of the bucket; stores that know none take the default."""

    folder: str = Field(default="/", pattern=r"^/([\w.-]+/)*$")
    """Folder in the bucket; starts and ends with a slash."""

    access_key_id: str = Field(pattern=r"^\S+$")
    """Name of the access key."""

    secret_access_key: SecretStr
    """The key itself."""

    endpoint: str | None = Field(
        default=None, pattern=r"^https?://[A-Za-z0-9][A-Za-z0-9.-]*(:\d{1,5})?$"
    )
    """Where it is, as in https://minio.example.com:9000, without a path; None: AWS itself."""

    clear_text: bool = Field(default=False, validate_default=True)
    """Let backups and the login travel in clear, for an endpoint that begins with http:."""

    ca: str | None = None
    """Certificate of the authority that signed the endpoint's, PEM, if it is one of your own."""

    virtual_hosted: bool = False
    """Name the bucket in the host name, as some stores demand; not used without endpoint."""

    @field_validator("secret_access_key")
    @classmethod
    def _has_no_space_around(cls, key: SecretStr) -> SecretStr:
        text = key.get_secret_value()
        if not text or text != text.strip():
            raise ValueError(
                "it is empty or has white space at an end, which Longhorn refuses; set it again "
                "with `printf %s KEY | pulumi config set --secret --path ...`"
            )
        return key

    @field_validator("clear_text")
    @classmethod
    def _travels_under_cover(cls, clear_text: bool, info: ValidationInfo) -> bool:
        endpoint = info.data.get("endpoint") or ""
        if endpoint.startswith("http:") and not clear_text:
            raise ValueError(
                f"endpoint is {endpoint}, and everybody on the way could read the database and "
                "log in to the store; give it TLS (ca is for a certificate of your own), or set "
                "clearText to true"
            )
        return clear_text

    @field_validator("ca")
    @classmethod
    def _is_a_certificate(cls, ca: str | None) -> str | None:
        if ca is not None and not ca.strip().startswith("-----BEGIN CERTIFICATE-----"):
            raise ValueError(
                "this is no certificate in PEM form; paste the file whose first line is "
                "-----BEGIN CERTIFICATE-----"
            )
        return ca and ca.strip()

    def url(self) -> str:
        """Longhorn's backup target."""
        return f"s3://{self.bucket}@{self.region}{self.folder}"

    def credentials(self) -> dict[str, str]:
        """What Longhorn wants in its Secret ("Setting a backup target", 1.12.1)."""
        entries = {
            "AWS_ACCESS_KEY_ID": self.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.secret_access_key.get_secret_value(),
        }
        if self.endpoint:
            entries["AWS_ENDPOINTS"] = self.endpoint
        if self.virtual_hosted:
            entries["VIRTUAL_HOSTED_STYLE"] = "true"
        if self.ca:
            entries["AWS_CERT"] = self.ca
        return entries


class GivenStoreSettings(BackupSettings):
    """Where backups go: name one store. Without one every copy is inside the cluster."""

    nfs: NfsStoreSettings | None = None
    """An NFS export."""

    s3: S3CompatibleStoreSettings | None = None
    """A bucket."""

    @field_validator("s3")
    @classmethod
    def _is_the_only_one(
        cls, s3: S3CompatibleStoreSettings | None, info: ValidationInfo
    ) -> S3CompatibleStoreSettings | None:
        if s3 and info.data.get("nfs"):
            raise ValueError("nfs is there too, and a volume's backups go to one store; drop one")
        return s3

    def has_store(self) -> bool:
        """Whether the stack file names a store, and lets it be used."""
        return self.enabled and bool(self.nfs or self.s3)


class GivenStore:
    """A store that exists; this program creates nothing in it and deletes nothing of it."""

    url: pulumi.Output[str]
    bucket: pulumi.Output[str]
    credentials: Mapping[str, pulumi.Input[str]]
    ready: list[pulumi.Resource]

    def __init__(self, place: NfsStoreSettings | S3CompatibleStoreSettings) -> None:
        if isinstance(place, NfsStoreSettings):
            name, self.credentials = f"{place.server}:{place.path}", {}
        else:
            name, self.credentials = place.bucket, place.credentials()
        self.url = pulumi.Output.from_input(place.url())
        self.bucket = pulumi.Output.from_input(name)
        self.ready = []
