"""Volumes that are encrypted before a byte of them reaches a disk, a copy or a backup."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_kubernetes as k8s
import pulumi_random as random
from pydantic import Field, SecretStr, ValidationInfo, field_validator

from components.settings import Settings

SECRET = "longhorn-volume-key"
MARK = "ha-iris/volumes"
"""Annotation of Longhorn's namespace: how its volumes were made."""


class EncryptionSettings(Settings):
    """Encryption of the database volume with LUKS, above Longhorn. Before the first `pulumi up`."""

    enabled: bool = False
    """Encrypt every volume of the program's class. What exists is never converted."""

    key: SecretStr | None = None
    """The key, 32 characters or more; None: one is generated and kept in Pulumi's state.

    Give one that you keep elsewhere to restore backups of another stack. It never changes.
    """

    forget_key: bool = Field(default=False, validate_default=True)
    """Let `pulumi destroy` take a generated key along, and with it whatever only that key opens:
    the backups too."""

    @field_validator("key")
    @classmethod
    def _cannot_be_guessed(cls, key: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if key is None:
            return key
        if not info.data.get("enabled"):
            raise ValueError("it would encrypt nothing, as enabled is false; set that to true")
        text = key.get_secret_value()
        if len(text) < 32 or text != text.strip() or not text.isprintable():
            raise ValueError(
                "a key has 32 characters or more, printable ones, and no white space at an end; "
                "make one with `openssl rand -hex 32 | tr -d '\\n'`"
            )
        return key

    @field_validator("forget_key")
    @classmethod
    def _has_a_key_to_forget(cls, forget: bool, info: ValidationInfo) -> bool:
        if forget and (info.data.get("key") or not info.data.get("enabled")):
            raise ValueError(
                "only a generated key is the program's to forget; drop forgetKey, or drop key"
            )
        return forget


@dataclass(frozen=True)
class VolumeKey:
    """The key of all volumes, and where Longhorn's driver finds it."""

    value: pulumi.Output[str]
    """The key itself, secret."""

    secret: k8s.core.v1.Secret


def volume_key(
    name: str,
    settings: EncryptionSettings,
    *,
    namespace: pulumi.Input[str],
    protect_data: bool,
    parent: pulumi.Resource,
    opts: pulumi.ResourceOptions,
) -> VolumeKey:
    """Give Longhorn's driver the key of the volumes that it opens.

    Args:
        name: prefix of every resource.
        settings: choices of the stack, encryption enabled.
        namespace: Longhorn's.
        protect_data: refuse every plan that deletes or replaces the key in the cluster.
        parent: of the generated key.
        opts: options of the Secret.
    """
    if settings.key is None:
        generated = random.RandomPassword(
            f"{name}-key",
            length=48,
            special=False,
            # Backups outlive the stack, and this is all that opens them: a destroy is refused,
            # whatever protectData says, until somebody says that the key may go.
            opts=pulumi.ResourceOptions(parent=parent, protect=not settings.forget_key),
        ).result
        value = pulumi.Output.secret(generated)
    else:
        value = pulumi.Output.secret(settings.key.get_secret_value())
    secret = k8s.core.v1.Secret(
        f"{name}-secret",
        metadata={"name": SECRET, "namespace": namespace},
        # Another key would open no volume that exists, so that nobody may put one there, not even
        # a program that has lost its state and makes all things again.
        immutable=True,
        string_data=value.apply(lambda key: luks(key, generated=settings.key is None)),
        opts=pulumi.ResourceOptions.merge(
            opts, pulumi.ResourceOptions(protect=protect_data, retain_on_delete=protect_data)
        ),
    )
    return VolumeKey(value, secret)


def luks(key: str, *, generated: bool) -> dict[str, str]:
    """What Longhorn tells cryptsetup (Longhorn, "Volume Encryption", 1.12.1).

    A generated key cannot be guessed, and needs none of the memory, up to 1 GiB for each opening,
    with which argon2 slows guesses down: a failover opens the volume on a node that runs short.
    """
    return {
        "CRYPTO_KEY_VALUE": key,
        # The driver knows no other provider, so no cloud's KMS either.
        "CRYPTO_KEY_PROVIDER": "secret",
        "CRYPTO_KEY_CIPHER": "aes-xts-plain64",
        "CRYPTO_KEY_HASH": "sha256",
        # XTS takes half of it for each of its two keys: AES-256.
        "CRYPTO_KEY_SIZE": "512",
        "CRYPTO_PBKDF": "pbkdf2" if generated else "argon2id",
    }


def class_parameters(namespace: str) -> dict[str, str]:
    """What makes a StorageClass encrypt, and open, grow and mount what it has encrypted."""
    parameters = {"encrypted": "true"}
    for step in ("provisioner", "node-publish", "node-stage", "node-expand"):
        parameters[f"csi.storage.k8s.io/{step}-secret-name"] = SECRET
        parameters[f"csi.storage.k8s.io/{step}-secret-namespace"] = namespace
    return parameters


def mark(*, encrypted: bool) -> dict[str, Any]:
    """Metadata of Longhorn's namespace, by which a later run knows how volumes were made."""
    return {"annotations": {MARK: "encrypted"}} if encrypted else {}


def never_changed(name: str) -> pulumi.ResourceHookBinding:
    """A hook for that namespace: no plan may turn encryption on or off, in previews too.

    A class makes new volumes alone. One that said "encrypted" beside a volume that is not would be
    believed, and one that no longer names the key could not open those that are.
    """

    def check(change: pulumi.ResourceHookArgs) -> None:
        before, after = _mark(change.old_inputs), _mark(change.new_inputs)
        if before == after:
            return
        now, asked = ("true", "false") if before else ("false", "true")
        raise ValueError(
            f"ha-iris:longhorn.encryption.enabled is {asked}, and the volumes were made while it "
            f"was {now}: no volume is converted in place; set it to {now} again, or move the data "
            "to a second stack (docs/encryption.md)"
        )

    options = pulumi.ResourceHookOptions(on_dry_run=True)
    return pulumi.ResourceHookBinding(before_update=[pulumi.ResourceHook(name, check, options)])


def _mark(inputs: Mapping[str, Any] | None) -> str | None:
    annotations = ((inputs or {}).get("metadata") or {}).get("annotations") or {}
    return annotations.get(MARK)
