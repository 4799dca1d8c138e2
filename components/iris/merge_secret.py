"""The Secret with the merge file, and what a change of it does to a running database."""

import hashlib
from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi_kubernetes as k8s

from components.iris.change_told import live_told
from components.iris.cpf import merge_file
from components.iris.credentials import Credentials
from components.iris.pod import SUPERSERVER_PORT
from components.iris.settings import IrisSettings
from components.iris.tls import tls_actions

PARAMETERS = "ha-iris/parameters"
"""Annotation with the digest of all but the actions: where it changes, IRIS restarts."""


def merge_text(
    settings: IrisSettings,
    *,
    credentials: Credentials,
    gateway_hash: pulumi.Input[str] | None,
) -> pulumi.Output[str]:
    """The merge file, with the hashes of all passwords; its actions come last."""
    return pulumi.Output.all(
        credentials.password_hash, credentials.user_hashes, gateway_hash
    ).apply(lambda hashes: _text(settings, *hashes))


def merge_secret(
    name: str,
    settings: IrisSettings,
    *,
    credentials: Credentials,
    gateway_hash: pulumi.Input[str] | None,
    namespace: pulumi.Input[str],
    labels: Mapping[str, str],
    opts: pulumi.ResourceOptions,
) -> k8s.core.v1.Secret:
    """A Secret whose key merge.cpf is the merge file.

    IRIS merges the file whenever it changes, into a running database too. So the Secret is named
    by content: a change makes a new one, and with it a new pod, in a plan that a person has seen.
    With ``actions.live`` a change of actions alone changes it in place.
    """

    metadata: Any = {"namespace": namespace, "labels": labels}
    if settings.actions.live:
        # Without hashes, so that it is known in a preview and tells nothing of a password.
        without_hashes = _text(
            settings, "", {user.name: "" for user in settings.actions.users}, None
        )
        parameters = without_hashes.partition("[Actions]\n")[0]
        digest = hashlib.sha256(parameters.encode()).hexdigest()
        metadata["annotations"] = {PARAMETERS: digest[:16]}
    return k8s.core.v1.Secret(
        name,
        metadata=metadata,
        immutable=None if settings.actions.live else True,
        string_data={
            "merge.cpf": merge_text(settings, credentials=credentials, gateway_hash=gateway_hash)
        },
        opts=pulumi.ResourceOptions.merge(
            opts,
            pulumi.ResourceOptions(
                replace_on_changes=["immutable", "metadata.annotations"],
                hooks=live_told(f"{name}-live") if settings.actions.live else None,
            ),
        ),
    )


def _text(
    settings: IrisSettings,
    password_hash: str,
    user_hashes: dict[str, str],
    web_gateway_hash: str | None,
) -> str:
    return merge_file(
        memory_gib=settings.memory_gib,
        globals_mib=settings.globals_mib,
        routines_mib=settings.routines_mib,
        gmheap_kib=settings.gmheap_kib,
        synch_commit=settings.synch_commit,
        username=settings.username,
        password_hash=password_hash,
        web_gateway_hash=web_gateway_hash,
        journals=settings.journals.lines(),
        parameters=settings.parameters.sections(
            grace_seconds=settings.termination_grace_period_seconds
        ),
        actions=[
            *tls_actions(settings.tls, port=SUPERSERVER_PORT),
            *settings.actions.lines(user_hashes),
        ],
        more=settings.cpf,
    )
