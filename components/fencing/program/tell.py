"""What the agent says: log, Events of nodes, and figures for Prometheus."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from components.in_cluster.kube import Api, ApiError

PORT = 9440
HEALTHY_SECONDS = 120
"""A loop that has not turned for so long hangs."""

GOOD = ("FenceEnds", "NodeBack", "DatabaseReleased")
HELP = {
    "leader": "Whether this agent acts (the other one waits).",
    "paused": "Whether fencing is paused.",
    "dry_run": "Whether fencing only says what it would do.",
    "silent_nodes": "Nodes whose kubelet gave no sign of life for staleSeconds.",
    "held": "Silent nodes with a database that are not fenced, by the rule that speaks against it.",
    "failing": "Nodes whose fence could not take its next step when it was last tried.",
    "fence_phase": "Fences at work, by node and phase.",
    "fenced_timestamp_seconds": "When a node was last fenced.",
    "out_of_service": "Nodes that are tainted out-of-service, by whomever.",
    "fences_total": "Fences since this agent started, by what became of them.",
    "last_look_timestamp_seconds": "When the agent last saw the whole cluster.",
}


@dataclass
class Told:
    """What there is to say."""

    api: Api
    name: str
    wall: Callable[[], float] = time.time
    figures: dict[str, dict[str, float]] = field(default_factory=dict)
    """Value by labels, by the name of a figure without its prefix."""
    _last: dict[str, str] = field(default_factory=dict)
    _counts: Counter[str] = field(default_factory=Counter)
    _said: int = 0

    def count(self, result: str) -> None:
        """One more fence came to this."""
        self._counts[result] += 1

    def show(self, figures: Mapping[str, Mapping[str, float]]) -> None:
        """The figures of this moment, in place of those of before."""
        results = {f'result="{result}"': float(n) for result, n in self._counts.items()}
        leader = {key: self.figures[key] for key in ("leader",) if key in self.figures}
        self.figures = {
            **leader,
            **{k: dict(v) for k, v in figures.items()},
            "fences_total": results,
        }

    def leads(self, does: bool) -> None:
        """Whether this one acts: known also while the cluster is not to be seen."""
        self.figures = {**self.figures, "leader": {"": float(does)}}

    def text(self) -> str:
        """The figures as Prometheus reads them."""
        lines = []
        for figure, values in self.figures.items():
            name = f"ha_iris_fencing_{figure}"
            kind = "counter" if figure.endswith("_total") else "gauge"
            lines += [f"# HELP {name} {HELP[figure]}", f"# TYPE {name} {kind}"]
            lines += [
                f"{name}{{{labels}}} {value}" if labels else f"{name} {value}"
                for labels, value in values.items()
            ]
        return "\n".join([*lines, ""])

    def once(self, node: str, reason: str, message: str) -> None:
        """Say it unless it is what was last said of the node."""
        if self._last.get(node) != f"{reason} {message.partition(':')[0]}":
            self._last[node] = f"{reason} {message.partition(':')[0]}"
            self._say(node, reason, message)

    def event(self, node: str, reason: str, message: str) -> None:
        """Say it."""
        self._last[node] = ""
        self._say(node, reason, message)

    def _say(self, node: str, reason: str, message: str) -> None:
        print(f"{reason} {node}: {message}", flush=True)
        moment = datetime.fromtimestamp(self.wall(), UTC)
        at = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
        self._said += 1
        event: dict[str, Any] = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": f"{node}.{moment:%Y%m%d%H%M%S%f}-{self._said}"},
            # kubectl describe finds a node's Events by its name in place of its uid.
            "involvedObject": {"apiVersion": "v1", "kind": "Node", "name": node, "uid": node},
            "reason": reason,
            "message": message[:1000],
            "type": "Normal" if reason in GOOD else "Warning",
            "source": {"component": self.name},
            "firstTimestamp": at,
            "lastTimestamp": at,
            "count": 1,
        }
        try:
            # Events of what is in no namespace are in this one.
            self.api.create("/api/v1/namespaces/default/events", event)
        except ApiError as error:
            print(f"no Event could be written: {error}", flush=True)


@dataclass
class Door:
    """Answers Prometheus and the kubelet."""

    told: Told
    clock: Callable[[], float]
    turned: float
    """When the loop last turned."""

    def open(self, port: int = PORT) -> ThreadingHTTPServer:
        """Listen, in a thread of its own."""
        door = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                alive = door.clock() - door.turned < HEALTHY_SECONDS
                pages = {
                    "/metrics": (200, door.told.text()),
                    "/healthz": (200 if alive else 503, f"{alive}\n"),
                }
                status, text = pages.get(self.path, (404, ""))
                self.send_response(status)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, format: str, *args: Any) -> None:
                pass

        server = ThreadingHTTPServer(("", port), Handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return server
