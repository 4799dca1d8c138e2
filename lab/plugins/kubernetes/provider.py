"""The provider protocol, spoken for one cluster."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import grpc
import yaml
from google.protobuf import empty_pb2

from lab.plugins.kubernetes import wait_for
from lab.plugins.kubernetes.changes import as_text, changed, replaces
from lab.plugins.kubernetes.cluster import Cluster, Refused
from lab.plugins.kubernetes.drift import observed
from lab.plugins.kubernetes.helm import RELEASE, Helm, HelmError
from lab.plugins.kubernetes.objects import Objects
from lab.plugins.kubernetes.readiness import NeverReady, missing
from lab.plugins.kubernetes.wire import (
    Inputs,
    annotation,
    is_unknown,
    not_ready,
    outputs_of,
    place,
    plain,
    some,
)
from lab.plugins.protocol import Engine, plugin_pb2, provider_pb2, provider_pb2_grpc

VERSION = "4.34.2"
NAME = "the lab's stand-in for the Kubernetes provider"
SETTINGS = {
    *("kubeconfig", "context", "clusterIdentifier"),
    *("enablePatchForce", "enableSecretMutable"),
}
ANNOTATIONS = {
    f"pulumi.com/{name}"
    for name in (
        *("autonamed", "deletionPropagationPolicy", "patchForce", "skipAwait"),
        "timeoutSeconds",
    )
}
"""Annotations of pulumi-kubernetes that this provider obeys, beside some forms of waitFor."""


class KubernetesStandIn(provider_pb2_grpc.ResourceProviderServicer):
    """Creates, changes and deletes objects and Helm releases, each until it is done."""

    _cluster: Cluster
    _objects: Objects
    _helm: Helm
    _secrets_change: bool

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
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
        return provider_pb2.DiffResponse(changes=some(keys), diffs=keys, replaces=other)

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
        force = settings.get("enablePatchForce") in (True, "true")
        self._objects = Objects(self._cluster, self._cancelled, force=force)
        self._secrets_change = settings.get("enableSecretMutable") in (True, "true")
        return provider_pb2.ConfigureResponse(supportsPreview=True)

    def Check(self, request, context):
        old, new = plain(request.olds), plain(request.news)
        response = provider_pb2.CheckResponse()
        if request.type == RELEASE:
            failures = Helm.check(new)
        else:
            failures = _check(new, old, f"{request.name}-{request.randomSeed[:4].hex()}")
        for key, reason in failures:
            response.failures.add(property=key, reason=reason)
        response.inputs.update(new)
        return response

    def Diff(self, request, context):
        old, new = plain(request.old_inputs), plain(request.news)
        response = provider_pb2.DiffResponse(hasDetailedDiff=True)
        replacing = False
        secret = new.get("kind") == "Secret"
        in_place = secret and self._secrets_change and not old.get("immutable")
        for path, how in changed(old, new):
            replace = (
                Helm.replaces(path)
                if request.type == RELEASE
                else replaces(new, path, in_place=in_place)
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
        response.changes = some(response.diffs)
        # Two objects of one name cannot be at the same time; another can have another name.
        named = annotation(new, "autonamed") != "true"
        response.deleteBeforeReplace = replacing and named and place(old) == place(new)
        return response

    def Create(self, request, context):
        inputs = plain(request.properties)
        outputs = self._made(inputs, request, context, new=True)
        response = provider_pb2.CreateResponse(id=place(inputs))
        response.properties.update(outputs)
        return response

    def Update(self, request, context):
        outputs = self._made(plain(request.news), request, context, new=False)
        response = provider_pb2.UpdateResponse()
        response.properties.update(outputs)
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
                waiting = self._unready(inputs, live) if live else []
                inputs = observed(inputs, live) if live else inputs
        if live is None:
            return provider_pb2.ReadResponse()
        outputs = outputs_of(live)
        if waiting:
            not_ready(context, request.id, outputs, waiting, inputs)
        response = provider_pb2.ReadResponse(id=request.id)
        response.properties.update(outputs)
        response.inputs.update(inputs)
        return response

    def Delete(self, request, context):
        inputs = plain(request.old_inputs) or plain(request.properties)
        with _refusals_told(context):
            if request.type == RELEASE:
                self._helm.uninstall(inputs, request.timeout)
            else:
                self._objects.delete(inputs, request.timeout)
        return empty_pb2.Empty()

    def Cancel(self, request, context):
        self.cancel()
        return empty_pb2.Empty()

    def _made(
        self, inputs: Inputs, request: Any, context: grpc.ServicerContext, *, new: bool
    ) -> Inputs:
        """Outputs of a creation or a change, or of its preview."""
        if is_unknown(inputs):
            return inputs
        with _refusals_told(context):
            if request.type == RELEASE:
                return self._release(inputs, context, new=new, preview=request.preview)
            if request.preview:
                return self._objects.preview(inputs, new=new)
            outputs = self._objects.apply(inputs, new=new)

        def tell(text: str) -> None:
            self._engine.tell(request.urn, text)

        outputs, waiting = self._objects.await_ready(inputs, outputs, request.timeout, tell)
        if waiting:
            # The state gets it in any case.
            not_ready(context, place(outputs), outputs, waiting)
        return outputs

    def _unready(self, inputs: Inputs, live: Inputs) -> list[str]:
        if annotation(inputs, "skipAwait") == "true":
            return []
        try:
            return missing(live, self._cluster, applied=False)
        except NeverReady as error:
            return [str(error)]

    def _release(
        self, inputs: Inputs, context: grpc.ServicerContext, *, new: bool, preview: bool
    ) -> Inputs:
        if preview:
            self._helm.template(inputs)
            return inputs
        if new and self._helm.status(inputs):
            raise HelmError(f"release {place(inputs)} already exists and is not of this stack")
        try:
            self._helm.deploy(inputs, new=new)
        except HelmError as error:
            # Helm keeps a release that failed, and so must the state.
            status = self._helm.status(inputs)
            if status is None:
                raise
            not_ready(context, place(inputs), {**inputs, "status": status}, [str(error)])
        return {**inputs, "status": self._helm.status(inputs)}


@contextmanager
def _refusals_told(context: grpc.ServicerContext) -> Iterator[None]:
    """Pass on what the cluster or Helm refuses, in their own words."""
    try:
        yield
    except (Refused, HelmError) as error:
        context.abort(grpc.StatusCode.FAILED_PRECONDITION, str(error))
    except TimeoutError as error:
        context.abort(grpc.StatusCode.DEADLINE_EXCEEDED, str(error))


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
