"""What a stack may choose about the Gateway of its web entrance."""

from typing import Literal

from pydantic import Field
from pydantic.alias_generators import to_camel

from components.settings import AnnotationKey, KubernetesName, Settings

INTERNAL_CLASSES = ("gke-l7-rilb", "gke-l7-rilb-mc", "gke-l7-cross-regional-internal-managed-mc")
"""GKE's GatewayClasses whose load balancer has an address of the network alone."""


class GatewaySettings(Settings):
    """A Gateway that this program makes (className), or one that exists (name)."""

    class_name: KubernetesName | None = None
    """GatewayClass of a Gateway of our own, as `kubectl get gatewayclass` names it."""

    name: KubernetesName | None = None
    """A Gateway that exists and lets routes of IRIS's namespace attach (allowedRoutes)."""

    namespace: KubernetesName | None = None
    """Namespace of the Gateway that exists."""

    https_section: KubernetesName = "https"
    """Its listener for https; for http where no TLS is asked for."""

    http_section: KubernetesName | None = None
    """Its listener for http; with it requests by http are redirected, and HTTP01 is possible."""

    address: Literal["internal", "public"] = "internal"
    """Address of a Gateway of our own whose controller makes a Service of type LoadBalancer.

    A GatewayClass of GKE, or of Azure's and AWS's own controllers, decides for itself.
    """

    annotations: dict[AnnotationKey, str] = Field(default={}, max_length=32)
    """Annotations of a Gateway of our own."""

    infrastructure_annotations: dict[AnnotationKey, str] = Field(default={}, max_length=8)
    """Annotations of what its controller makes for it, such as a Service. They win over address."""

    def check(self) -> None:
        """Find what does not go together.

        Raises:
            ValueError: with reason and cure.
        """
        if self.class_name is None and self.name is None:
            raise ValueError(
                "nobody says which Gateway; set className to one of `kubectl get gatewayclass` "
                "for a Gateway of its own, or name and namespace of one that exists"
            )
        if self.class_name and self.name:
            raise ValueError(
                f"className {self.class_name} makes a Gateway and name {self.name} takes one that "
                "exists; drop one of the two"
            )
        if self.name and self.namespace is None:
            raise ValueError(f"name is {self.name}, in no namespace; set namespace")
        if self.name:
            for key in ("address", "annotations", "infrastructure_annotations"):
                if key in self.model_fields_set:
                    shown = to_camel(key)
                    raise ValueError(
                        f"{shown} is of a Gateway that this program makes, and {self.name} is "
                        f"somebody else's; drop {shown}, or set it there"
                    )
        else:
            for key in ("namespace", "https_section", "http_section"):
                if key in self.model_fields_set:
                    shown = to_camel(key)
                    raise ValueError(
                        f"{shown} is of a Gateway that exists, and className makes one; drop it"
                    )

    def is_internal(self) -> bool | None:
        """Whether the Internet cannot reach it; None where nothing here tells."""
        if self.class_name is None:
            return None
        if self.class_name.startswith("gke-l7-"):
            return self.class_name in INTERNAL_CLASSES
        # A controller of the cloud itself reads its own annotations and class.
        if self.class_name.startswith(("azure-alb", "amazon-vpc-lattice", "aws-alb")):
            return None
        return self.address == "internal" and not self.infrastructure_annotations
