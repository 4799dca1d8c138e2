"""What a preview says early of an image and its licence, and what settings say of their own."""

from datetime import date

import pytest
from pydantic import ValidationError

from components.iris.image import Image
from components.iris.image_told import image_warnings
from components.iris.settings import IrisSettings

ICR = "containers.intersystems.com/intersystems"
OWN = "registry.example.com/clinic/orders:14"
DIGEST = f"sha256:{'0' * 64}"
TODAY = date(2026, 11, 21)
KEY = "[ConfigFile]\nFileType=InterSystems License\n[License]\nExpirationDate={}\n"


def warnings(today: date = TODAY, **settings) -> str:
    """All that a preview says."""
    return "\n".join(image_warnings(IrisSettings(**settings), today))


def refused(**settings) -> str:
    """Why settings are refused."""
    with pytest.raises(ValidationError) as fault:
        IrisSettings(**settings)
    return str(fault.value)


def test_the_default_image_has_nothing_to_be_warned_of():
    assert warnings() == ""


def test_an_image_of_ones_own_says_nothing_and_is_taken_for_a_licensed_one():
    said = warnings(image=OWN)

    assert "ha-iris:iris.edition tells" in said
    assert "ha-iris:iris.release tells" in said
    assert IrisSettings(image=OWN).has_web_gateway()


def test_what_is_told_of_an_image_of_ones_own_counts():
    settings = IrisSettings(image=OWN, edition="iris-community", release="2026.2")

    assert not settings.has_web_gateway()
    assert settings.product().version == (2026, 2)
    assert "ends about 2027-08-22" in warnings(
        date(2027, 8, 1), image=OWN, edition="iris-community", release="2026.2"
    )
    assert warnings(image=OWN, edition="iris-community", release="2026.2") == ""


def test_a_tag_beside_a_digest_says_the_release_and_the_digest_may_not_move():
    image = f"{ICR}/irishealth-community:2026.2@{DIGEST}"

    assert Image(image).version == (2026, 2)
    assert Image(image).known_edition == "irishealth-community"
    for tag in ("latest-em", "latest-preview"):
        assert IrisSettings(image=f"{ICR}/iris-community:{tag}@{DIGEST}").product().community


def test_a_digest_alone_says_no_release_until_somebody_does():
    image = f"{ICR}/iris-community@{DIGEST}"

    assert "ha-iris:iris.release tells" in warnings(image=image)
    assert warnings(image=image, release="2026.2") == ""


def test_what_is_told_of_intersystems_image_must_not_contradict_its_name():
    assert "says another release" in refused(image=f"{ICR}/iris:2026.1", release="2025.1")
    assert "is iris-community; drop edition" in refused(
        image=f"{ICR}/iris-community:2026.2", edition="iris"
    )
    IrisSettings(image=f"{ICR}/iris:2026.1", release="2026.1.0.233.0")


def test_a_licence_key_goes_with_licensed_images_alone_and_is_not_empty():
    assert "Community Edition takes no licence key" in refused(
        image=OWN, edition="irishealth-community", license_key="key"
    )
    assert "the licence key is empty" in refused(image=f"{ICR}/iris:2026.1", license_key=" \n")
    assert "there is no licenseKey" in warnings(image=f"{ICR}/iris:2026.1")


@pytest.mark.parametrize(
    ("ends", "words"),
    [
        ("12/31/2026", "The licence in licenseKey ends on 2026-12-31"),
        ("11/20/2026", "The licence in licenseKey ended on 2026-11-20"),
        ("6/1/2027", ""),
        ("31/31/2026", ""),
        ("never", ""),
    ],
)
def test_the_end_of_a_licence_is_told_where_its_key_says_it(ends, words):
    said = warnings(image=f"{ICR}/iris:2026.1", license_key=KEY.format(ends))

    assert words in said
    assert bool(said) == bool(words)


def test_gateways_are_told_to_take_connections_of_the_few_that_community_edition_has():
    said = warnings(web_gateway={"enabled": True})

    assert "Community Edition allows 8 connections at a time, and the 2 web gateways" in said


def test_an_image_with_an_entrypoint_of_its_own_is_told_until_the_stack_names_iris_main():
    image = "docker.io/intersystemsdc/iris-community:2026.2"

    assert "set ha-iris:iris.entrypoint" in warnings(image=image)
    assert warnings(image=image, entrypoint=("/tini", "--", "/iris-main")) == ""
