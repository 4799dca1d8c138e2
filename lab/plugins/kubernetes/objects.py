"""What becomes of one object: created, changed and deleted, each until it is done."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from threading import Event

from lab.plugins.kubernetes import wait_for, why
from lab.plugins.kubernetes.cluster import Cluster, Object, Refused
from lab.plugins.kubernetes.readiness import LIMIT_SECONDS, NeverReady, missing
from lab.plugins.kubernetes.wire import Inputs, annotation, outputs_of, place

MANAGER = "pulumi-kubernetes"
AWAIT_SECONDS = 600
POLL_SECONDS = 0.1
TELL_SECONDS = 10
"""How often somebody who waits is told why, as by the official provider."""
REPLACEABLE = re.compile(
    r"field is immutable|spec is immutable after creation"
    r"|StorageClass.*updates to \w+ are forbidden"
)
"""What the API server says to a preview of an object that replaces one of the same name, and what
the official provider passes over (pulumi-kubernetes#2575, #3767). The refusal of a StatefulSet it
does not (#3984): such a preview fails."""
DELETED_UNSEEN = (
    *("Namespace", "Pod", "ReplicationController", "DaemonSet", "Deployment", "StatefulSet"),
    "Job",
)
"""Kinds whose end is not awaited under ``pulumi.com/skipAwait`` (provider/pkg/metadata)."""

Waited = tuple[Inputs, list[str]]
"""An object, and what it still waits for."""
Tell = Callable[[str], None]


class Objects:
    """The objects of one cluster, for the provider."""

    def __init__(self, cluster: Cluster, cancelled: Event, *, force: bool) -> None:
        self._cluster = cluster
        self._cancelled = cancelled
        self._force = force

    def preview(self, inputs: Inputs, *, new: bool) -> Inputs:
        """What the API server would make of the inputs.

        Raises:
            Refused: it would refuse them, or there is nothing to change.
        """
        if not new:
            self._cluster.get(inputs, must_be=True)
        try:
            outputs = self._apply(inputs, dry_run=True, force=new)
        except Refused as refused:
            # Its namespace or its kind may come in the same update, and what it replaces may go.
            if not (new and (refused.not_found or REPLACEABLE.search(str(refused)))):
                raise
            return inputs
        return inputs if new else outputs

    def apply(self, inputs: Inputs, *, new: bool) -> Inputs:
        """Create or change an object. One that somebody else made is taken over.

        Raises:
            Refused: the API server refuses, or the object to change does not exist.
        """
        if not new:
            self._cluster.get(inputs, must_be=True)
        return self._apply(inputs)

    def _apply(self, inputs: Inputs, *, dry_run: bool = False, force: bool = False) -> Inputs:
        force = force or self._force or annotation(inputs, "patchForce") == "true"
        live = self._cluster.apply(inputs, manager=MANAGER, force=force, dry_run=dry_run)
        return outputs_of(live)

    def await_ready(self, inputs: Inputs, outputs: Inputs, timeout: float, tell: Tell) -> Waited:
        """The object once it is ready, and what it still waits for if it is not."""
        if annotation(inputs, "skipAwait") == "true":
            return outputs, []
        deadline = time.monotonic() + _seconds(inputs, timeout)
        live: Object | None = outputs
        waiting: list[str] = []
        told = time.monotonic()
        try:
            while live and (waiting := self._missing(live)) and self._wait(deadline):
                if time.monotonic() - told > TELL_SECONDS:
                    tell("; ".join(waiting))
                    told = time.monotonic()
                live = self._cluster.get(outputs)
        except (NeverReady, Refused) as error:
            waiting = [str(error)]
        if live is None:
            waiting = ["it was deleted while the update waited for it"]
        return outputs_of(live or outputs), waiting

    def _missing(self, live: Object) -> list[str]:
        """What an object waits for: what it says itself, or what its kind does."""
        told = annotation(live, "waitFor")
        condition = wait_for.parse(told) if told else None
        if condition is None:
            return missing(live, self._cluster)
        if wait_for.holds(condition, live):
            return []
        waits = missing(live, self._cluster)
        if not waits and "template" in live.get("spec", {}):
            waits = [*why.pods(live, self._cluster)]
        return [f"it does not meet {told} yet", *waits]

    def delete(self, inputs: Inputs, timeout: float) -> None:
        """Delete an object and wait until it is gone.

        Raises:
            TimeoutError: it is still there, and what it waits for.
            Refused: the API server refuses.
        """
        policy = annotation(inputs, "deletionPropagationPolicy").capitalize() or "Foreground"
        self._cluster.delete(inputs, propagation=policy)
        if annotation(inputs, "skipAwait") == "true" and inputs["kind"] in DELETED_UNSEEN:
            return
        deadline = time.monotonic() + _seconds(inputs, timeout)
        while (live := self._cluster.get(inputs)) and self._wait(deadline):
            pass
        if live:
            finalizers = ", ".join(live["metadata"].get("finalizers") or ["no finalizer"])
            raise TimeoutError(
                f"{live['kind']} {place(live)} is still there; it waits for {finalizers}"
            )

    def _wait(self, deadline: float) -> bool:
        return not self._cancelled.wait(POLL_SECONDS) and time.monotonic() < deadline


def _seconds(inputs: Inputs, timeout: float) -> float:
    """The resource's own timeout, its annotation's, or ten minutes; less for some kinds."""
    said = annotation(inputs, "timeoutSeconds")
    seconds = timeout or (float(said) if said.isdecimal() else AWAIT_SECONDS)
    return min(seconds, LIMIT_SECONDS.get(inputs.get("kind", ""), seconds))
