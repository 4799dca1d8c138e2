"""The development stack on the real Pulumi engine against a real API server.

The provider plugins are the lab's stand-ins and the nodes are simulated; planning, state, secrets,
protection, admission and scheduling are the real ones.
"""

import base64
import json
from typing import Any

import pytest

from lab.engine import EngineError
from tests.lab.stack import changes
from tests.lab.waiting import eventually

DATABASE = ("-l", "app.kubernetes.io/name=iris")
"""Its pods, and not those that hold its image on every node."""


def test_up_builds_everything_and_a_second_up_changes_nothing(no_stack):
    stack = no_stack
    first = stack.run("up")
    second = stack.run("up")

    assert set(changes(first).values()) == {"create"}
    assert changes(second) == {}
    deployment = stack.get("deployment", "iris", "-n", "iris")
    assert deployment["status"]["readyReplicas"] == 1
    claim = stack.get("persistentvolumeclaim", "iris-data", "-n", "iris")
    assert claim["status"]["phase"] == "Bound"
    assert claim["spec"]["storageClassName"] == "longhorn-iris"
    (pod,) = stack.get("pods", "-n", "iris", *DATABASE)["items"]
    assert pod["status"]["phase"] == "Running"


def test_longhorn_is_told_what_the_program_decided(stack):
    def settings() -> list[Any]:
        return stack.get("settings.longhorn.io", "-n", "longhorn-system")["items"]

    eventually(lambda: len(settings()) > 10)
    told = {setting["metadata"]["name"]: setting["value"] for setting in settings()}
    assert told["node-down-pod-deletion-policy"] == "delete-both-statefulset-and-deployment-pod"
    assert told["deleting-confirmation-flag"] == "true"
    assert told["allow-collecting-longhorn-usage-metrics"] == "false"
    assert told["engine-replica-timeout"] == "28"


def test_the_guard_finds_every_node_that_holds_copies(stack):
    # The probes themselves are asked by nobody here: no container runs.
    slices = stack.get("endpointslices", "-n", "longhorn-system")["items"]
    found = {
        endpoint["nodeName"]
        for part in slices
        if part["metadata"]["labels"].get("kubernetes.io/service-name") == "longhorn-peers"
        for endpoint in part["endpoints"]
    }

    assert found == {node["metadata"]["name"] for node in stack.get("nodes")["items"]}
    (iris,) = stack.get("deployment", "iris", "-n", "iris")["spec"]["template"]["spec"][
        "containers"
    ]
    assert iris["livenessProbe"]["terminationGracePeriodSeconds"] == 1


def test_outputs_lead_to_the_database(stack):
    outputs = stack.engine.outputs(show_secrets=True)

    assert outputs["namespace"] == "iris"
    assert outputs["username"] == "dba"
    assert len(outputs["password"]) == 24
    context = json.loads(stack.kubectl("config", "view", "--output", "json"))["current-context"]
    assert f"--context {context}" in outputs["portForwardCommand"]
    assert outputs["portForwardCommand"].endswith("port-forward service/iris 52773 1972")


def test_a_changed_setting_changes_only_what_it_should_and_preview_shows_it_first(stack):
    stack.groups = {"iris": {"hungSeconds": 700}}

    planned = stack.run("preview")
    done = stack.run("up")

    # The rehearsal's IRIS has the times of the database.
    assert (
        changes(planned)
        == changes(done)
        == {
            "iris-deployment": "update",
            "rehearsal-program": "delete-replaced",
            "rehearsal-cron-job": "update",
        }
    )


def test_a_changed_merge_file_is_a_new_secret_and_a_restart(stack):
    before = stack.get("deployment", "iris", "-n", "iris")["metadata"]["generation"]
    stack.groups = {"iris": {"globalsMib": 512}}

    planned = changes(stack.run("preview"))
    stack.run("up")

    assert planned["iris-deployment"] == "update"
    assert "replace" in planned["iris-cpf"] or planned["iris-cpf"] == "create-replacement"
    assert set(planned) == {"iris-deployment", "iris-cpf"}
    assert stack.get("deployment", "iris", "-n", "iris")["metadata"]["generation"] > before
    secrets = stack.get("secrets", "-n", "iris")["items"]
    assert len([s for s in secrets if s["metadata"]["name"].startswith("iris-cpf")]) == 1


