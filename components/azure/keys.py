"""Keys in Azure Key Vault that somebody else made and looks after."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import StringConstraints

_KEY = (
    r"/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft\.KeyVault"
    r"/vaults/[a-zA-Z0-9-]{3,24}/keys/[a-zA-Z0-9-]{1,127}"
)
_VERSION = r"/versions/[0-9a-f]{32}"

KeyId = Annotated[str, StringConstraints(pattern=rf"^{_KEY}({_VERSION})?$")]
"""Resource ID of a key, with or without a version."""

KeyVersionId = Annotated[str, StringConstraints(pattern=rf"^{_KEY}{_VERSION}$")]
"""Resource ID of one version of a key."""


@dataclass(frozen=True)
class Key:
    """What the services of Azure call a key, each in its own way."""

    scope: str
    """Resource ID of the key, whatever its version: where roles on it are given."""

    vault_uri: str
    """Address of its vault."""

    name: str
    """Its name in the vault."""

    version: str | None
    """One of its versions, or None for the newest at any time."""

    @classmethod
    def of(cls, resource_id: str) -> "Key":
        """The key of a resource ID that has been checked."""
        scope, _, version = resource_id.partition("/versions/")
        parts = scope.split("/")
        return cls(
            scope=scope,
            # The vaults of Azure's public cloud.
            vault_uri=f"https://{parts[8]}.vault.azure.net/",
            name=parts[10],
            version=version or None,
        )

    @property
    def identifier(self) -> str:
        """The key's own address, with its version if it has one."""
        return f"{self.vault_uri}keys/{self.name}" + (f"/{self.version}" if self.version else "")
