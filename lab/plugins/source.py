"""Whether a part of the lab is the official one or a stand-in: what is wished, what is kept.

A lab that holds objects goes on with what made them: with another one, the next `up` would replace
what it finds different.
"""

from __future__ import annotations

import os
from typing import Literal

from lab import LabError

Source = Literal["official", "stand-in"]


def wished(variable: str, what: str, used: Source | None) -> Source | None:
    """What the environment variable says, or what made the lab's objects; None if all is free.

    Args:
        variable: name of the environment variable.
        what: the part, such as ``provider plugins``.
        used: what made the objects that this lab holds, if it holds any.

    Raises:
        LabError: the variable holds something else, or not what the lab's objects were made with.
    """
    said = os.environ.get(variable) or None
    if said not in (None, "official", "stand-in"):
        raise LabError(f"{variable} ({said})", f"no such {what}", "set official or stand-in")
    if said and used and said != used:
        made_with = {"official": "the official ones", "stand-in": "the lab's stand-ins"}[used]
        raise LabError(
            f"{variable} ({said})",
            f"what this lab holds was made with {made_with} ({what}), and others would replace it, "
            "the database's volume too",
            f"run `make down` first, or unset {variable}",
        )
    return said or used
