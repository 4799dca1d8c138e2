"""What the mock engine answers where a program needs to know something that a cloud computes."""

from typing import Any


def computed(token: str, name: str, inputs: dict[str, Any]) -> dict[str, Any]:
    """Outputs that a new resource has beside its inputs."""
    match token:
        case "random:index/randomPassword:RandomPassword":
            return {"result": f"generated-{name}"}
        case "random:index/randomBytes:RandomBytes":
            return {"hex": "ab" * 64}
        case _ if token.startswith("kubernetes:") and "metadata" in inputs:
            metadata = inputs["metadata"]
            return {"metadata": {"name": f"{name}-autonamed", **metadata}}
        case _:
            return {}


def answer(token: str, args: dict[str, Any]) -> dict[str, Any]:
    """Result of a provider function; an unknown one is an error of the test."""
    raise LookupError(f"the mock engine has no answer to {token} {args}")
