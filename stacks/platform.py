"""Longhorn and IRIS on any cluster: the part that is the same everywhere."""

from pathlib import Path
from typing import Any

import pulumi

from components.cluster import Cluster
from components.iris import Iris
from components.iris.pod import SUPERSERVER_PORT, WEB_PORT
from components.longhorn import BackupStore, Longhorn
from stacks.settings import StackSettings

PORTAL_PATH = "/csp/sys/UtilHome.csp"


def deploy(
    settings: StackSettings[Any], *, cluster: Cluster, backup_store: BackupStore | None = None
) -> dict[str, pulumi.Input[object]]:
    """Deploy storage and database into a cluster and return the outputs of the stack."""
    storage_class = settings.iris.storage_class
    storage_ready: list[pulumi.Resource] = []
    if storage_class is None:
        longhorn = Longhorn(
            "longhorn",
            settings.longhorn,
            cluster=cluster,
            protect_data=settings.protect_data,
            fs_type=settings.iris.fs_type,
            backup_store=backup_store,
        )
        storage_class, storage_ready = longhorn.storage_class, longhorn.ready
    else:
        pulumi.log.warn(
            f"Longhorn is not installed: the database volume is of StorageClass {storage_class}. "
            "Whether it survives the loss of a node or a zone, can be attached elsewhere, grows, "
            "or has snapshots and backups now depends on that class alone, and a pod on a dead "
            "node waits for a person: nothing releases its volume."
        )
    iris = Iris(
        "iris",
        settings.iris,
        cluster=cluster,
        storage_class=storage_class,
        storage_ready=storage_ready,
        protect_data=settings.protect_data,
    )
    forwarded = settings.iris.service.type == "ClusterIP"
    host = pulumi.Output.from_input("localhost") if forwarded else iris.address
    outputs: dict[str, pulumi.Input[object]] = {
        "namespace": iris.namespace,
        "sqlEndpoint": pulumi.Output.concat(iris.address, f":{SUPERSERVER_PORT}"),
        "username": iris.username,
        "password": iris.password,
        "storageClass": storage_class,
        "kubeconfig": cluster.kubeconfig,
        "readme": readme(portal=iris.offers_portal),
    }
    ports = [SUPERSERVER_PORT]
    if iris.offers_portal:
        ports.insert(0, WEB_PORT)
        outputs["portalUrl"] = pulumi.Output.concat("http://", host, f":{WEB_PORT}{PORTAL_PATH}")
    if forwarded:
        command = (
            f"{cluster.kubectl} --namespace {iris.namespace} port-forward service/iris "
            f"{' '.join(map(str, ports))}"
        )
        if cluster.save_kubeconfig:
            command = f"{cluster.save_kubeconfig} && {command}"
        outputs["portForwardCommand"] = command
    return outputs


def readme(*, portal: bool) -> str:
    """What the stack's page shows; a line about an output that the stack lacks is left out."""
    lines = Path("Pulumi.README.md").read_text().splitlines(keepends=True)
    return "".join(line for line in lines if portal or "${outputs.portalUrl}" not in line)
