"""What an image's name says: edition, release, licence, processor."""

from datetime import date

import pytest

from components.iris.image import (
    IMAGE,
    Image,
    abandoned_repository,
    licence_warning,
    version_of,
    wrong_architecture,
)

ICR = "containers.intersystems.com/intersystems"


@pytest.mark.parametrize("architecture", ["amd64", "arm64"])
def test_the_default_image_runs_on_both_processors(architecture):
    assert wrong_architecture(IMAGE, architecture) is None
    assert abandoned_repository(IMAGE) is None


def test_a_licensed_image_without_a_suffix_runs_on_arm64_nodes():
    assert wrong_architecture(f"{ICR}/iris:2026.1", "arm64") is None


def test_an_image_for_arm64_alone_does_not_run_on_other_nodes():
    fault = wrong_architecture(f"{ICR}/iris-arm64:2025.1", "amd64")

    assert fault
    assert "use the repository iris, or nodes of the other architecture" in fault
    assert wrong_architecture(f"{ICR}/iris-arm64:2025.1", "arm64") is None
    assert wrong_architecture("registry.example.com/own-arm64:1", "amd64") is None


def test_a_repository_that_gets_no_releases_is_named_and_its_successor_too():
    warning = abandoned_repository(f"{ICR}/iris-community-arm64:2025.1")

    assert warning
    assert "iris-community holds the builds for both processors" in warning


@pytest.mark.parametrize(
    ("image", "has_one"),
    [
        (f"{ICR}/iris-community:2026.2", True),
        (f"{ICR}/irishealth-community:2026.2", True),
        (f"{ICR}/iris:2023.1", True),
        (f"{ICR}/iris:2023.2", False),
        (f"{ICR}/iris:2026.1.0.233.0", False),
        (f"{ICR}/iris@sha256:{'0' * 64}", False),
    ],
)
def test_only_community_edition_brings_a_web_server_since_2023_2(image, has_one):
    assert Image(image).has_web_server is has_one


@pytest.mark.parametrize(
    ("image", "today", "word"),
    [
        (IMAGE, date(2026, 11, 21), None),
        (IMAGE, date(2027, 6, 22), None),
        (IMAGE, date(2027, 6, 24), "ends about 2027-08-22"),
        (IMAGE, date(2027, 8, 23), "ended about 2027-08-22"),
        (f"{ICR}/iris-community:2024.3", date(2026, 11, 21), "ended about 2026-01-28"),
        (f"{ICR}/iris-community:2027.1", date(2027, 11, 21), None),
        (f"{ICR}/iris:2024.1", date(2026, 11, 21), None),
        (f"{ICR}/iris-community@sha256:{'0' * 64}", date(2030, 1, 1), None),
    ],
)
def test_the_end_of_a_community_licence_is_announced(image, today, word):
    warning = licence_warning(Image(image), today)

    assert (warning is None) if word is None else (warning and word in warning)


def test_a_licence_that_has_ended_is_told_by_every_preview(iris, caplog):
    iris(image=f"{ICR}/iris-community:2023.1")

    assert "The licence in" in caplog.text
    assert "ended about 2025-01-28" in caplog.text


def test_a_full_build_number_names_its_release():
    assert version_of(f"{ICR}/iris:2026.1.0.233.0") == (2026, 1, 0, 233, 0)
    assert version_of(f"{ICR}/iris-community:2026.2-zpm") == (2026, 2)
    assert version_of(f"localhost:5000/iris@sha256:{'0' * 64}") is None
