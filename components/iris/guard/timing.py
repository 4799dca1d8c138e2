"""When IRIS is dead at the latest on a node that is cut off, and when Longhorn goes on alone."""

EVERY = 1
"""The guard writes to the volume and asks who answers so often, seconds."""

ANSWER = 2
"""For one answer, seconds."""

PROBE_PERIOD, PROBE_FAILURES = 2, 2
"""What the kubelet does with the guard's verdict, seconds and times in a row. One failure may be a
probe that was under way while the whole machine stood still."""

PROBE_TIMEOUT = 45
"""For one probe, seconds. Two that hang are as patient as six of the rule without a guard."""

PROBE_GRACE = 1
"""For a stop after the verdict, seconds: the least that Kubernetes takes."""

LEAST_STOP = 2
"""What the kubelet gives a container after its preStop hook, however short the grace
(minimumGracePeriodInSeconds, Kubernetes 1.36, pkg/kubelet/kuberuntime)."""

LEAST_ISOLATED = 5
"""The least patient guard, seconds: three questions without an answer, and a little."""

EARLIER_THAN_ENGINE = 1
"""By how much IRIS is to be dead before the engine may go on, seconds.

Never in 35 silent cuts did it acknowledge a write before the time-out, and once 8 ms after it.
"""


def dead_after(isolated_seconds: int) -> int:
    """Seconds from a silent cut to the end of IRIS, at the very latest.

    The probe's way, which is the slower one of two: the guard kills IRIS itself as soon as it has
    decided, which takes the sum of the first three terms (measured: docs/isolation.md).

    Args:
        isolated_seconds: how long a write may hang and a node may reach nobody.
    """
    before_the_write = EVERY
    to_the_decision = EVERY
    slow_machine = 1  # starting of processes, reading of clocks
    told_to_kubelet = PROBE_PERIOD * PROBE_FAILURES + 1  # the last probe itself
    stopped = PROBE_GRACE + LEAST_STOP + 1  # the hook, the stop, the runtime: not measured
    return (
        before_the_write
        + isolated_seconds
        + to_the_decision
        + slow_machine
        + told_to_kubelet
        + stopped
    )


def least_engine_timeout(isolated_seconds: int) -> int:
    """The shortest engine-replica-timeout that a guard of so many seconds goes with."""
    return dead_after(isolated_seconds) + EARLIER_THAN_ENGINE


def most_isolated_seconds(engine_timeout: int) -> int:
    """The most patient guard that goes with an engine-replica-timeout; none if below 1."""
    return engine_timeout - least_engine_timeout(0)


def too_late(isolated_seconds: int, *, engine_timeout: int) -> str | None:
    """Why IRIS would not be dead when the engine goes on, with the cure; None: it would be."""
    least = least_engine_timeout(isolated_seconds)
    if engine_timeout >= least:
        return None
    shorter = most_isolated_seconds(engine_timeout)
    cure = f"set engineReplicaTimeoutSeconds to {least} or more"
    if shorter >= LEAST_ISOLATED:
        cure += f", or iris.guard.isolatedSeconds to {shorter} or less"
    return (
        f"engineReplicaTimeoutSeconds is {engine_timeout}, and on a node that is cut off IRIS may "
        f"live for {dead_after(isolated_seconds)} s: iris.guard.isolatedSeconds is "
        f"{isolated_seconds}, and {dead_after(0)} more may pass until it is dead. What it confirms "
        f"in between is lost; {cure}"
    )
