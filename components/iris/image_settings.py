"""What a stack may choose about the image of IRIS, its licence and where it is pulled from."""

from pydantic import Field, SecretStr, ValidationInfo, field_validator

from components.iris.image import IMAGE, has_web_server, is_community, moves
from components.settings import ContainerImage, Settings


class RegistryLogin(Settings):
    """Login to the registry of the IRIS image, for images that are not public."""

    server: str = Field(
        default="containers.intersystems.com", pattern=r"^[a-z0-9.-]+(:\d+)?(/[a-z0-9._/-]+)?$"
    )
    """Host of the registry."""

    username: str = Field(min_length=1)
    """User, for InterSystems' registry the WRC user name."""

    password: SecretStr
    """Token or password; set it with ``pulumi config set --secret --path``."""


class ImageSettings(Settings):
    """Which IRIS runs."""

    image: ContainerImage = IMAGE
    """Image with a tag or digest. The default is Community Edition, for both processors."""

    allow_older_image: bool = False
    """Let an update go to an older release than the one that wrote the volume.

    For one `pulumi up`, after the volume was put back to a snapshot from before an upgrade: an
    older IRIS does not open what a newer one has written.
    """

    web_server: bool | None = None
    """Whether the image brings a web server that offers the portal on 52773.

    Without it, what its name says: Community Edition does, licensed images since 2023.2 do not.
    Where there is none, the portal is behind ``webGateway``.
    """

    registry_login: RegistryLogin | None = None
    """Login for an image that is not public."""

    license_key: SecretStr | None = None
    """Content of iris.key; Community Edition needs none. Keep it secret."""

    @field_validator("image")
    @classmethod
    def _never_moves(cls, image: str) -> str:
        if moves(image):
            raise ValueError(
                "such a tag moves, and IRIS refuses to start a newer build on a volume that was "
                "not closed cleanly, which is every failover; name a release or a digest"
            )
        return image

    @field_validator("license_key")
    @classmethod
    def _belongs_to_the_image(cls, key: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        image = info.data.get("image")
        if key and image and is_community(image):
            raise ValueError(
                "Community Edition takes no licence key; set iris.image to the licensed image, "
                "or drop licenseKey"
            )
        return key

    def offers_portal(self) -> bool:
        """Whether a web server answers beside the superserver, in the database's own pod."""
        return brings_web_server(self.image, self.web_server)


def brings_web_server(image: str, told: bool | None) -> bool:
    """Whether an image offers the portal, as the stack tells or else as its name says."""
    return has_web_server(image) if told is None else told
