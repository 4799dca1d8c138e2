"""Rehearsals of the restore: whether a stack has them, and what a preview says of that."""

from collections.abc import Mapping
from typing import Any

import pulumi

from components.backup.rehearsal import Rehearsal
from components.backup.snapshots import Database
from components.capacity.node import too_large_for_node
from components.cluster import Cluster
from components.cron import old_after_seconds
from components.iris.registry import docker_config
from components.iris.rehearsed import rehearsed, unrehearsable
from stacks.settings import StackSettings


def rehearse(
    settings: StackSettings[Any, Any],
    *,
    cluster: Cluster,
    database: Database,
    class_parameters: Mapping[str, str],
    from_store: bool,
) -> bool:
    """Make the job that restores what is backed up, or say why there is none; gives whether."""
    chosen, iris = settings.backup.rehearsal, settings.iris
    off = None if chosen.enabled else "ha-iris:backup.rehearsal.enabled is false"
    if why := off or unrehearsable(iris, chosen):
        pulumi.log.warn(
            f"Nobody rehearses the restore: {why}. Whether a backup can be restored shows when one "
            "has to be (docs/rehearsal.md)."
        )
        return False
    copy = rehearsed(iris, chosen, architecture=cluster.architecture)
    for line in without_room(settings):
        pulumi.log.warn(line)
    login = iris.registry_login
    Rehearsal(
        "rehearsal",
        chosen,
        cluster=cluster,
        database=database,
        room=f"{iris.namespace[:53].rstrip('-')}-rehearsal",
        pod=copy.pod,
        volumes=copy.volumes,
        copies_of_secrets=copy.secrets,
        scripts=copy.scripts,
        pull_secret=docker_config(login) if login else None,
        class_parameters=class_parameters,
        old_seconds=old_after_seconds([settings.backup.snapshots.schedule]) or 0,
        image=settings.backup.snapshots.image,
        from_store=from_store,
    )
    return True


def without_room(settings: StackSettings[Any, Any]) -> list[str]:
    """Why a rehearsal would find no node with room beside the database, with the sums.

    Of the disks the worst case of sizing has room for its copy.
    """
    iris, cluster, chosen = settings.iris, settings.cluster, settings.backup.rehearsal
    lines = []
    node = cluster.node_capacity()
    if node:
        # With one node both are on it; else the scheduler takes another.
        beside = iris if cluster.nodes == 1 else None
        cpu = chosen.cpu + (beside.cpu if beside else 0)
        gib = chosen.memory_gib + (beside.memory_gib if beside else 0)
        lines += [
            f"A rehearsal of the restore finds no node with room: {fault} (here of "
            f"ha-iris:backup.rehearsal{' and the database together' if beside else ''})."
            for fault in too_large_for_node(cpu, gib, node, longhorn=True)
        ]
    return lines
