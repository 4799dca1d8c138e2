"""Whole programs, run once per variant and shared by all contract tests."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

import tests.unit.conftest as unit
from tests.contract.models import CLOUDS, coverage
from tests.contract.played_cloud import Played
from tests.contract.programs import COMMITTED, PROGRAMS, Deployed, over, run_program

deploy = unit.deploy
stack_config = unit.stack_config
kubeconfig = unit.kubeconfig
committed = unit.committed

_RUNS: dict[str, list[Deployed]] = {}
_BROKEN: dict[str, str] = {}


@pytest.fixture
def deployed(deploy, stack_config) -> Callable[[str], list[Deployed]]:
    """``deployed("eks")``: every cloud resource of that stack's program, in all its variants.

    A program that fails is run once; each test that needs it then says why.
    """

    def of(stack: str) -> list[Deployed]:
        if stack in _BROKEN:
            pytest.fail(_BROKEN[stack], pytrace=False)
        if stack not in _RUNS:
            runs: list[Deployed] = []
            for variant, groups in {COMMITTED: {}, **PROGRAMS[stack]}.items():
                _BROKEN[stack] = f"{stack} ({variant}) failed; the first test that ran it says how"
                engine = run_program(deploy, stack, over(stack_config(stack), groups))
                clouds_own = [r for r in engine.resources if r.type.startswith(CLOUDS)]
                runs += [Deployed(variant, resource) for resource in clouds_own]
            _RUNS[stack] = runs
            del _BROKEN[stack]
        return _RUNS[stack]

    return of


@pytest.fixture
def cloud() -> Iterator[Played]:
    """A cloud on this machine."""
    played = Played()
    yield played
    played.server.shutdown()
    played.server.server_close()


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say how much of what the stacks register is checked, and what is not."""
    for stack, runs in sorted(_RUNS.items()):
        terminalreporter.write_line(coverage(stack, runs))
