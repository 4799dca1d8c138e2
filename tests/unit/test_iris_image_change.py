"""No older IRIS starts on the volume of a newer one, unless the volume was put back."""

import pulumi
import pytest

from components.iris.image import Image
from components.iris.image_change import image_change, told_of
from tests.unit.iris_parts import DEPLOYMENT

ICR = "containers.intersystems.com/intersystems"


def deployment(image: str, release: str | None = None) -> dict:
    """Inputs of a Deployment with this image, and with the release that was told of it."""
    return {
        "metadata": {"annotations": told_of(Image(image, release=release))},
        "spec": {"template": {"spec": {"containers": [{"name": "iris", "image": image}]}}},
    }


@pytest.fixture
def change(deploy):
    """What is said when one image follows another: the refusal, or None."""

    def run(
        before: str,
        after: str,
        *,
        releases: tuple[str | None, str | None] = (None, None),
        older_allowed: bool = False,
    ) -> str | None:
        said: list[str] = []

        def program():
            hooks = image_change("change", older_allowed=older_allowed).before_update or []
            for hook in hooks:
                assert isinstance(hook, pulumi.ResourceHook)
                asked = pulumi.ResourceHookArgs(
                    urn="urn",
                    id="iris/iris",
                    name="iris-deployment",
                    type=DEPLOYMENT,
                    old_inputs=deployment(f"{ICR}/{before}", releases[0]),
                    new_inputs=deployment(f"{ICR}/{after}", releases[1]),
                )
                try:
                    hook.callback(asked)
                except ValueError as refusal:
                    said.append(str(refusal))

        deploy(program)
        return said[0] if said else None

    return run


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("iris-community:2026.2", "iris-community:2026.1"),
        ("iris-community:2026.2", "iris:2026.1"),
        ("iris:2026.1.0.233.0", "iris:2026.1.0.200.0"),
        ("iris:2026.1", "iris:2025.1.0.223.0"),
    ],
)
def test_an_older_release_is_refused_with_both_names_and_the_cure(change, before, after):
    told = change(before, after)

    assert told is not None
    assert f"ha-iris:iris.image is {ICR}/{after}, which is older than {ICR}/{before}" in told
    assert "ha-iris:iris.allowOlderImage to true" in told


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("iris:2026.1", "iris:2026.1"),
        ("iris:2026.1", "iris:2026.2"),
        ("iris:2026.1", "iris:2026.1.0.233.0"),
        ("iris:2026.1.0.233.0", "iris:2026.1"),
        ("iris:2026.1", f"iris@sha256:{'0' * 64}"),
        (f"iris@sha256:{'0' * 64}", "iris:2025.1"),
    ],
)
def test_a_newer_release_and_one_that_nothing_is_known_of_are_not_refused(change, before, after):
    assert change(before, after) is None


def test_a_volume_that_was_put_back_may_get_its_older_image(change):
    assert change("iris:2026.1", "iris:2025.1", older_allowed=True) is None


def test_another_edition_is_warned_of(change, caplog):
    assert change("iris-community:2026.1", "iris:2026.1") is None
    assert "is another edition than" in caplog.text


def test_an_upgrade_of_the_same_edition_warns_of_nothing(change, caplog):
    change("irishealth-community:2026.2", "irishealth-community:2026.3")
    change("iris:2026.1", "iris:2027.1")

    assert caplog.text == ""


def test_leaving_extended_maintenance_is_warned_of(change, caplog):
    change("iris:2026.1", "iris:2026.2")

    assert "is a continuous delivery release" in caplog.text


def test_a_release_that_is_told_of_an_image_without_a_tag_is_ordered_too(change):
    older = f"iris@sha256:{'0' * 64}"

    told = change(f"iris@sha256:{'1' * 64}", older, releases=("2026.2", "2026.1.0.233.0"))

    assert told is not None
    assert f"{older} (2026.1.0.233.0), which is older than" in told


def test_what_is_told_of_an_image_is_kept_where_the_next_update_finds_it(iris):
    told = {"image": "registry.example.com/app:7", "edition": "iris", "release": "2026.1"}

    annotations = iris(**told).one(DEPLOYMENT, "iris-deployment").inputs["metadata"]["annotations"]

    assert annotations["ha-iris/image-release"] == "2026.1"
    assert annotations["ha-iris/image-edition"] == "iris"


def test_the_deployment_asks_before_it_changes(iris):
    hooks = iris().one(DEPLOYMENT).request.hooks

    assert list(hooks.before_update) == [
        "iris-image-change",
        "iris-restart-told",
        "iris-upgrade",
    ]
    # One before a deletion would make a plain `pulumi destroy` refuse.
    assert list(hooks.before_delete) == []
