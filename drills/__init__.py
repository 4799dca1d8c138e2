"""Drills: break one thing on purpose, and measure what a client of the database saw of it.

A run is a fault (`faults`, `machines`), a client that never stops writing (`commits`, or
`endpoints` where no IRIS runs), an observer of the cluster (`watch`) and, apart from all of them,
the judgement (`checker`, `times`, `phases`). `report` writes down what came of it.
"""


class DrillError(Exception):
    """A drill that cannot go on; says what, why and what to do, in one line."""

    def __init__(self, what: str, reason: str, cure: str) -> None:
        super().__init__(f"{what}: {reason}; {cure}")
        self.what = what
        self.reason = reason
        self.cure = cure