def test_changed_actions_reach_the_running_database_only_where_a_stack_file_says_live(
    no_stack, capfd
):
    stack = no_stack
    live = {"actions": {"live": True}}
    stack.groups = {"iris": live}
    stack.run("up")
    before = stack.get("deployment", "iris", "-n", "iris")["metadata"]["generation"]
    told = "IRIS takes the changed actions while it runs"

    with_database = {"actions": {"live": True, "databases": [{"name": "APP"}]}}
    stack.groups = {"iris": with_database}
    capfd.readouterr()
    planned = stack.run("preview")
    assert told in "".join(capfd.readouterr())
    done = stack.run("up")

    assert changes(planned) == changes(done) == {"iris-cpf": "update"}
    assert stack.get("deployment", "iris", "-n", "iris")["metadata"]["generation"] == before
    assert "CreateDatabase:Name=APP,Directory=/data/app" in merge_file_of(stack)

    stack.groups = {"iris": {**with_database, "parameters": {"config": {"jrnbufs": 128}}}}
    capfd.readouterr()
    planned = changes(stack.run("preview"))
    said = "".join(capfd.readouterr())
    stack.run("up")

    assert "IRIS restarts: this change makes a new pod" in said
    assert told not in said
    assert set(planned) == {"iris-deployment", "iris-cpf"}
    assert planned["iris-deployment"] == "update"
    assert planned["iris-cpf"] != "update"
    assert "\njrnbufs=128\n" in merge_file_of(stack)
    assert changes(stack.run("up")) == {}
    stack.run("destroy")


def merge_file_of(stack) -> str:
    """The merge file that the only Secret of the cluster has."""
    (secret,) = [
        secret
        for secret in stack.get("secrets", "-n", "iris")["items"]
        if secret["metadata"]["name"].startswith("iris-cpf")
    ]
    return base64.b64decode(secret["data"]["merge.cpf"]).decode()


def test_a_volume_grows_in_place_while_iris_runs_and_never_shrinks(stack, capfd):
    uid = stack.claim_uid()
    (before,) = stack.get("pods", "-n", "iris", *DATABASE)["items"]
    stack.groups = {"iris": {"storageGib": 80}}

    planned = stack.run("preview")
    stack.run("up")

    assert changes(planned) == {"iris-data": "update"}
    assert stack.claim_uid() == uid
    claim = ("persistentvolumeclaim", "iris-data", "-n", "iris")
    eventually(lambda: stack.get(*claim)["status"]["capacity"]["storage"] == "80Gi")
    (after,) = stack.get("pods", "-n", "iris", *DATABASE)["items"]
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    assert "deletionTimestamp" not in after["metadata"]
    assert "The volume grows from 40 to 80 GiB" in "".join(capfd.readouterr())
    stack.groups = {}
    for operation in ("preview", "up"):
        with pytest.raises(EngineError):
            stack.run(operation)
        said = "".join(capfd.readouterr())
        assert "the volume has 80 GiB and the stack file asks for 40" in said
    assert stack.get(*claim)["spec"]["resources"]["requests"]["storage"] == "80Gi"
    stack.groups = {"iris": {"storageGib": 80}}
    stack.run("destroy")


def test_backups_have_a_target_and_a_schedule_and_both_go_with_the_stack(no_stack):
    stack = no_stack
    store = {"nfs": {"server": "nas.example.com", "path": "/exports"}}
    stack.groups = {"backup": store}
    stack.run("up")
    longhorn = ("-n", "longhorn-system")

    def target() -> str:
        return stack.get("backuptarget", "default", *longhorn)["spec"]["backupTargetURL"]

    eventually(lambda: target() == "nfs://nas.example.com:/exports")
    jobs = {job["spec"]["task"] for job in stack.get("recurringjobs", *longhorn)["items"]}
    assert jobs == {"backup", "system-backup", "filesystem-trim"}
    assert changes(stack.run("up")) == {}
    stack.groups = {"backup": {**store, "enabled": False}}
    of_longhorn = {
        name: action
        for name, action in changes(stack.run("up")).items()
        if name.startswith("longhorn-")
    }
    eventually(lambda: target() == "")
    assert of_longhorn == {
        "longhorn-release": "update",
        "longhorn-upload": "delete",
        "longhorn-system-backup": "delete",
    }
    stack.run("destroy")
    assert stack.engine.resources == []


