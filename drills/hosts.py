"""Scripts that run on the machines of a cluster themselves, and end by themselves.

A privileged pod hands each one to the machine's systemd, which is the one that runs it: it goes on
and heals when the pod, the API server or whoever drills has gone.
"""

from __future__ import annotations

import contextlib
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from drills import DrillError
from drills.api import UNREACHABLE, Api, Refused
from drills.evidence import await_gone
from drills.undo import undo

NAMESPACE = "ha-iris-drills"
IMAGE = "docker.io/library/busybox:1.37.0"
"""Anything with a shell and nsenter. Newer: https://hub.docker.com/_/busybox"""
UNIT = "ha-iris-drill"
CHAIN = "HA-IRIS-DRILL"
START_SECONDS = 120

HEAD_START = 10
"""Seconds from a script's start to its work, where several machines are to have theirs first."""

PARTITION = """
each() {{ for tables in {tables}; do "$tables" -w "$@" 2>/dev/null; done; }}
heal() {{
  set +e
  for hook in INPUT OUTPUT FORWARD; do each -D "$hook" -j {chain}; done
  each -F {chain}; each -X {chain}
}}
heal
trap heal EXIT
trap 'exit 0' INT TERM
sleep {delay} & wait
set -e
for tables in {tables}; do "$tables" -w -N {chain}; done
for address in {addresses}; do
  case $address in *:*) tables=ip6tables ;; *) tables=iptables ;; esac
  "$tables" -w -A {chain} -s "$address" -j DROP
  "$tables" -w -A {chain} -d "$address" -j DROP
done
for tables in {tables}; do
  for hook in INPUT OUTPUT FORWARD; do "$tables" -w -I "$hook" 1 -j {chain}; done
done
sleep {seconds} & wait
"""
"""Drops all that comes from or goes to some addresses, in a chain of its own, for a time."""
CUT = f"iptables -w -C OUTPUT -j {CHAIN} || ip6tables -w -C OUTPUT -j {CHAIN}"

# A mount, so that a machine that starts anew in the middle has nothing left of it.
WITHOUT_IMAGE = """
hosts=/run/ha-iris-drill-hosts
trap 'umount /etc/hosts; rm -f "$hosts" "$hosts.ready"' EXIT
trap 'exit 0' INT TERM
set -e
{{ cat /etc/hosts; for name in {registries}; do echo "127.0.0.1 $name"; done; }} > "$hosts"
mount --bind "$hosts" /etc/hosts
crictl rmi '{image}' || ctr --namespace k8s.io images rm '{image}' || true
touch "$hosts.ready"
sleep {seconds} & wait
"""
"""Sends what asks for a registry to the machine itself, and removes an image that nothing uses."""
AWAY = "test -e /run/ha-iris-drill-hosts.ready && grep -q '^127.0.0.1 {registry}$' /etc/hosts"

# What the script does may take a moment, and may fail.
HAND_OVER = """
systemd-run --collect --unit="$1" /bin/sh -c "$2" || exit
for attempt in 1 2 3 4 5 6 7 8 9 10; do
  sh -c "$3" && exit
  sleep 1
done
exit 1
"""


