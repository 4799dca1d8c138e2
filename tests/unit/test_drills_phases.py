"""Which phases of a failover are found in what the API server told."""

from typing import Any

from drills.phases import Seen, phases

FAULT = 1000.0
OLD, NEW = "old", "new"


def at(second: float, kind: str, item: dict[str, Any], *, gone: bool = False) -> Seen:
    """A change so many seconds after the fault."""
    return Seen(FAULT + second, kind, gone, item)


def pod(uid: str, *, ready: bool = False, running: bool = False, ends: str = "") -> dict[str, Any]:
    """A pod of the database."""
    meta: dict[str, Any] = {"uid": uid, "name": f"iris-{uid}"}
    if ends:
        meta["deletionTimestamp"] = ends
    state = {"running": {}} if running else {"waiting": {}}
    return {
        "metadata": meta,
        "status": {
            "conditions": [{"type": "Ready", "status": str(ready)}],
            "containerStatuses": [{"state": state}],
        },
    }


def node(ready: str, *taints: str) -> dict[str, Any]:
    """The database's node."""
    return {
        "metadata": {"uid": "n", "name": "node-a"},
        "spec": {"taints": [{"key": key} for key in taints]},
        "status": {"conditions": [{"type": "Ready", "status": ready}]},
    }


def attachment(name: str, *, attached: bool = True) -> dict[str, Any]:
    """The volume's attachment to a node."""
    return {"metadata": {"uid": name, "name": name}, "status": {"attached": attached}}


def endpoints(*pods: str) -> dict[str, Any]:
    """The Service's endpoints that are ready."""
    ready = [{"targetRef": {"uid": uid}, "conditions": {"ready": True}} for uid in pods]
    return {"metadata": {"uid": "e", "name": "iris-1"}, "endpoints": ready}


def found(*seen: Seen) -> dict[str, float]:
    """The phases of a crash of node-a under the old pod."""
    before = [
        at(-5, "pods", pod(OLD, ready=True, running=True)),
        at(-5, "nodes", node("True")),
        at(-5, "attachments", attachment("csi-a")),
        at(-5, "endpoints", endpoints(OLD)),
    ]
    return phases([*before, *seen], fault=FAULT, pod=OLD, nodes=frozenset({"node-a"}))


def test_a_crash_goes_through_every_phase():
    crash = found(
        at(47, "nodes", node("Unknown", "node.kubernetes.io/unreachable")),
        at(57, "pods", pod(OLD, ready=True, running=True, ends="soon")),
        at(57.1, "pods", pod("newer")),
        at(60, "nodes", node("Unknown", "node.kubernetes.io/out-of-service")),
        at(88, "attachments", attachment("csi-a"), gone=True),
        at(89, "attachments", attachment("csi-b", attached=False)),
        at(99, "attachments", attachment("csi-b")),
        at(100, "pods", pod("newer", running=True)),
        at(115, "pods", pod("newer", running=True, ready=True)),
        at(115.1, "endpoints", endpoints("newer")),
    )

    assert crash == {
        "noticed": 47,
        "evicted": 57,
        "fenced": 60,
        "detached": 88,
        "attached": 99,
        "started": 100,
        "ready": 115,
        "routed": 115.1,
    }


def test_a_pod_that_is_deleted_is_noticed_at_once():
    deleted = found(
        at(0.1, "pods", pod(OLD, running=True, ends="soon")),
        at(0.2, "endpoints", endpoints()),
        at(6, "pods", pod(OLD), gone=True),
        at(7, "pods", pod("newer", running=True)),
        at(22, "pods", pod("newer", running=True, ready=True)),
        at(22.1, "endpoints", endpoints("newer")),
    )

    assert deleted["noticed"] == deleted["evicted"] == 0.1
    assert (deleted["ready"], deleted["routed"]) == (22, 22.1)
    assert "detached" not in deleted, "it came back to its node"


def test_a_container_that_starts_anew_in_its_pod_is_its_own_heir():
    ended = pod(OLD)
    ended["status"]["containerStatuses"] = [{"state": {"terminated": {"exitCode": 137}}}]
    anew = pod(OLD, running=True)
    anew["status"]["containerStatuses"][0]["lastState"] = {"terminated": {"exitCode": 137}}
    ready = pod(OLD, running=True, ready=True)
    ready["status"]["containerStatuses"] = anew["status"]["containerStatuses"]

    killed = found(
        at(1, "pods", ended),
        at(2, "pods", anew),
        at(20, "pods", ready),
        at(20.1, "endpoints", endpoints(OLD)),
    )

    assert killed == {"noticed": 1, "started": 2, "ready": 20, "routed": 20.1}


def test_a_fence_notices_before_kubernetes_does():
    silent = node("True")
    silent["metadata"]["annotations"] = {"fencing.ha-iris/fence": "{}"}

    fenced = found(
        at(20, "nodes", silent),
        at(40, "nodes", node("True", "node.kubernetes.io/out-of-service")),
        at(41, "pods", pod(OLD, running=True), gone=True),
        at(47, "nodes", node("Unknown")),
    )

    assert fenced == {"noticed": 20, "evicted": 41, "fenced": 40}


def test_another_nodes_trouble_is_not_this_faults():
    other = node("Unknown")
    other["metadata"]["name"] = "node-b"

    assert found(at(5, "nodes", other)) == {}


def test_a_fault_that_the_cluster_does_not_notice_has_no_phases():
    assert found(at(5, "pods", pod(OLD, ready=True, running=True))) == {}
