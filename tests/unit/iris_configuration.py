"""A stack file's settings of IRIS and the merge file that they become, without an engine."""

import json
from typing import Any

from components.iris import IrisSettings
from components.iris.cpf import merge_file
from tests.unit import cpf_reader

HASH = f"{'a1' * 64},{'b2' * 64},10000,SHA512"


def settings(**iris: Any) -> IrisSettings:
    """Settings read as a stack file's are: camelCase, strictly."""
    return IrisSettings.model_validate_json(
        json.dumps(iris), strict=True, by_alias=True, by_name=False
    )


def parameter(section: str, **values: Any) -> dict[str, Any]:
    """Parameters of one section, as ``iris.parameters`` has them."""
    return {"parameters": {section: values}}


def actions(**groups: Any) -> dict[str, Any]:
    """Groups of ``iris.actions``."""
    return {"actions": groups}


def text(iris: IrisSettings) -> str:
    """Its merge file; the hash of every password is HASH."""
    return merge_file(
        memory_gib=iris.memory_gib,
        globals_mib=iris.globals_mib,
        routines_mib=iris.routines_mib,
        gmheap_kib=iris.gmheap_kib,
        synch_commit=iris.synch_commit,
        username=iris.username,
        password_hash=HASH,
        journals=iris.journals.lines(),
        parameters=iris.parameters.sections(grace_seconds=iris.termination_grace_period_seconds),
        actions=iris.actions.lines({user.name: HASH for user in iris.actions.users}),
        more=iris.cpf,
    )


def added(**iris: Any) -> dict[str, list[str]]:
    """Lines by section that these settings add to the merge file of a stack without them."""
    without = cpf_reader.sections(text(settings()))
    return {
        section: new
        for section, lines in cpf_reader.sections(text(settings(**iris))).items()
        if (new := [line for line in lines if line not in without.get(section, [])])
    }