class NeverStarted(DrillError):
    """A script that no machine has been handed."""


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

    @contextlib.contextmanager
    def cut_off(self, nodes: Sequence[str], what: str, seconds: int) -> Iterator[None]:
        """Drop packets on these nodes until the context ends, or the time is over."""
        delay = HEAD_START if len(nodes) > 1 else 0
        scripts = {
            node: partition(self.addresses(node, what), seconds, delay=delay) for node in nodes
        }
        # A node that is cut off from the API server hears of no pod. It heals by itself.
        tells = what == "peers"
        with self._running("partition", scripts, check=CUT if tells else None):
            yield

    @contextlib.contextmanager
    def without_image(self, nodes: Sequence[str], image: str, seconds: int) -> Iterator[None]:
        """Take an image away and keep its registry out of reach until the context ends."""
        names = registries(image)
        script = WITHOUT_IMAGE.format(registries=" ".join(names), image=image, seconds=seconds)
        check = AWAY.format(registry=names[0])
        with self._running("registry", dict.fromkeys(nodes, script), check=check):
            yield

    @contextlib.contextmanager
    def _running(
        self, name: str, scripts: Mapping[str, str], *, check: str | None
    ) -> Iterator[None]:
        """Have a script run on each node; one that can be asked, with `check`, is also stopped."""
        pods: dict[str, str] = {}
        heal: dict[str, Callable[[], object]] = {}
        try:
            for node, script in scripts.items():
                pods[node] = self._post(node, name, script, check)
                if check:
                    heal[f"{name} of {node}"] = partial(self._stop, node, name)
            for node, pod in pods.items():
                try:
                    self._await(node, pod, tells=check is not None)
                except NeverStarted:
                    heal.pop(f"{name} of {node}", None)
                    raise
            yield
        finally:
            undo(heal, "it ends by itself when the time of the drill is over")

    def _stop(self, node: str, name: str) -> None:
        unit = f"{UNIT}-{name}"
        ended = f"! systemctl is-active --quiet {unit}"
        self._await(node, self._post(node, "heal", f"systemctl stop {unit}", ended), tells=True)

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
        path = f"/api/v1/namespaces/{NAMESPACE}"
        try:
            uid = self._api.get(path)["metadata"]["uid"]
            self._api.request("DELETE", path)
        except Refused as error:
            if error.status == 404:
                return
            raise
        # The next drill can make nothing in one that is still going.
        await_gone(self._api, path, uid)

    def _start(self, node: str, name: str, script: str) -> None:
        """Hand a script to a machine's systemd, which may tell nothing of what comes of it."""
        self._await(node, self._post(node, name, script, None), tells=False)

    def _post(self, node: str, name: str, script: str, check: str | None) -> str:
        """Make the pod that hands a script over; gives its path."""
        self._bring_namespace()
        pod = host_pod(node, name, script, self._image, check or "true")
        path = f"/api/v1/namespaces/{NAMESPACE}/pods"
        self._api.request("POST", path, pod)
        return f"{path}/{pod['metadata']['name']}"

    def _await(self, node: str, pod: str, *, tells: bool) -> None:
        """Wait until the script is at work, or, where there may be no word of that, has its start:
        whether such a one has happened is to be seen from outside.

        Raises:
            DrillError: the pod that hands it over does not end well.
        """
        began = time.monotonic()
        phase = "Pending"
        while phase != "Failed" and time.monotonic() < began + START_SECONDS:
            time.sleep(0.2)
            try:
                phase = self._api.get(pod)["status"]["phase"]
            except (Refused, *UNREACHABLE):
                if not tells:
                    return  # with the API server's machine
            if phase == "Succeeded" or (phase == "Running" and not tells):
                return
        if phase == "Pending":  # nor is it to start later
            self._api.request("DELETE", pod)
        raise (NeverStarted if phase == "Pending" else DrillError)(
            f"pod {pod} on {node}",
            f"is {phase} after {time.monotonic() - began:.0f} s",
            f"see `kubectl -n {NAMESPACE} describe pod {pod.rpartition('/')[2]}`; the cluster may "
            "refuse privileged pods, the image may be out of reach (--host-image), or the machine "
            "lacks what the script needs (`kubectl logs`)",
        )

    def _bring_namespace(self) -> None:
        labels = {"pod-security.kubernetes.io/enforce": "privileged"}
        try:
            namespace = {"metadata": {"name": NAMESPACE, "labels": labels}}
            self._api.request("POST", "/api/v1/namespaces", namespace)
        except Refused as error:
            if error.status != 409:
                raise


def partition(addresses: Sequence[str], seconds: int, *, delay: int = 0) -> str:
    """The script that drops packets.

    Raises:
        DrillError: there is nobody to be cut off from.
    """
    if not addresses:
        raise DrillError(
            "a partition",
            "no address of what the node is to be cut off from was found",
            "see the nodes' addresses and the Endpoints of the Service kubernetes",
        )
    tables = [
        *(["iptables"] if any(":" not in address for address in addresses) else []),
        *(["ip6tables"] if any(":" in address for address in addresses) else []),
    ]
    return PARTITION.format(
        chain=CHAIN,
        addresses=" ".join(addresses),
        tables=" ".join(tables),
        seconds=seconds,
        delay=delay,
    )


def registries(image: str) -> list[str]:
    """Host names of an image's registry; without one in its name it is Docker's."""
    first, slash, _ = image.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        name = first.partition(":")[0]
        if name != "docker.io":
            return [name]
    return ["registry-1.docker.io", "auth.docker.io"]


def host_pod(node: str, name: str, script: str, image: str, check: str = "true") -> dict[str, Any]:
    """A pod that hands a script to the systemd of its machine, and ends when a check goes well."""
    enter = ["nsenter", "-t", "1", "-m", "-u", "-i", "-n", "-p", "--"]
    hand_over = ["/bin/sh", "-c", HAND_OVER, "drill", f"{UNIT}-{name}", script, check]
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
                    "command": [*enter, *hand_over],
                    "securityContext": {"privileged": True},
                }
            ],
        },
    }
