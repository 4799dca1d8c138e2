"""Where the certificate of the web entrance comes from."""

from typing import Annotated, Literal

from pydantic import Field

from components.cert_manager.settings import IssuerSettings
from components.settings import KubernetesName, Settings

PRIVATE = ("arpa", "corp", "example", "home", "internal", "invalid", "lan", "local", "localhost")
"""Last labels that nobody can own in public DNS (RFC 6761, RFC 9476, ICANN)."""


class Route53Settings(Settings):
    """A zone in Amazon Route 53."""

    region: Annotated[str, Field(pattern=r"^[a-z]{2}(-[a-z]+)+-\d$")]
    """Region, as in eu-central-1."""

    hosted_zone_id: Annotated[str, Field(pattern=r"^Z[A-Z0-9]{5,31}$")] | None = None
    """The zone; without it cert-manager looks for it by name."""

    role: Annotated[str, Field(pattern=r"^arn:aws[a-z-]*:iam::\d{12}:role/\S+$")] | None = None
    """Role that cert-manager assumes, beside the one of its own pod."""


class AzureDnsSettings(Settings):
    """A zone in Azure DNS, changed by workload identity."""

    subscription_id: Annotated[str, Field(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
    """Subscription of the zone."""

    resource_group: Annotated[str, Field(min_length=1, max_length=90)]
    """Resource group of the zone."""

    zone: Annotated[str, Field(min_length=1, max_length=253)]
    """Name of the zone, as in example.org."""

    client_id: Annotated[str, Field(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
    """Client ID of the managed identity that may change the zone."""


class CloudDnsSettings(Settings):
    """A zone in Google Cloud DNS, changed by workload identity."""

    project: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{4,28}[a-z0-9]$")]
    """Project of the zone."""

    zone: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,62}$")] | None = None
    """Name of the managed zone; without it cert-manager looks for it by the host's name."""


class LetsEncryptSettings(Settings):
    """Let's Encrypt, through cert-manager."""

    email: Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")]
    """Address of the account."""

    environment: Literal["staging", "production"] = "staging"
    """staging: certificates that no browser trusts, and limits that nobody reaches. Begin there."""

    challenge: Literal["http01", "dns01"] = "http01"
    """How you show that the name is yours: port 80 from the Internet, or a record in DNS."""

    route53: Route53Settings | None = None
    """The zone, for dns01."""

    azure_dns: AzureDnsSettings | None = None
    """The zone, for dns01."""

    cloud_dns: CloudDnsSettings | None = None
    """The zone, for dns01."""

    def zones(self) -> list[str]:
        """Keys of the providers that are set."""
        given = {
            "route53": self.route53,
            "azureDns": self.azure_dns,
            "cloudDns": self.cloud_dns,
        }
        return [key for key, zone in given.items() if zone is not None]


class CertificateSettings(Settings):
    """One source: Let's Encrypt, an issuer or a Secret that exists, the Gateway's own, or none."""

    source: Literal["letsEncrypt", "issuer", "secret", "gateway", "none"] = "letsEncrypt"
    """Who gives it.

    letsEncrypt and issuer: cert-manager gets it and renews it. secret: you put it there. gateway:
    the listener of a Gateway that exists has one. none: http in clear, passwords too.
    """

    lets_encrypt: LetsEncryptSettings | None = None
    """For source letsEncrypt."""

    issuer: IssuerSettings | None = None
    """For source issuer."""

    secret_name: KubernetesName | None = None
    """For source secret: a Secret of type kubernetes.io/tls in IRIS's namespace."""

    def check(self, hostname: str, *, given_gateway: bool) -> None:
        """Find what is missing, and what can never be had.

        Raises:
            ValueError: with reason and cure.
        """
        parts = {
            "letsEncrypt": ("letsEncrypt", self.lets_encrypt),
            "issuer": ("issuer", self.issuer),
            "secret": ("secretName", self.secret_name),
        }
        for source, (key, value) in parts.items():
            if value is None and source == self.source:
                about = " with the email of the account" if source == "letsEncrypt" else ""
                raise ValueError(
                    f"source is {source}, and nothing is said of it; set {key}{about}, or another "
                    "source"
                )
            if value is not None and source != self.source:
                raise ValueError(
                    f"source is {self.source}, and {key} is of source {source}; drop {key}, or "
                    f"set source to {source}"
                )
        if self.source == "gateway" and not given_gateway:
            raise ValueError(
                "source gateway means the listener of a Gateway that exists; set gateway.name, or "
                "another source"
            )
        if given_gateway and self.source not in ("gateway", "none"):
            raise ValueError(
                f"source is {self.source}, and the listener of a Gateway that exists has its "
                "certificate from whoever made it; set source to gateway"
            )
        if self.lets_encrypt:
            self._check_lets_encrypt(self.lets_encrypt, hostname)

    @staticmethod
    def _check_lets_encrypt(chosen: LetsEncryptSettings, hostname: str) -> None:
        if (last := hostname.rpartition(".")[2]) in PRIVATE:
            raise ValueError(
                f"hostname is {hostname}, and nobody owns .{last} in public DNS, which Let's "
                "Encrypt asks; take a name of yours, or an issuer or a secret"
            )
        zones = chosen.zones()
        if chosen.challenge == "dns01" and len(zones) != 1:
            raise ValueError(
                f"challenge is dns01 with {len(zones)} DNS providers; set one of "
                "letsEncrypt.route53, letsEncrypt.azureDns and letsEncrypt.cloudDns"
            )
        if chosen.challenge == "http01" and zones:
            raise ValueError(
                f"challenge is http01, and {zones[0]} is for dns01; drop it, or set "
                "letsEncrypt.challenge to dns01"
            )
