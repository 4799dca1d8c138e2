"""What longhorn-manager makes of its default settings, as a function of what the cluster holds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import yaml

from lab.cluster.world import LONGHORN, NAMESPACE, Request, World, in_bytes

APPLIED = "longhorn.io/configmap-resource-version"
"""Annotation of the real manager: which version of the defaults a Setting has been given."""


def apply_defaults(world: World) -> Iterator[Request]:
    """A Setting for each line of the ConfigMap, given anew whenever that has changed."""
    path = f"{LONGHORN}/namespaces/{NAMESPACE}/settings"
    settings = {item["metadata"]["name"]: item for item in world["settings"]}
    for defaults in world["defaults"]:
        if defaults["metadata"]["name"] != "longhorn-default-setting":
            continue
        version = defaults["metadata"]["resourceVersion"]
        content: dict[str, Any] = yaml.safe_load(defaults["data"]["default-setting.yaml"]) or {}
        for name, value in content.items():
            setting = settings.get(name)
            given = {"metadata": {"name": name, "annotations": {APPLIED: version}}}
            given |= {"value": _text(value)}
            if setting is None:
                kind = {"apiVersion": "longhorn.io/v1beta2", "kind": "Setting"}
                yield Request("POST", path, {**kind, **given}, f"setting {name}")
            elif setting["metadata"].get("annotations", {}).get(APPLIED) != version:
                yield Request("PATCH", f"{path}/{name}", given, f"setting {name}")


def target_backups(world: World) -> Iterator[Request]:
    """The BackupTarget named default, as the ConfigMap says where backups go.

    What the ConfigMap says nothing of stays as it is.
    """
    path = f"{LONGHORN}/namespaces/{NAMESPACE}/backuptargets"
    targets = {item["metadata"]["name"]: item for item in world["backup targets"]}
    for defaults in world["defaults"]:
        if defaults["metadata"]["name"] != "longhorn-default-resource":
            continue
        content = yaml.safe_load(defaults["data"]["default-resource.yaml"]) or {}
        names = {
            "backupTargetURL": "backup-target",
            "credentialSecret": "backup-target-credential-secret",
        }
        spec = {field: content[key] or "" for field, key in names.items() if key in content}
        target = targets.get("default")
        if target is None:
            made = {"metadata": {"name": "default"}, "spec": {"pollInterval": "5m0s", **spec}}
            kind = {"apiVersion": "longhorn.io/v1beta2", "kind": "BackupTarget"}
            yield Request("POST", path, {**kind, **made}, "backup target default")
        elif any(target["spec"].get(field, "") != value for field, value in spec.items()):
            yield Request("PATCH", f"{path}/default", {"spec": spec}, "backup target default")


def upload(world: World) -> Iterator[Request]:
    """Say that a Backup is done if its snapshot is there. No byte goes anywhere."""
    path = f"{LONGHORN}/namespaces/{NAMESPACE}/backups"
    handles = [item.get("status", {}).get("snapshotHandle", "") for item in world["contents"]]
    for item in world["backups"]:
        if item.get("status", {}).get("state") or item["metadata"].get("deletionTimestamp"):
            continue
        volume = item["metadata"].get("labels", {}).get("backup-volume")
        there = f"snap://{volume}/{item['spec'].get('snapshotName')}" in handles
        name = item["metadata"]["name"]
        status: dict[str, Any] = {"state": "Error"}
        if there:
            status = {"state": "Completed", "progress": 100, "labels": item["spec"].get("labels")}
            status |= _where(world, name, volume or "")
        yield Request("PATCH", f"{path}/{name}/status", {"status": status}, f"upload {name}")


def _where(world: World, backup: str, volume: str) -> dict[str, str]:
    """URL of a backup in the store, and size of the volume that it is of, in bytes as text."""
    url = next(
        (
            item["spec"].get("backupTargetURL", "")
            for item in world["backup targets"]
            if item["metadata"]["name"] == "default"
        ),
        "",
    )
    size = next(
        (
            str(in_bytes(item["spec"]["capacity"]["storage"]))
            for item in world["volumes"]
            if item["metadata"]["name"] == volume
        ),
        "",
    )
    return {"url": f"{url}?backup={backup}&volume={volume}", "volumeSize": size}


def _text(value: Any) -> str:
    """A value as Longhorn's Settings have it, which are text whatever the YAML takes them for."""
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value)
