"""The Schedule that docs/backup.md gives to Velero, as Velero's own code reads and runs it."""

import re
import time
from pathlib import Path

import pytest
import yaml

from components.iris.operator import labels as operator
from tests.unit.backup_cluster import PlayedIris
from tests.velero import run_hooks

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "backup.md").read_text()
(SCHEDULE,) = re.findall(r"```yaml\n(apiVersion: velero.io/v1\n.*?)```", PAGE, re.DOTALL)
SCRIPTS = "/etc/ha-iris/scripts"
WORKLOADS = {
    kind: f"kubernetes:{group}/v1:{kind}"
    for kind, group in (("Deployment", "apps"), ("StatefulSet", "apps"), ("DaemonSet", "apps"))
} | {"CronJob": "kubernetes:batch/v1:CronJob"}


def pods(engine):
    """A pod of every workload that a program puts beside IRIS, as the API server would have it."""
    found = []
    for kind, token in WORKLOADS.items():
        for made in engine.of_type(token):
            if made.inputs["metadata"]["namespace"] != "iris":
                continue
            spec = made.inputs["spec"]
            spec = spec["jobTemplate"]["spec"] if kind == "CronJob" else spec
            told = {**spec["template"]["metadata"], "name": made.name, "namespace": "iris"}
            containers = [{"name": one["name"]} for one in spec["template"]["spec"]["containers"]]
            found.append({"metadata": told, "spec": {"containers": containers}})
    return found


def operators_pod(component, **more):
    told = {**operator.pods(component), **more}
    containers = [{"name": "webgateway" if component == "webgateway" else "iris"}]
    return {
        "metadata": {"name": component, "namespace": "iris", "labels": told},
        "spec": {"containers": containers},
    }


@pytest.fixture
def iris(tmp_path):
    return PlayedIris(tmp_path / "iris")


@pytest.fixture
def ran(iris):
    """What Velero runs in pods by the page's Schedule, or by another."""

    def run(pods, schedule=SCHEDULE, **options):
        return run_hooks(
            schedule,
            pods,
            mounts={SCRIPTS: str(ROOT / "components" / "iris" / "scripts")},
            environment=iris.environment,
            **options,
        )

    return run


@pytest.fixture
def deployment(committed):
    """The pod of the default form."""
    (pod,) = (pod for pod in pods(committed("dev")) if pod["metadata"]["name"] == "iris-deployment")
    return pod


def test_velero_freezes_iris_before_a_backup_and_thaws_it_after(iris, ran, deployment):
    (pre,) = ran([deployment], phases=["pre"])
    assert iris.frozen
    (post,) = ran([deployment], phases=["post"])

    assert not iris.frozen
    assert iris.did("frozen") == iris.did("thawed") == 1
    assert pre["failed"] == post["failed"] == ""
    read = {"source": "spec", "container": "iris", "onError": "Fail", "timeout": "1m0s"}
    freeze = {**read, "command": [f"{SCRIPTS}/freeze.sh", "alone", "120"]}
    thaw = {**read, "command": [f"{SCRIPTS}/freeze.sh", "end"]}
    assert {**pre, **freeze} == pre
    assert {**post, **thaw} == post


def test_velero_calls_no_backup_good_before_which_iris_did_not_freeze(iris, ran, deployment):
    iris.fails("refuses-freeze")

    (pre,) = ran([deployment], phases=["pre"])

    assert "ExternalFreeze ended with 3" in pre["printed"]
    assert "exit code 1" in pre["failed"]
    assert not iris.frozen


def test_velero_calls_no_backup_good_during_which_iris_resumed(iris, ran, deployment):
    ran([deployment], phases=["pre"])
    (iris.folder / "frozen").unlink()

    (post,) = ran([deployment], phases=["post"])

    assert "not frozen any more" in post["printed"]
    assert post["failed"]


def test_iris_is_thawed_although_velero_never_runs_its_second_hook(iris, ran, deployment):
    ran([deployment], SCHEDULE.replace('"120"', '"1"'), phases=["pre"])
    (iris.folder / "frozen").write_text("99999999999")  # and IRIS does not resume by itself

    begin = time.monotonic()
    while iris.frozen:
        assert time.monotonic() - begin < 25
        time.sleep(0.05)

    assert iris.did("thawed") == 1


FORMS = {
    "deployment": {},
    "statefulset": {"form": "statefulset", "instances": 2},
}


@pytest.mark.parametrize("form", FORMS)
def test_velero_freezes_the_database_and_nothing_that_runs_beside_it(ran, committed, form):
    around = pods(committed("dev", iris={**FORMS[form], "webGateway": {"enabled": True}}))

    assert {one["pod"] for one in ran(around)} == {f"iris-{form}"}
    assert len(around) > 2
    assert not [pod for pod in around if "velero" in str(pod["metadata"].get("annotations"))]


@pytest.mark.parametrize("mirrored", [False, True], ids=["one", "mirror"])
def test_velero_freezes_an_operators_database_by_the_selector_that_the_page_names(ran, mirrored):
    told = re.search(r"of an `operator`\n`\{(.*?)\}`, and with a mirror also\n`(.*?)`", PAGE)
    assert told
    labels = "{" + (", ".join(told.groups()) if mirrored else told[1]) + "}"
    page = yaml.safe_load(SCHEDULE)
    (resource,) = page["spec"]["template"]["hooks"]["resources"]
    resource["labelSelector"] = {"matchLabels": yaml.safe_load(labels)}
    around = [
        operators_pod("data", **operator.pods("data", mirrored=mirrored)),
        operators_pod("compute"),
        operators_pod("arbiter"),
        operators_pod("webgateway"),
    ]

    assert resource["labelSelector"]["matchLabels"] == operator.pods("data", mirrored=mirrored)
    assert [one["pod"] for one in ran(around, yaml.safe_dump(page))] == ["data", "data"]


def test_velero_takes_an_annotation_of_the_pod_for_its_hook_in_place_of_the_schedules(
    ran, deployment
):
    told = {
        "pre.hook.backup.velero.io/command": f'["{SCRIPTS}/freeze.sh", "thaw"]',
        "pre.hook.backup.velero.io/on-error": "Continue",
    }
    pod = {**deployment, "metadata": {**deployment["metadata"], "annotations": told}}

    (pre,) = ran([pod], phases=["pre"])

    assert pre["source"] == "annotation"
    assert (pre["onError"], pre["timeout"]) == ("Continue", "30s")
    assert pre["command"] == [f"{SCRIPTS}/freeze.sh", "thaw"]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("labelSelector", "labelSelectors"),
        ("onError", "on-error"),
        ("timeout: 60s", "timeout: 60"),
    ],
)
def test_velero_refuses_a_schedule_with_a_field_that_it_does_not_know(ran, deployment, wrong, said):
    with pytest.raises(ValueError, match=said.partition(":")[0]):
        ran([deployment], SCHEDULE.replace(wrong, said))
