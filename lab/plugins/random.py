"""Stand-in for Pulumi's random provider, for the lab: real random values from the system's source.

Knows RandomPassword, RandomString, RandomId and RandomBytes with the inputs and outputs of
pulumi-random 4.21.4, except for ``bcryptHash``. A changed input replaces the resource, as there.
"""

from __future__ import annotations

import base64
import secrets
import string
from collections.abc import Callable, Mapping
from typing import Any

import grpc
from google.protobuf import empty_pb2, json_format, struct_pb2

from lab.plugins.markers import SIGNATURE, UNKNOWN
from lab.plugins.protocol import (
    plugin_pb2,
    provider_pb2,
    provider_pb2_grpc,
    serve,
)

VERSION = "4.21.4"
SPECIAL = "!@#$%&*()-_=+[]{}<>:?"
"""Special characters unless overridden (random_password in the Terraform provider's reference)."""

Inputs = Mapping[str, Any]
Outputs = dict[str, Any]


def secret(value: str) -> Outputs:
    """A value as the protocol marks it secret (sdk/go/common/resource/sig)."""
    return {
        SIGNATURE: "1b47061264138c4ac30d75fd1eb44270",
        "value": value,
    }


def characters(inputs: Inputs) -> str:
    """Random text of the wanted length that has the wanted minimum of each kind in it.

    Raises:
        ValueError: the minimums do not fit into the length, or no kind of character is left.
    """
    kinds = {
        "lower": (string.ascii_lowercase, "minLower"),
        "upper": (string.ascii_uppercase, "minUpper"),
        "numeric": (string.digits, "minNumeric"),
        "special": (inputs.get("overrideSpecial") or SPECIAL, "minSpecial"),
    }
    # `number` is the older name of `numeric`.
    wanted = {"numeric": inputs.get("number", True), **inputs}
    length = int(inputs["length"])
    alphabet = "".join(letters for kind, (letters, _) in kinds.items() if wanted.get(kind, True))
    text = [
        secrets.choice(letters)
        for letters, minimum in kinds.values()
        for _ in range(int(inputs.get(minimum, 0)))
    ]
    if len(text) > length:
        raise ValueError(f"length is {length}, less than the sum of all minimums, {len(text)}")
    if not alphabet:
        raise ValueError("no kind of character is allowed")
    text += [secrets.choice(alphabet) for _ in range(length - len(text))]
    secrets.SystemRandom().shuffle(text)
    return "".join(text)


def _password(inputs: Inputs) -> tuple[str, Outputs]:
    return "none", {"result": secret(characters(inputs))}


def _string(inputs: Inputs) -> tuple[str, Outputs]:
    result = characters(inputs)
    return result, {"result": result}


def _id(inputs: Inputs) -> tuple[str, Outputs]:
    value = secrets.token_bytes(int(inputs["byteLength"]))
    prefix = inputs.get("prefix", "")
    url = base64.urlsafe_b64encode(value).decode().rstrip("=")
    return url, {
        "b64Url": prefix + url,
        "b64Std": prefix + base64.b64encode(value).decode(),
        "hex": prefix + value.hex(),
        "dec": prefix + str(int.from_bytes(value)),
    }


def _bytes(inputs: Inputs) -> tuple[str, Outputs]:
    value = secrets.token_bytes(int(inputs["length"]))
    return "none", {
        "base64": secret(base64.b64encode(value).decode()),
        "hex": secret(value.hex()),
    }


MAKERS: dict[str, Callable[[Inputs], tuple[str, Outputs]]] = {
    "random:index/randomPassword:RandomPassword": _password,
    "random:index/randomString:RandomString": _string,
    "random:index/randomId:RandomId": _id,
    "random:index/randomBytes:RandomBytes": _bytes,
}
"""What makes a resource's id and outputs, by type."""


class RandomStandIn(provider_pb2_grpc.ResourceProviderServicer):
    """Makes random values once; they live in Pulumi's state and nowhere else."""

    def GetPluginInfo(self, request, context):
        return plugin_pb2.PluginInfo(version=VERSION)

    def CheckConfig(self, request, context):
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request, context):
        return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE)

    def Configure(self, request, context):
        return provider_pb2.ConfigureResponse(supportsPreview=True)

    def Check(self, request, context):
        maker = MAKERS.get(request.type)
        if maker is None:
            context.abort(
                grpc.StatusCode.UNIMPLEMENTED,
                f"{request.type}: the lab's stand-in for the random provider does not know it; "
                f"it knows {', '.join(kind.rsplit(':', 1)[1] for kind in MAKERS)}",
            )
        response = provider_pb2.CheckResponse(inputs=request.news)
        inputs = _plain(request.news)
        if UNKNOWN not in inputs.values():
            try:
                maker(inputs)
            except ValueError as fault:
                response.failures.add(property="length", reason=str(fault))
        return response

    def Diff(self, request, context):
        before, after = _plain(request.old_inputs), _plain(request.news)
        changed = sorted(key for key in {*before, *after} if before.get(key) != after.get(key))
        kind = (
            provider_pb2.DiffResponse.DIFF_SOME if changed else provider_pb2.DiffResponse.DIFF_NONE
        )
        return provider_pb2.DiffResponse(changes=kind, diffs=changed, replaces=changed)

    def Create(self, request, context):
        response = provider_pb2.CreateResponse(properties=request.properties)
        if not request.preview:
            response.id, outputs = MAKERS[request.type](_plain(request.properties))
            response.properties.update(outputs)
        return response

    def Read(self, request, context):
        return provider_pb2.ReadResponse(
            id=request.id, properties=request.properties, inputs=request.inputs
        )

    def Delete(self, request, context):
        return empty_pb2.Empty()

    def Cancel(self, request, context):
        return empty_pb2.Empty()


def _plain(struct: struct_pb2.Struct) -> dict[str, Any]:
    return json_format.MessageToDict(struct)


if __name__ == "__main__":
    serve(RandomStandIn())
