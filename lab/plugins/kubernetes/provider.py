"""The provider protocol, spoken for one cluster."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn

import grpc
import yaml
from google.protobuf import any_pb2, empty_pb2, json_format, struct_pb2
from google.rpc import status_pb2

from lab.plugins.kubernetes import wait_for
from lab.plugins.kubernetes.changes import as_text, changed, observed, replaces
from lab.plugins.kubernetes.cluster import Cluster, Object, Refused
from lab.plugins.kubernetes.helm import RELEASE, Helm, HelmError
from lab.plugins.kubernetes.readiness import missing
from lab.plugins.markers import SIGNATURE, UNKNOWN
from lab.plugins.protocol import plugin_pb2, provider_pb2, provider_pb2_grpc

VERSION = "4.34.2"
NAME = "the lab's stand-in for the Kubernetes provider"
SETTINGS = {
    *("kubeconfig", "context", "clusterIdentifier"),
    *("enablePatchForce", "enableSecretMutable"),
}
ANNOTATIONS = {"pulumi.com/skipAwait", "pulumi.com/patchForce", "pulumi.com/autonamed"}
"""Annotations of pulumi-kubernetes that this provider obeys."""
MANAGER = "pulumi-kubernetes"
AWAIT_SECONDS = 600
POLL_SECONDS = 0.2

Inputs = dict[str, Any]


class KubernetesStandIn(provider_pb2_grpc.ResourceProviderServicer):
    """Creates, changes and deletes objects and Helm releases, each until it is done."""

    _cluster: Cluster
    _helm: Helm
    _force: bool
    _secrets_change: bool

    def __init__(self) -> None:
        self._cancelled = threading.Event()

    def cancel(self) -> None:
        """End whatever is waited for."""
        self._cancelled.set()

    def GetPluginInfo(self, request, context):
        return plugin_pb2.PluginInfo(version=VERSION)

    def CheckConfig(self, request, context):
        response = provider_pb2.CheckResponse(inputs=request.news)
        for key in sorted(set(request.news.fields) - SETTINGS - {"version"}):
            response.failures.add(property=key, reason=f"{NAME} does not know it")
        return response

    def DiffConfig(self, request, context):
        old, new = plain(request.old_inputs), plain(request.news)
        keys = sorted(key for key in {*old, *new} if old.get(key) != new.get(key))
        # Another identifier is another cluster: everything in it is created anew.
        other = [key for key in keys if key == "clusterIdentifier"]
        return provider_pb2.DiffResponse(changes=_some(keys), diffs=keys, replaces=other)

    def Configure(self, request, context):
        settings = plain(request.args)
        try:
            document = yaml.safe_load(settings["kubeconfig"])
            self._cluster = Cluster(document, settings.get("context"))
        except (KeyError, TypeError, ValueError, yaml.YAMLError):
            context.abort(
                grpc.StatusCode.INVALID_ARGUMENT,
                f"kubeconfig is unknown or is none: {NAME} needs one that is known at preview",
            )
        self._helm = Helm(self._cluster, self._cancelled)
        self._force = settings.get("enablePatchForce") in (True, "true")
        self._secrets_change = settings.get("enableSecretMutable") in (True, "true")
        return provider_pb2.ConfigureResponse(supportsPreview=True)

    def Check(self, request, context):
        old, new = plain(request.olds), plain(request.news)
        response = provider_pb2.CheckResponse()
        if request.type == RELEASE:
            failures = Helm.check(new)
        else:
            failures = _check(new, old, f"{request.name}-{request.randomSeed[:4].hex()}")
        for place, reason in failures:
            response.failures.add(property=place, reason=reason)
        response.inputs.update(new)
        return response

    def Diff(self, request, context):
        old, new = plain(request.old_inputs), plain(request.news)
        response = provider_pb2.DiffResponse(hasDetailedDiff=True)
        replacing = False
        kind_of = new.get("kind", "")
        in_place = kind_of == "Secret" and self._secrets_change and not old.get("immutable")
        for path, how in changed(old, new):
            replace = (
                Helm.replaces(path)
                if request.type == RELEASE
                else replaces(kind_of, path, in_place=in_place)
            )
            replacing |= replace
            kind = how.upper() + ("_REPLACE" if replace else "")
            entry = provider_pb2.PropertyDiff(
                kind=provider_pb2.PropertyDiff.Kind.Value(kind), inputDiff=True
            )
            response.detailedDiff[as_text(path)].CopyFrom(entry)
            top = str(path[0])
            if top not in response.diffs:
                response.diffs.append(top)
            if replace and top not in response.replaces:
                response.replaces.append(top)
        response.changes = _some(response.diffs)
        # Two objects of one name cannot be at the same time.
        response.deleteBeforeReplace = replacing and _place(old) == _place(new)
        return response

    def Create(self, request, context):
        inputs = plain(request.properties)
        response = provider_pb2.CreateResponse(id=_place(inputs))
        with _refusals_told(context):
            if request.type == RELEASE:
                outputs = self._release(inputs, context, new=True, preview=request.preview)
            else:
                outputs = self._create(inputs, request)
        response.properties.update(self._finished(request, context, outputs))
        return response

    def Update(self, request, context):
        inputs = plain(request.news)
        response = provider_pb2.UpdateResponse()
        with _refusals_told(context):
            if request.type == RELEASE:
                outputs = self._release(inputs, context, new=False, preview=request.preview)
            elif _is_unknown(inputs):
                outputs = inputs
            else:
                outputs = self._apply(inputs, dry_run=request.preview)
        response.properties.update(self._finished(request, context, outputs))
        return response

    def Read(self, request, context):
        inputs = plain(request.inputs) or plain(request.properties)
        with _refusals_told(context):
            if request.type == RELEASE:
                live, inputs, waiting = self._helm.read(inputs)
            elif "kind" not in inputs:
                context.abort(
                    grpc.StatusCode.UNIMPLEMENTED,
                    f"{NAME} cannot import {request.id}: it knows the objects that it made",
                )
            else:
                live = self._cluster.get(inputs)
                waiting = [] if live is None or _skips(inputs) else missing(live, self._cluster)
                inputs = observed(inputs, live) if live else inputs
        if live is None:
            return provider_pb2.ReadResponse()
        outputs = _outputs(live)
        if waiting:
            _not_ready(context, request.id, outputs, waiting, inputs)
        response = provider_pb2.ReadResponse(id=request.id)
        response.properties.update(outputs)
        response.inputs.update(inputs)
        return response

    def Delete(self, request, context):
        inputs = plain(request.old_inputs) or plain(request.properties)
        with _refusals_told(context):
            if request.type == RELEASE:
                self._helm.uninstall(inputs, request.timeout)
                return empty_pb2.Empty()
            self._cluster.delete(inputs)
            deadline = time.monotonic() + (request.timeout or AWAIT_SECONDS)
            while (live := self._cluster.get(inputs)) and self._wait(deadline):
                pass
        if live:
            finalizers = ", ".join(live["metadata"].get("finalizers") or ["no finalizer"])
            context.abort(
                grpc.StatusCode.DEADLINE_EXCEEDED,
                f"{live['kind']} {_place(live)} is still there; it waits for {finalizers}",
            )
        return empty_pb2.Empty()

    def Cancel(self, request, context):
        self.cancel()
        return empty_pb2.Empty()

    def _create(self, inputs: Inputs, request: Any) -> Inputs:
        if _is_unknown(inputs):
            return inputs
        live = self._cluster.get(inputs)
        if live and request.preview and _is_ours(live):
            # It is going to be deleted before this one replaces it.
            return inputs
        if live:
            raise Refused(
                f"{inputs['kind']} {_place(inputs)} already exists and is not of this stack; "
                "delete it or choose another name"
            )
        try:
            outputs = self._apply(inputs, dry_run=request.preview)
        except Refused as refused:
            # Its namespace or its kind may come in the same update.
            if not (request.preview and refused.not_found):
                raise
            return inputs
        return inputs if request.preview else outputs

    def _apply(self, inputs: Inputs, *, dry_run: bool) -> Inputs:
        annotations = inputs["metadata"].get("annotations") or {}
        force = self._force or annotations.get("pulumi.com/patchForce") == "true"
        live = self._cluster.apply(inputs, manager=MANAGER, force=force, dry_run=dry_run)
        return _outputs(live)

    def _release(
        self, inputs: Inputs, context: grpc.ServicerContext, *, new: bool, preview: bool
    ) -> Inputs:
        if _is_unknown(inputs):
            return inputs
        if preview:
            self._helm.template(inputs)
            return inputs
        if new and self._helm.status(inputs):
            raise HelmError(f"release {_place(inputs)} already exists and is not of this stack")
        try:
            self._helm.deploy(inputs, new=new)
        except HelmError as error:
            # Helm keeps a release that failed, and so must the state.
            status = self._helm.status(inputs)
            if status is None:
                raise
            _not_ready(context, _place(inputs), {**inputs, "status": status}, [str(error)])
        return {**inputs, "status": self._helm.status(inputs)}

    def _finished(self, request: Any, context: grpc.ServicerContext, outputs: Inputs) -> Inputs:
        """The object once it is ready; the state gets it in any case."""
        if request.preview or request.type == RELEASE or _skips(outputs):
            return outputs
        deadline = time.monotonic() + (request.timeout or AWAIT_SECONDS)
        live: Object | None = outputs
        waiting: list[str] = []
        try:
            while live and (waiting := self._missing(live)) and self._wait(deadline):
                live = self._cluster.get(outputs)
        except Refused as refused:
            waiting = [str(refused)]
        if live is None:
            waiting = ["it was deleted while the update waited for it"]
        if waiting:
            _not_ready(context, _place(outputs), _outputs(live or outputs), waiting)
        return _outputs(live or outputs)

    def _missing(self, live: Object) -> list[str]:
        """What an object waits for: what it says itself, or what its kind does."""
        told = (live["metadata"].get("annotations") or {}).get(wait_for.ANNOTATION)
        condition = wait_for.parse(told) if told else None
        if condition is None:
            return missing(live, self._cluster)
        if wait_for.holds(condition, live):
            return []
        return [f"it does not meet {told} yet", *missing(live, self._cluster)]

    def _wait(self, deadline: float) -> bool:
        return not self._cancelled.wait(POLL_SECONDS) and time.monotonic() < deadline


@contextmanager
def _refusals_told(context: grpc.ServicerContext) -> Iterator[None]:
    """Pass on what the cluster or Helm refuses, in their own words."""
    try:
        yield
    except (Refused, HelmError) as error:
        context.abort(grpc.StatusCode.FAILED_PRECONDITION, str(error))


def _check(new: Inputs, old: Inputs, name: str) -> list[tuple[str, str]]:
    """Name an object that has no name, and find what this provider cannot do."""
    kind = new.get("kind", "")
    if "apiVersion" not in new or not kind or kind.endswith(("Patch", "List")):
        return [("kind", f"{NAME} does not know {kind or 'an object without a kind'}")]
    metadata = new.setdefault("metadata", {})
    annotations = metadata.get("annotations") or {}
    if not metadata.get("name"):
        before = old.get("metadata", {})
        autonamed = "pulumi.com/autonamed" in (before.get("annotations") or {})
        metadata["name"] = before["name"] if autonamed else name
        metadata["annotations"] = {**annotations, "pulumi.com/autonamed": "true"}
    return [
        (f'metadata.annotations["{key}"]', f"{NAME} does not know it")
        for key, value in annotations.items()
        if key.startswith("pulumi.com/")
        and key not in ANNOTATIONS
        and not (key == wait_for.ANNOTATION and wait_for.parse(value))
    ]


def _skips(thing: Object) -> bool:
    annotations = thing.get("metadata", {}).get("annotations") or {}
    return annotations.get("pulumi.com/skipAwait") == "true"


def _is_ours(live: Object) -> bool:
    return any(entry["manager"] == MANAGER for entry in live["metadata"].get("managedFields", []))


def _place(thing: Inputs) -> str:
    """Namespace and name, as pulumi-kubernetes writes an id."""
    metadata = thing.get("metadata", thing)
    namespace, name = metadata.get("namespace"), metadata.get("name", "")
    return f"{namespace}/{name}" if namespace else name


def _outputs(live: Object) -> Inputs:
    """An object for the state, without the server's bookkeeping."""
    outputs = dict(live)
    metadata = dict(outputs.get("metadata", {}))
    metadata.pop("managedFields", None)
    outputs["metadata"] = metadata
    return outputs


def _not_ready(
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


def _some(changes: Sequence[str]) -> provider_pb2.DiffResponse.DiffChanges.ValueType:
    kinds = provider_pb2.DiffResponse
    return kinds.DIFF_SOME if changes else kinds.DIFF_NONE


def _is_unknown(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(map(_is_unknown, value.values()))
    if isinstance(value, list):
        return any(map(_is_unknown, value))
    return value == UNKNOWN


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
