"""What is asked before IRIS runs in another form, or on the volumes of another one."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import pulumi

from components.iris.image import Image
from components.iris.image_change import follow, image_in
from components.iris.journal_switch import (
    JOURNALS,
    ever_written,
    journal_marks,
    journals_left_behind,
    journals_move,
    unfit_class,
)
from components.iris.pod import LABELS
from components.iris.settings import IrisSettings
from components.kubernetes_api import Unreachable, connect

FORM = "ha-iris/form"
VOLUMES = "ha-iris/volumes-of"
DEFAULT = "deployment"
PAGE = "docs/forms.md, From one form to another"


def marks(settings: IrisSettings) -> dict[str, str]:
    """Annotations of the namespace that tell the next run of the program what there is.

    Without one it is a Deployment.
    """
    told = {FORM: settings.form, VOLUMES: settings.layout()}
    found = {key: value for key, value in told.items() if value != DEFAULT}
    return found | journal_marks(settings.journals)


def switch(
    name: str, settings: IrisSettings, *, kubeconfig: pulumi.Output[str]
) -> pulumi.ResourceHookBinding:
    """A hook of the namespace, which comes before all else in it; it speaks in previews too.

    Args:
        name: of the hook; the state remembers it.
        settings: choices of the stack.
        kubeconfig: how this run reaches the cluster.
    """

    async def check(change: pulumi.ResourceHookArgs) -> None:
        before, after = _annotations(change.old_inputs), _annotations(change.new_inputs)
        if told := data_left_behind(before, after):
            raise ValueError(told)
        namespace = (change.new_inputs or {})["metadata"]["name"]
        left = journals_left_behind(before, after)
        comes = JOURNALS in after.keys() - before.keys()
        if left or (comes and settings.journals.storage_class):
            document = await kubeconfig.future()
            if told := (
                await asyncio.to_thread(journals_fault, document, namespace, left, settings)
                if document
                else left
            ):
                raise ValueError(told)
        if told := journals_move(before, after, stateful=after.get(FORM) == "statefulset"):
            pulumi.log.info(told)
        if before.get(FORM) == after.get(FORM):
            return
        document = await kubeconfig.future()
        if not document:
            raise RuntimeError(f"the kubeconfig is not known, and so not whether IRIS runs; {PAGE}")
        fault, images = await asyncio.to_thread(look, document, namespace)
        if fault:
            raise ValueError(fault)
        # No update of a workload tells of its image here: one form's goes and another's comes.
        if not images:
            pulumi.log.warn(
                f"No Deployment or StatefulSet tells which image wrote the volumes that {PAGE}, "
                "brings over. An older IRIS does not open what a newer one has written."
            )
        for image in images:
            follow(image, settings.product(), older_allowed=settings.allow_older_image)

    options = pulumi.ResourceHookOptions(on_dry_run=True)
    return pulumi.ResourceHookBinding(before_update=[pulumi.ResourceHook(name, check, options)])


def data_left_behind(before: Mapping[str, str], after: Mapping[str, str]) -> str | None:
    """Why the new form would begin with an empty database; None if it has the data."""
    old, new = before.get(VOLUMES, DEFAULT), after.get(VOLUMES, DEFAULT)
    if old == new:
        return None
    form = after.get(FORM, DEFAULT)
    cure = (
        f"set ha-iris:iris.volumesOf to {old}"
        if "operator" not in (old, form)
        else "bring it over by a backup"
    )
    return (
        f"ha-iris:iris.form is {form}, and the database is on the volumes of the form {old}, which "
        f"this one would leave for new and empty ones; to take the data along {cure}, as {PAGE}, "
        f"says, or set form to {before.get(FORM, DEFAULT)} again; to throw it away, destroy it "
        "first"
    )


def journals_fault(
    kubeconfig: str, namespace: str, left: str | None, settings: IrisSettings
) -> str | None:
    """Why the volume of journals cannot go, or not come in its class; None if it can.

    Args:
        kubeconfig: of the cluster.
        namespace: of the database.
        left: why it cannot go, if IRIS has written there; None: it comes.
        settings: choices of the stack.
    """
    chosen = settings.journals.storage_class
    try:
        with connect(kubeconfig) as api:
            if left:
                return left if ever_written(api.get, namespace) else None
            beside = settings.storage_class is None
            return chosen and unfit_class(api.get, chosen, beside_longhorn=beside)
    except Unreachable as reason:
        if left:
            return left
        raise RuntimeError(f"whether class {chosen} is there is not known: {reason}") from None


def look(kubeconfig: str, namespace: str) -> tuple[str | None, list[Image]]:
    """Why two instances would run on one volume, None if none does; and what wrote the volume."""
    try:
        with connect(kubeconfig) as api:
            return pods_left(api.get, namespace), images_left(api.get, namespace)
    except Unreachable as reason:
        raise RuntimeError(f"whether IRIS still runs is not known: {reason}") from None


def pods_left(get: Callable[[str], dict[str, Any] | None], namespace: str) -> str | None:
    """The same, of a cluster's answers."""
    selector = ",".join(f"{key}={value}" for key, value in LABELS.items())
    found = get(f"/api/v1/namespaces/{namespace}/pods?labelSelector={selector}")
    names = [pod["metadata"]["name"] for pod in (found or {}).get("items", [])]
    if not names:
        return None
    return (
        f"IRIS runs in {', '.join(names)}, and the new form would start another beside it; stop it "
        f"first, with the clean stop that {PAGE}, begins with"
    )


def images_left(get: Callable[[str], dict[str, Any] | None], namespace: str) -> list[Image]:
    """Images of the workloads that are still there: after an update that failed, of both forms."""
    path = f"/apis/apps/v1/namespaces/{namespace}"
    found = [image_in(get(f"{path}/{kind}/iris")) for kind in ("deployments", "statefulsets")]
    return [image for image in found if image]


def _annotations(inputs: Mapping[str, Any] | None) -> dict[str, str]:
    metadata = (inputs or {}).get("metadata") or {}
    return dict(metadata.get("annotations") or {})
