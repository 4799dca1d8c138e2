"""Scripts that run on the machines of a cluster themselves, and end by themselves.

A privileged pod hands each one to the machine's systemd, which is the one that runs it: it goes on
and heals when the pod, the API server or whoever drills has gone.
"""

from __future__ import annotations

import contextlib
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from drills import DrillError
from drills.api import UNREACHABLE, Api, Refused

NAMESPACE = "ha-iris-drills"
IMAGE = "docker.io/library/busybox:1.37.0"
"""Anything with a shell and nsenter. Newer: https://hub.docker.com/_/busybox"""
UNIT = "ha-iris-drill"
CHAIN = "HA-IRIS-DRILL"
START_SECONDS = 120

PARTITION = """
heal() {{
  for hook in INPUT OUTPUT FORWARD; do iptables -w -D "$hook" -j {chain} 2>/dev/null; done
  iptables -w -F {chain} 2>/dev/null; iptables -w -X {chain} 2>/dev/null
}}
heal
trap heal EXIT
trap 'exit 0' INT TERM
iptables -w -N {chain}
for address in {addresses}; do
  iptables -w -A {chain} -s "$address" -j DROP
  iptables -w -A {chain} -d "$address" -j DROP
done
for hook in INPUT OUTPUT FORWARD; do iptables -w -I "$hook" 1 -j {chain}; done
sleep {seconds} & wait
"""
"""Drops all that comes from or goes to some addresses, in a chain of its own, for a time."""


WITHOUT_IMAGE = """
hosts=/run/ha-iris-drill-hosts
cp /etc/hosts "$hosts"
trap 'cat "$hosts" > /etc/hosts; rm -f "$hosts"' EXIT
trap 'exit 0' INT TERM
echo '127.0.0.1 {registry}' >> /etc/hosts
crictl rmi '{image}' || ctr --namespace k8s.io images rm '{image}' || true
sleep {seconds} & wait
"""
"""Sends what asks for a registry to the machine itself, and removes an image that nothing uses."""


