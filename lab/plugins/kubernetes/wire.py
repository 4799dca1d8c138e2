"""Objects as Pulumi's provider protocol carries them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

import grpc
from google.protobuf import any_pb2, json_format, struct_pb2
from google.rpc import status_pb2

from lab.plugins.kubernetes.cluster import Object
from lab.plugins.markers import SIGNATURE, UNKNOWN
from lab.plugins.protocol import provider_pb2

Inputs = dict[str, Any]


def plain(struct: struct_pb2.Struct) -> Inputs:
    """Inputs as Kubernetes wants them: the protocol has no integers."""
    return _whole(json_format.MessageToDict(struct))


def _whole(value: Any) -> Any:
    if isinstance(value, dict):
        if SIGNATURE in value:
            # A secret; the engine remembers by itself that it is one.
            return _whole(value["value"])
        return {key: _whole(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_whole(inner) for inner in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def is_unknown(value: Any) -> bool:
    """Whether some part of a value is known after the update only."""
    if isinstance(value, Mapping):
        return any(map(is_unknown, value.values()))
    if isinstance(value, list):
        return any(map(is_unknown, value))
    return value == UNKNOWN


def place(thing: Inputs) -> str:
    """Namespace and name, as pulumi-kubernetes writes an id."""
    metadata = thing.get("metadata", thing)
    namespace, name = metadata.get("namespace"), metadata.get("name", "")
    return f"{namespace}/{name}" if namespace else name


def annotation(thing: Inputs, name: str) -> str:
    """One of Pulumi's annotations; empty without it."""
    annotations = thing.get("metadata", {}).get("annotations") or {}
    return annotations.get(f"pulumi.com/{name}", "")


def outputs_of(live: Object) -> Inputs:
    """An object for the state, without the server's bookkeeping."""
    outputs = dict(live)
    metadata = dict(outputs.get("metadata", {}))
    metadata.pop("managedFields", None)
    outputs["metadata"] = metadata
    return outputs


def not_ready(
    context: grpc.ServicerContext,
    identity: str,
    outputs: Inputs,
    reasons: list[str],
    inputs: Inputs | None = None,
) -> NoReturn:
    """Fail so that the engine keeps the object in its state and goes on with it next time."""
    detail = provider_pb2.ErrorResourceInitFailed(id=identity, reasons=reasons)
    detail.properties.update(outputs)
    detail.inputs.update(inputs or {})
    packed = any_pb2.Any()
    packed.Pack(detail)
    code = grpc.StatusCode.UNKNOWN
    message = f"{identity} is not ready"
    status = status_pb2.Status(code=code.value[0], message=message, details=[packed])
    context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
    context.abort(code, message)
    raise AssertionError("abort raises")


def some(changes: Sequence[str]) -> provider_pb2.DiffResponse.DiffChanges.ValueType:
    """Whether there are changes, in the protocol's words."""
    kinds = provider_pb2.DiffResponse
    return kinds.DIFF_SOME if changes else kinds.DIFF_NONE
