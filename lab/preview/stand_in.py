"""Stand-in for every provider plugin in a credential-free preview.

One process serves all packages. It answers what a provider can say about a resource that does not
exist yet and knows nothing of any cloud: the inputs come back, every other output stays unknown.
It refuses everything but a preview.
"""

from __future__ import annotations

import hashlib
from typing import NoReturn

import grpc
from google.protobuf import empty_pb2, json_format

from lab.plugins.markers import SIGNATURE, UNKNOWN
from lab.plugins.protocol import (
    plugin_pb2,
    provider_pb2,
    provider_pb2_grpc,
    serve,
)
from lab.preview.answers import ANSWERS

COMPUTED_IN = {
    "aws:eks/cluster:Cluster": [("vpcConfig", "clusterSecurityGroupId"), ("vpcConfig", "vpcId")],
}
"""Fields that a cloud adds inside a group of inputs, by type: without this they would look absent.

Everything outside of the inputs is unknown by itself: the SDK takes what a preview does not return
for unknown.
"""

ANOTHER_SHAPE = {"azure-native:containerservice:ManagedCluster": ["identity"]}
"""Inputs that come back in another form than they went in, by type; they stay unknown."""


class PreviewStandIn(provider_pb2_grpc.ResourceProviderServicer):
    """Says what would be created and creates nothing."""

    def Handshake(self, request, context):
        return provider_pb2.ProviderHandshakeResponse(accept_secrets=True)

    def Attach(self, request, context):
        return empty_pb2.Empty()

    def GetPluginInfo(self, request, context):
        # Higher than any version that an SDK asks for, as one process answers for all packages.
        return plugin_pb2.PluginInfo(version="999.0.0")

    def CheckConfig(self, request, context):
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request, context):
        return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE)

    def Configure(self, request, context):
        return provider_pb2.ConfigureResponse(acceptSecrets=True, supportsPreview=True)

    def Check(self, request, context):
        if request.type.startswith("kubernetes:"):
            _name_object(request)
        return provider_pb2.CheckResponse(inputs=request.news)

    def Create(self, request, context):
        if not request.preview:
            _refuse(context, f"create {request.type} {request.name}")
        outputs = request.properties
        for group, field in COMPUTED_IN.get(request.type, ()):
            if group in outputs.fields:
                outputs.fields[group].struct_value.fields[field].string_value = UNKNOWN
        for field in ANOTHER_SHAPE.get(request.type, ()):
            outputs.fields.pop(field, None)
        return provider_pb2.CreateResponse(properties=outputs)

    def Read(self, request, context):
        return provider_pb2.ReadResponse(
            id=request.id, properties=request.properties, inputs=request.inputs
        )

    def Update(self, request, context):
        _refuse(context, f"update {request.type} {request.name}")

    def Delete(self, request, context):
        _refuse(context, f"delete {request.type} {request.name}")

    def Invoke(self, request, context):
        answer = ANSWERS.get(request.tok)
        if answer is None:
            context.abort(
                grpc.StatusCode.UNIMPLEMENTED,
                f"{request.tok}: the stand-in for previews does not know this function; "
                "add its answer to lab/preview/answers.py",
            )
        response = provider_pb2.InvokeResponse()
        fields = getattr(response, "return")
        fields.update(answer(json_format.MessageToDict(request.args)))
        return response

    def Cancel(self, request, context):
        return empty_pb2.Empty()


def _name_object(request: provider_pb2.CheckRequest) -> None:
    """Name a Kubernetes object as its provider does, in Check, so that a preview knows the name.

    The provider's suffix is random; this one comes from the URN, so that two previews compare.
    """
    inputs = request.news.fields
    if "kind" not in inputs:
        return  # a Helm release or another resource that is no object of the API
    metadata = inputs["metadata"]  # made if it is not there
    if metadata.WhichOneof("kind") not in (None, "struct_value"):
        return  # known after the update only
    named = metadata.struct_value.fields
    if not {"name", "generateName", SIGNATURE} & named.keys():
        suffix = hashlib.sha256(request.urn.encode()).hexdigest()[:8]
        named["name"].string_value = f"{request.name}-{suffix}"


def _refuse(context: grpc.ServicerContext, what: str) -> NoReturn:
    context.abort(
        grpc.StatusCode.FAILED_PRECONDITION,
        f"refused to {what}: this is the stand-in for credential-free previews, "
        "which touches no cloud; install the official provider plugin",
    )
    raise AssertionError("abort raises")


if __name__ == "__main__":
    serve(PreviewStandIn())