class Hosts:
    """The machines of one cluster, reached through pods that may do anything on them."""

    def __init__(self, api: Api, image: str = IMAGE) -> None:
        """Reach them with pods of this image."""
        self._api = api
        self._image = image

    def panic(self, node: str, seconds: int) -> None:
        """Crash the kernel, which starts anew after so many seconds (``kernel.panic``)."""
        script = f"echo {seconds} > /proc/sys/kernel/panic; echo c > /proc/sysrq-trigger"
        self._start(node, "panic", f"sleep 1; {script}")

    def reboot(self, node: str) -> None:
        """Stop everything in good order and start anew."""
        self._start(node, "reboot", "systemctl reboot")
        time.sleep(30)  # until then the machine that goes down still looks Ready

    @contextlib.contextmanager
    def cut_off(self, nodes: Sequence[str], what: str, seconds: int) -> Iterator[None]:
        """Drop packets on these nodes until the context ends, or the time is over."""
        scripts = {node: partition(self.addresses(node, what), seconds) for node in nodes}
        # A node that is cut off from the API server hears of no pod. It heals by itself.
        with self._running("partition", scripts, heal=what == "peers"):
            yield

    @contextlib.contextmanager
    def without_image(self, nodes: Sequence[str], image: str, seconds: int) -> Iterator[None]:
        """Take an image away and keep its registry out of reach until the context ends."""
        registry = image.partition("/")[0]
        script = WITHOUT_IMAGE.format(registry=registry, image=image, seconds=seconds)
        with self._running("registry", dict.fromkeys(nodes, script), heal=True):
            yield

    @contextlib.contextmanager
    def _running(self, name: str, scripts: Mapping[str, str], *, heal: bool) -> Iterator[None]:
        """Have a script run on each node; with ``heal``, stop those that were started."""
        started: list[str] = []
        try:
            for node, script in scripts.items():
                self._start(node, name, script)
                started.append(node)
            yield
        finally:
            for node in started if heal else ():
                self._start(node, "heal", f"systemctl stop {UNIT}-{name}")

    def addresses(self, node: str, what: str) -> list[str]:
        """What a node is cut off from: the API server, the other nodes and their pods, or both."""
        found: set[str] = set()
        if what in ("full", "api"):
            service = self._api.get("/api/v1/namespaces/default/services/kubernetes")
            found.add(service["spec"]["clusterIP"])
            path = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices"
            of_api_server = "kubernetes.io/service-name=kubernetes"
            for item in self._api.items(path, labelSelector=of_api_server):
                for endpoint in item["endpoints"]:
                    found.update(endpoint["addresses"])
        if what in ("full", "peers"):
            for other in self._api.items("/api/v1/nodes"):
                if other["metadata"]["name"] != node:
                    found.update(
                        address["address"]
                        for address in other["status"]["addresses"]
                        if address["type"] in ("InternalIP", "ExternalIP")
                    )
            for pod in self._api.items("/api/v1/pods"):
                if pod["spec"].get("nodeName") != node and "podIP" in pod["status"]:
                    found.add(pod["status"]["podIP"])
        return sorted(found)

    def clean(self) -> None:
        """Remove the pods and their namespace; what runs on machines ends by itself."""
        with contextlib.suppress(Refused):
            self._api.request("DELETE", f"/api/v1/namespaces/{NAMESPACE}")

    def _start(self, node: str, name: str, script: str) -> None:
        """Hand a script to a machine's systemd.

        Raises:
            DrillError: the pod that hands it over does not end well.
        """
        self._bring_namespace()
        pod = host_pod(node, name, script, self._image)
        made = pod["metadata"]["name"]
        path = f"/api/v1/namespaces/{NAMESPACE}/pods"
        self._api.request("POST", path, pod)
        deadline = time.monotonic() + START_SECONDS
        phase = "Pending"
        while phase not in ("Succeeded", "Failed") and time.monotonic() < deadline:
            time.sleep(0.2)
            try:
                phase = self._api.get(f"{path}/{made}")["status"]["phase"]
            except (Refused, *UNREACHABLE):
                break  # with the API server's machine; the script had its start
            if name in ("panic", "partition", "reboot") and phase == "Running":
                break  # of what it does next there may be no word any more
        if phase in ("Pending", "Failed"):
            raise DrillError(
                f"pod {NAMESPACE}/{made} on {node}",
                f"is {phase} after {START_SECONDS} s",
                f"see `kubectl -n {NAMESPACE} describe pod {made}`; the cluster may refuse "
                "privileged pods, or the image may be out of reach (--host-image)",
            )

    def _bring_namespace(self) -> None:
        labels = {"pod-security.kubernetes.io/enforce": "privileged"}
        try:
            namespace = {"metadata": {"name": NAMESPACE, "labels": labels}}
            self._api.request("POST", "/api/v1/namespaces", namespace)
        except Refused as error:
            if error.status != 409:
                raise


def partition(addresses: Sequence[str], seconds: int) -> str:
    """The script that drops packets; addresses of IPv4 alone."""
    chosen = [address for address in addresses if ":" not in address]
    return PARTITION.format(chain=CHAIN, addresses=" ".join(chosen), seconds=seconds)


def host_pod(node: str, name: str, script: str, image: str) -> dict[str, Any]:
    """A pod that hands a script to the systemd of its machine and ends."""
    hand_over = ["nsenter", "-t", "1", "-m", "-u", "-i", "-n", "-p", "--"]
    unit = ["systemd-run", "--collect", f"--unit={UNIT}-{name}", "/bin/sh", "-c", script]
    return {
        "metadata": {"name": f"{name}-{uuid.uuid4().hex[:8]}", "namespace": NAMESPACE},
        "spec": {
            "nodeName": node,
            "hostPID": True,
            "restartPolicy": "Never",
            "tolerations": [{"operator": "Exists"}],
            "containers": [
                {
                    "name": "hand-over",
                    "image": image,
                    "command": [*hand_over, *unit],
                    "securityContext": {"privileged": True},
                }
            ],
        },
    }
