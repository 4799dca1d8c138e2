"""What the hooks say before a claim of an instance is made, with the answers of a played API."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from typing import Any, cast

import pytest

from tests.unit.hooks import call

HERE = "/apis/snapshot.storage.k8s.io/v1/namespaces/iris/volumesnapshots"
CLAIMS = "/api/v1/namespaces/iris/persistentvolumeclaims"


def parts(run: int | str, instance: int = 0, *more: str) -> dict[str, Any]:
    """Snapshots of one run of one instance."""
    volumes = ("system", "databases", *more)
    return {volume: {"snapshot": f"{volume}-{instance}-{run}"} for volume in volumes}


def copies(instance: int, number: int = 1) -> dict[str, Any]:
    """Claims of one instance and one iris.volume."""
    of = "" if number == 1 else f"-{number}"
    return {v: {"claim": f"{v}{of}-iris-{instance}"} for v in ("system", "databases")}


def stateful(named: Any, **more: Any) -> dict[str, Any]:
    return {"form": "statefulset", "restore": {"instances": named}, **more}


def a_claim(filled_from: str = "", phase: str = "Bound", *, used: bool = True) -> dict[str, Any]:
    """One of 10 GiB; used: whether a pod had a node for it."""
    annotations = {
        "volume.kubernetes.io/storage-provisioner": "driver.longhorn.io",
        **({"ha-iris/filled-from": filled_from} if filled_from else {}),
        **({"volume.kubernetes.io/selected-node": "node-1"} if used else {}),
    }
    status = {"phase": phase, "capacity": {"storage": "10Gi"}}
    return {"metadata": {"annotations": annotations}, "status": status}


class Played:
    """An API with snapshots of 10 GiB named VOLUME-INSTANCE-RUN.

    Args:
        claims: those that are there.
        pods: claims that each pod has, in which IRIS runs.
    """

    def __init__(self, claims: Mapping[str, Any], pods: Mapping[str, Sequence[str]]) -> None:
        self.claims, self.pods = claims, pods

    def get(self, path: str) -> Any:
        place, _, name = path.partition("?")[0].rpartition("/")
        if place == HERE:
            return self._snapshot(name)
        if path.startswith(f"{HERE}?"):
            wanted = path.partition("labelSelector=")[2].split(",")
            run, instance = (pair.split("=")[1] for pair in wanted)
            return {
                "items": [
                    self._snapshot(f"{volume}-{instance.removeprefix('iris-')}-{run}")
                    for volume in ("system", "databases")
                ]
            }
        if place == CLAIMS:
            return self.claims.get(name)
        if "pods?" in path:
            return {"items": [self._pod(name, claims) for name, claims in self.pods.items()]}
        return None

    def _snapshot(self, name: str) -> dict[str, Any]:
        _, instance, run = name.split("-")
        labels = {"backup.ha-iris/run": run, "backup.ha-iris/instance": f"iris-{instance}"}
        status = {"readyToUse": True, "restoreSize": "10Gi"}
        return {"metadata": {"name": name, "labels": labels}, "status": status}

    def _pod(self, name: str, claims: Sequence[str]) -> dict[str, Any]:
        volumes = [{"persistentVolumeClaim": {"claimName": claim}} for claim in claims]
        return {"metadata": {"name": name}, "spec": {"volumes": [{"emptyDir": {}}, *volumes]}}


@pytest.fixture
def before_create(iris: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """What is said before a claim is made; raises what refuses it."""

    def run(
        claim: str,
        *,
        claims: Mapping[str, Any] | None = None,
        pods: Mapping[str, Sequence[str]] | None = None,
        **settings: Any,
    ) -> list[str]:
        said: list[str] = []
        monkeypatch.setattr("pulumi.log.warn", said.append)
        api = Played(claims or {}, pods or {})
        monkeypatch.setattr("components.iris.restore.hook.connect", lambda _: nullcontext(api))
        hook = cast(Any, iris(storage_gib=10, **settings).hooks[f"{claim}-filled"])
        call(hook, after={})
        return said

    return run
