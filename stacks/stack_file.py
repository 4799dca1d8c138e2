"""A stack file, read once and refused whole where it has faults."""

import json
from dataclasses import dataclass
from typing import Any, TypeVar, get_args

from pulumi.runtime import is_dry_run
from pulumi.runtime.config import (
    CONFIG,
    get_config_env,
    get_config_secret_keys_env,
    is_config_secret,
)
from pydantic import ValidationError

from components.settings import EXAMPLES_WILL_DO
from stacks.faults import faults_of, refusal, secrets_in_clear
from stacks.settings import NAMESPACE, Cloud, StackSettings

STAND_INS = "lab:standIns"
"""Configuration with which the lab marks a preview as its own, in which no cloud takes part."""

AnyStack = TypeVar("AnyStack", bound="StackSettings[Any, Any]")


@dataclass(frozen=True)
class StackFile:
    """The ``ha-iris:`` part of a stack's configuration, as Pulumi hands it to the program."""

    values: dict[str, Any]
    secret_keys: frozenset[str]

    creates_nothing: bool = False
    """Whether this is a preview against stand-ins, which says so of itself."""

    @classmethod
    def of_this_stack(cls) -> "StackFile":
        """The configuration of the stack that runs this program; nothing else reads it."""
        # pulumi.Config answers only for names that it is asked for, and a misspelt name is one
        # that nobody asks for.
        everything = {**get_config_env(), **CONFIG.get()}
        prefix = f"{NAMESPACE}:"
        ours = {key: text for key, text in everything.items() if key.startswith(prefix)}
        secret = {*get_config_secret_keys_env(), *filter(is_config_secret, ours)}
        return cls(
            values={key.removeprefix(prefix): _parse(text) for key, text in ours.items()},
            secret_keys=frozenset(key.removeprefix(prefix) for key in secret if key in ours),
            # Only together: an update creates something, whatever it says of itself.
            creates_nothing=is_dry_run() and everything.get(STAND_INS) == "true",
        )

    def cloud(self) -> Cloud:
        """Who provides the cluster.

        Raises:
            pulumi.RunError: it is none that this program knows.
        """
        chosen = self.values.get("cloud", "existing")
        if chosen not in get_args(Cloud):
            raise refusal(
                f"{NAMESPACE}:cloud is {chosen}: no such cloud; "
                f"set it to one of {', '.join(get_args(Cloud))}"
            )
        return chosen

    def settings(self, model: type[AnyStack]) -> AnyStack:
        """The checked settings of the stack.

        Raises:
            pulumi.RunError: there are faults; the message lists every one of them.
        """
        faults = secrets_in_clear(model, self.values, self.secret_keys)
        try:
            settings = model.model_validate_json(
                json.dumps(self.values),
                strict=True,
                by_alias=True,
                by_name=False,
                context={EXAMPLES_WILL_DO: self.creates_nothing},
            )
        except ValidationError as invalid:
            raise refusal(*faults, *faults_of(invalid, model)) from None
        if faults:
            raise refusal(*faults)
        return settings


def _parse(text: str) -> Any:
    """A value as typed: groups, numbers and booleans arrive as JSON text, strings as they are."""
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text
