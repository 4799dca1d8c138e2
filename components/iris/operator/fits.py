"""Whether an operator's form fits the rest of what a stack file says of IRIS."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationInfo
from pydantic.alias_generators import to_camel

from components.iris.image_settings import told_image
from components.iris.operator.settings import WHERE_FROM, OperatorSettings

WITHOUT_EFFECT = {
    "hostname": ("iris", "the operator names its pods, and a StatefulSet's pod keeps its name"),
    "entrypoint": (None, "a pod template of the operator names no program"),
    "hung_seconds": (660, "the operator's pods have probes of its own"),
    "termination_grace_period_seconds": (
        30,
        "a pod template of the operator has no grace, so its pods have the operator's",
    ),
}
"""Settings that reach no pod of the operator's: their default, and why."""

UNUSED = (
    (
        "guard",
        ("enabled", "isolated_seconds"),
        "its pods run no guard",
    ),
    (
        "upgrade",
        ("stop_first", "snapshot", "snapshot_class"),
        "the operator replaces its pods by itself",
    ),
    ("pre_pull", ("timeout_seconds",), "the operator replaces its pods and waits for no node"),
)
"""Settings of groups that reach no pod of the operator's, if somebody asks for them, and why."""

OPERATORS_OWN = {
    "config": ("wijdir", "maxserverconn", "maxservers"),
    "Journal": ("currentdirectory", "alternatedirectory"),
}
"""Parameters that the operator merges itself, in lower case, by section."""


def operator_fits(
    operator: OperatorSettings | None, info: ValidationInfo
) -> OperatorSettings | None:
    """A check of ``operator`` after everything else about IRIS.

    Raises:
        ValueError: with reason and cure.
    """
    form = info.data.get("form")
    if form is None:
        return operator
    if form != "operator":
        if operator is not None:
            raise ValueError(
                f"form is {form}, which asks no operator; set iris.form to operator, or drop "
                "iris.operator"
            )
        return None
    if operator is None:
        raise ValueError(WHERE_FROM)
    _reaches_the_pods(info.data)
    _leaves_the_operators_parameters(info.data)
    _is_licensed(operator, info.data)
    _makes_databases_once(operator, info.data)
    if operator.namespace == info.data.get("namespace"):
        raise ValueError(
            f"operator.namespace is {operator.namespace}, as iris.namespace is, whose pod "
            "security, restricted, refuses the operator's own pods; name another"
        )
    return operator


def _reaches_the_pods(settings: Mapping[str, Any]) -> None:
    for field, (default, reason) in WITHOUT_EFFECT.items():
        if settings.get(field, default) != default:
            raise ValueError(
                f"iris.{to_camel(field)} has no effect with form operator: {reason}; drop it "
                "(docs/operator.md)"
            )
    for field, keys, reason in UNUSED:
        group = settings.get(field)
        for key in keys:
            if group and key in group.model_fields_set and getattr(group, key):
                raise ValueError(
                    f"iris.{to_camel(field)}.{to_camel(key)} has no effect with form operator: "
                    f"{reason}; drop it (docs/operator.md)"
                )
    actions = settings.get("actions")
    if actions and actions.live:
        raise ValueError(
            "actions.live has no effect with form operator, which gives IRIS its merge files at a "
            "start alone; drop it (docs/operator.md)"
        )


def _leaves_the_operators_parameters(settings: Mapping[str, Any]) -> None:
    for section, lines in (settings.get("cpf") or {}).items():
        for line in lines:
            name = line.split("=")[0].strip()
            if name.lower() in OPERATORS_OWN.get(section, ()):
                raise ValueError(
                    f"[{section}] {name} in iris.cpf is set by the operator, which mounts the "
                    "volume of it elsewhere; drop the line"
                )


def _is_licensed(operator: OperatorSettings, settings: Mapping[str, Any]) -> None:
    image = told_image(settings)
    if image is None or not image.community:
        return
    wanted = {
        "mirrored": operator.mirrored,
        "shards": operator.shards,
        "compute.replicas": operator.compute.replicas,
    }
    for key, value in wanted.items():
        if value:
            raise ValueError(
                f"operator.{key} is {str(value).lower()}, and Community Edition knows neither "
                "mirrors nor shards nor ECP; set iris.image and iris.licenseKey to a licensed "
                f"IRIS, or drop {key}"
            )


def _makes_databases_once(operator: OperatorSettings, settings: Mapping[str, Any]) -> None:
    actions = settings.get("actions")
    if not actions or not (actions.databases or actions.namespaces):
        return
    if operator.mirrored or operator.shards:
        raise ValueError(
            "iris.actions has databases or namespaces, and each member of a mirror and each "
            "shard would make its own, which nobody mirrors; drop them, and make them in IRIS "
            "once the cluster runs (docs/operator.md)"
        )
