"""What a stack may choose about the image of IRIS, its licence and where it is pulled from."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field, SecretStr, ValidationInfo, field_validator

from components.iris.image import IMAGE, Edition, Image, edition_of, moves, version_of
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
    """Image with a tag, a digest or both. The default is Community Edition, for both processors.

    With both, the digest decides what is pulled, and the tag says which release that is. An image
    of your own, made from one of InterSystems': docs/images.md.
    """

    edition: Edition | None = None
    """Product that an image of your own is made from; InterSystems' own names say it.

    What follows from it: web server, licence, limits. Where nothing says it, a licensed IRIS.
    """

    release: str | None = Field(default=None, pattern=r"^20\d\d(\.\d+)+$")
    """Release of IRIS in an image whose tag does not say it, as in 2026.2 or 2026.1.0.233.0.

    An older one than the one before is refused, so move it together with the image.
    """

    allow_older_image: bool = False
    """Let an update go to an older release than the one that wrote the volume.

    For one `pulumi up`, after the volume was put back to a snapshot from before an upgrade: an
    older IRIS does not open what a newer one has written.
    """

    entrypoint: tuple[str, ...] | None = Field(default=None, min_length=1)
    """What starts IRIS, where the image's own entrypoint is not InterSystems'.

    ["/tini", "--", "/iris-main"] is InterSystems'. The program's options for iris-main follow it.
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

    @field_validator("edition")
    @classmethod
    def _is_what_the_name_says(cls, told: Edition | None, info: ValidationInfo) -> Edition | None:
        image = info.data.get("image", "")
        named = edition_of(image) if "intersystems/" in image else None
        if told and named and told != named:
            raise ValueError(f"{image} is {named}; drop edition, which is for images of your own")
        return told

    @field_validator("release")
    @classmethod
    def _is_what_the_tag_says(cls, told: str | None, info: ValidationInfo) -> str | None:
        image = info.data.get("image", "")
        tagged = version_of(image) if "intersystems/" in image else None
        if told and tagged:
            version = Image(image, release=told).version or ()
            common = min(len(version), len(tagged))
            if version[:common] != tagged[:common]:
                raise ValueError(f"the tag of {image} says another release; drop release")
        return told

    @field_validator("license_key")
    @classmethod
    def _belongs_to_the_image(cls, key: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if key is None:
            return key
        if not key.get_secret_value().strip():
            raise ValueError("the licence key is empty; give the content of iris.key, or drop it")
        image = told_image(info.data)
        if image and image.community:
            raise ValueError(
                "Community Edition takes no licence key; set iris.image to the licensed image, "
                "or drop licenseKey"
            )
        return key

    def product(self) -> Image:
        """The image with all that is known of it."""
        return Image(self.image, self.edition, self.release)

    def offers_portal(self) -> bool:
        """Whether a web server answers beside the superserver, in the database's own pod."""
        return brings_web_server(self.product(), self.web_server)


def told_image(data: Mapping[str, Any]) -> Image | None:
    """The image of settings that are being validated; None where its name is at fault."""
    name = data.get("image")
    return Image(name, data.get("edition"), data.get("release")) if name else None


def brings_web_server(image: Image, told: bool | None) -> bool:
    """Whether an image offers the portal, as the stack tells or else as is known of it."""
    return image.has_web_server if told is None else told
