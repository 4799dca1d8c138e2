"""What a stack may choose about TLS on the superserver."""

from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

from components.cert_manager.settings import IssuerSettings
from components.settings import Hostname, KubernetesName, Settings

CONFIGURATION = "%SuperServer"
"""Name of the TLS configuration; the one that releases with a single superserver know."""


class TlsSettings(Settings):
    """TLS on the superserver, for SQL clients and for the web gateway."""

    superserver: Literal["disabled", "optional", "required"] | None = None
    """Whether clients may, or must, use TLS (InterSystems, "Managing Superservers").

    Without it IRIS is told nothing and speaks none. disabled takes back what an earlier setting
    merged. Go to required by way of optional: clients that do not speak TLS yet are cut off by it.
    """

    secret_name: KubernetesName | None = Field(default=None, validate_default=True)
    """A Secret of IRIS's namespace with tls.crt and tls.key that you put there."""

    issuer: IssuerSettings | None = Field(default=None, validate_default=True)
    """An issuer of cert-manager that exists before IRIS.

    Without issuer and secretName, cert-manager makes an authority for this database alone.
    """

    ca_in_secret: bool = Field(default=True, validate_default=True)
    """Whether the Secret has ca.crt, which the web gateway checks IRIS's certificate against.

    The Secrets of Let's Encrypt have none.
    """

    names: tuple[Hostname, ...] = Field(default=(), validate_default=True)
    """Names in the certificate, instead of those of the Service and of service.hostname."""

    days: int = Field(default=365, ge=2, le=3650)
    """How long a certificate of our own authority lives; a third before its end comes another."""

    @field_validator("secret_name", "issuer", "names")
    @classmethod
    def _serves_something(cls, value: object | None, info: ValidationInfo) -> object | None:
        if value and "superserver" in info.data and info.data["superserver"] in (None, "disabled"):
            raise ValueError(
                "no certificate is used while the superserver speaks no TLS; set superserver to "
                "optional or required, or drop it"
            )
        return value

    @field_validator("issuer")
    @classmethod
    def _one_source(
        cls, issuer: IssuerSettings | None, info: ValidationInfo
    ) -> IssuerSettings | None:
        if issuer and info.data.get("secret_name"):
            raise ValueError(
                f"secretName is {info.data['secret_name']}, which has a certificate already; drop "
                "secretName or issuer"
            )
        if issuer and issuer.name.startswith("iris-letsencrypt"):
            raise ValueError(
                f"{issuer.name} is made behind the database, which would wait for it for ever; "
                "name an issuer that exists without this stack, or drop issuer"
            )
        return issuer

    @field_validator("ca_in_secret")
    @classmethod
    def _is_of_a_secret_from_elsewhere(cls, there: bool, info: ValidationInfo) -> bool:
        if not there and info.data.get("secret_name") is None and info.data.get("issuer") is None:
            raise ValueError(
                "our own authority always puts ca.crt there; drop caInSecret, or set secretName "
                "or issuer"
            )
        return there

    @field_validator("names")
    @classmethod
    def _are_for_an_issuer(
        cls, names: tuple[Hostname, ...], info: ValidationInfo
    ) -> tuple[Hostname, ...]:
        if names and info.data.get("secret_name"):
            raise ValueError(
                "the certificate in the Secret has its names already; drop names or secretName"
            )
        return names

    def is_on(self) -> bool:
        """Whether the superserver speaks TLS."""
        return self.superserver in ("optional", "required")

    def needs_cert_manager(self) -> bool:
        """Whether cert-manager has to get the certificate."""
        return self.is_on() and self.secret_name is None
