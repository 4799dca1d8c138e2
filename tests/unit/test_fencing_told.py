"""What a preview says of fencing, and whom the agent saves."""

import pytest

from components.fencing.settings import FencingSettings
from components.fencing.told import tell, with_fallback
from components.iris import IrisSettings
from tests.unit.iris_cluster import CHART, LICENSED, MIRROR
from tests.unit.test_fencing_stack import command, told

__all__ = ["command"]


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ("deployment", "86 to 150 s, 121 on average, and after 66 to 75 s with it"),
        ("statefulset", "128 to 255 s, 164 on average, and after 66 to 75 s with it"),
        ("operator", "164 on average, as that of a StatefulSet, which the operator makes, and"),
    ],
)
def test_a_preview_without_fencing_tells_what_it_would_save_of_each_form(
    deploy, caplog, form, said
):
    caplog.set_level("INFO")
    iris = IrisSettings.model_construct(form=form)

    deploy(lambda: tell(iris, FencingSettings()))

    assert said in caplog.text


@pytest.mark.parametrize(("seconds", "warned"), [(10, True), (90, False)])
def test_a_toleration_that_somebody_chose_stays_and_one_that_disturbs_is_told(
    deploy, caplog, seconds, warned
):
    iris, fencing = IrisSettings(toleration_seconds=seconds), FencingSettings(enabled=True)

    deploy(lambda: tell(iris, fencing))

    assert with_fallback(iris, fencing).toleration_seconds == seconds
    assert ("disturb each other" in caplog.text) == warned


def test_every_member_of_a_mirror_is_saved_and_not_its_primary_alone(composed, command):
    operator = {"chart": CHART, "mirrored": True, "arbiterImage": MIRROR["arbiter_image"]}
    iris = {"form": "operator", "operator": operator, "image": LICENSED["image"]}

    engine, _ = composed("dev", iris=iris, fencing={"enabled": True, "command": command})

    (selector,) = told(engine)["selectors"]
    assert "intersystems.com/component=data" in selector
    assert "mirrorRole" not in selector
