"""What the mock engine answers where a program needs to know something that a cloud computes."""

from typing import Any


def computed(token: str, name: str, inputs: dict[str, Any]) -> dict[str, Any]:
    """Outputs that a new resource has beside its inputs."""
    match token:
        case "random:index/randomPassword:RandomPassword":
            return {"result": f"generated-{name}"}
        case "random:index/randomBytes:RandomBytes":
            return {"hex": "ab" * 64}
        case "gcp:container/cluster:Cluster":
            return {
                "endpoint": "203.0.113.9",
                "masterAuth": {**inputs["masterAuth"], "clusterCaCertificate": "Q0E="},
                "controlPlaneEndpointsConfig": {
                    "dnsEndpointConfig": {"endpoint": "gke-1a2b.europe-west1.gke.goog"}
                },
            }
        case "gcp:serviceaccount/account:Account":
            email = f"{inputs['accountId']}@{inputs['project']}.iam.gserviceaccount.com"
            return {"email": email, "member": f"serviceAccount:{email}"}
        case "gcp:storage/hmacKey:HmacKey":
            return {"accessId": "GOOG1EXAMPLE", "secret": f"generated-{name}"}
        case "gcp:storage/bucket:Bucket" | "gcp:compute/router:Router":
            return {"name": f"{name}-autonamed"}
        case _ if token.startswith("kubernetes:") and "metadata" in inputs:
            metadata = inputs["metadata"]
            return {"metadata": {"name": f"{name}-autonamed", **metadata}}
        case _:
            return {}


def answer(token: str, args: dict[str, Any]) -> dict[str, Any]:
    """Result of a provider function; an unknown one is an error of the test."""
    raise LookupError(f"the mock engine has no answer to {token} {args}")