def test_refresh_sees_an_edit_by_hand_and_up_mends_it(stack):
    stack.kubectl("scale", "deployment", "iris", "-n", "iris", "--replicas", "0")

    seen = stack.run("refresh")
    mended = stack.run("up")

    assert changes(seen).keys() == {"iris-deployment"}
    assert changes(mended) == {"iris-deployment": "update"}
    assert stack.get("deployment", "iris", "-n", "iris")["spec"]["replicas"] == 1
    assert changes(stack.run("up")) == {}


def test_an_object_deleted_by_hand_comes_back(stack):
    stack.kubectl("delete", "service", "iris", "-n", "iris")

    stack.run("refresh")
    mended = stack.run("up")

    assert changes(mended) == {"iris-service": "create"}
    assert stack.get("service", "iris", "-n", "iris")


def test_longhorns_driver_comes_after_its_chart_and_is_no_part_of_it(stack):
    driver = stack.get("csidriver", "driver.longhorn.io")
    deployed = ("-n", "longhorn-system")
    sidecars = ("csi-attacher", "csi-provisioner", "csi-resizer", "csi-snapshotter")

    deployer = stack.get("deployment", "longhorn-driver-deployer", *deployed)
    assert driver["metadata"]["creationTimestamp"] > deployer["metadata"]["creationTimestamp"]
    found = [stack.get("deployment", name, *deployed) for name in sidecars]
    found.append(stack.get("daemonset", "longhorn-csi-plugin", *deployed))
    for thing in (driver, *found):
        assert "meta.helm.sh/release-name" not in thing["metadata"].get("annotations", {})
    eventually(
        lambda: (
            stack.get("daemonset", "longhorn-csi-plugin", *deployed)["status"].get("numberReady")
            == 3
        )
    )


def test_a_destroy_that_protected_data_refuses_leaves_the_database_running(no_stack):
    stack = no_stack
    stack.groups = {"protectData": True}
    stack.run("up")
    (before,) = stack.get("pods", "-n", "iris", *DATABASE)["items"]
    resources = stack.engine.resources

    with pytest.raises(EngineError):
        stack.run("destroy")

    (after,) = stack.get("pods", "-n", "iris", *DATABASE)["items"]
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    assert "deletionTimestamp" not in after["metadata"]
    assert stack.engine.resources == resources


def test_destroy_leaves_nothing(no_stack):
    stack = no_stack
    kinds = (
        "namespaces,persistentvolumes,storageclasses,customresourcedefinitions,priorityclasses,"
        "csidrivers"
    )
    before = stack.kubectl("get", kinds, "--output", "name")
    stack.run("up")

    stack.run("destroy")

    assert stack.kubectl("get", kinds, "--output", "name") == before
    assert stack.engine.resources == []


def test_no_secret_is_in_clear_in_state_log_or_event(stack, capfd):
    stack.groups = {"iris": {"globalsMib": 512}}
    stack.run("preview", "--diff")
    # From -v=4 on Pulumi itself writes what it sends, secrets too (its documentation warns).
    stack.run("up", "--diff", "--logtostderr", "-v=3")
    password = stack.engine.outputs(show_secrets=True)["password"]
    merge_file = next(
        s
        for s in stack.get("secrets", "-n", "iris")["items"]
        if s["metadata"]["name"].startswith("iris-cpf")
    )["data"]["merge.cpf"]
    key = stack.kubectl(
        "config", "view", "--raw", "--output", "jsonpath={.users[0].user.client-key-data}"
    )
    secret = {"password": password, "merge file": merge_file, "key of the kubeconfig": key}

    told = capfd.readouterr()
    files = [file for file in stack.home.root.rglob("*") if file.is_file()]
    ours = {stack.home.kubeconfig, stack.home.passphrase}
    ours |= {file for file in files if stack.home.kwok in file.parents}
    for what, text in secret.items():
        assert text not in told.out + told.err, what
        for file in files:
            if file not in ours:
                assert text.encode() not in file.read_bytes(), f"{what} in {file}"


def test_what_the_lab_keeps_is_for_its_owner_only(stack):
    assert stack.home.root.stat().st_mode & 0o077 == 0
    assert stack.home.passphrase.stat().st_mode & 0o077 == 0
    assert stack.home.kubeconfig.stat().st_mode & 0o077 == 0
