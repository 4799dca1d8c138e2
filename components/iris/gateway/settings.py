"""What a stack may choose about the web gateway."""

from pydantic import Field, field_validator

from components.iris.image import moves, needs_root
from components.iris.service import IrisServiceSettings
from components.settings import ContainerImage, Settings

# The gateway serves IRIS of its own release and of every one before: move it together with the
# default of iris.image, or ahead of it. Newer releases, which come out for all products at once:
# https://docs.intersystems.com/irislatest, tags on https://containers.intersystems.com/contents
GATEWAY_IMAGE = "containers.intersystems.com/intersystems/webgateway-lockeddown:2026.2"


class WebGatewaySettings(Settings):
    """InterSystems' web gateway: a web server that brings requests to IRIS."""

    enabled: bool | None = None
    """Whether to run it. Without it: where the image of IRIS brings no web server.

    Switching it on or off restarts IRIS, which learns of the gateway's user at its start.
    """

    image: ContainerImage = GATEWAY_IMAGE
    """InterSystems' image webgateway-lockeddown, of the release of iris.image or a later one.

    It comes from the same registry as the image of IRIS, with the same registryLogin.
    """

    replicas: int = Field(default=2, ge=1, le=16)
    """Gateways, spread over zones and nodes."""

    cpu: float = Field(default=0.5, ge=0.1, le=32)
    """Processors of each, requested and limited."""

    memory_mib: int = Field(default=512, ge=128, le=65536)
    """Memory of each, MiB, requested and limited."""

    response_seconds: int = Field(default=60, ge=5, le=86400)
    """How long IRIS may take to answer a request (CSP.ini, Server_Response_Timeout)."""

    service: IrisServiceSettings = IrisServiceSettings()
    """How clients reach the gateway."""

    def is_on(self, *, built_in: bool) -> bool:
        """Whether to run it, where the image of IRIS has a web server of its own or has none."""
        return not built_in if self.enabled is None else self.enabled

    @field_validator("image")
    @classmethod
    def _never_moves(cls, image: str) -> str:
        if moves(image):
            raise ValueError(
                "such a tag moves, and the gateways would be of several releases; name a release "
                "or a digest"
            )
        return image

    @field_validator("image")
    @classmethod
    def _runs_without_root(cls, image: str) -> str:
        if needs_root(image):
            raise ValueError(
                "root runs this one, which the namespace's pod security, restricted, refuses; use "
                "webgateway-lockeddown"
            )
        return image
