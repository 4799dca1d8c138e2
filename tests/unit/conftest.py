"""Runs a program against a mock engine that remembers everything it was asked for."""

import asyncio
import gc
import json
import runpy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, cast

import pulumi
import pytest
import yaml
from pulumi.runtime import mocks, rpc, set_all_config, set_mocks
from pulumi.runtime.settings import SETTINGS
from pulumi.runtime.stack import run_pulumi_func

from components.existing_cluster import ExistingCluster, ExistingClusterSettings
from components.iris import Iris, IrisSettings
from stacks import compose
from tests.unit.answers import answer, computed
from tests.unit.hooks import told as told
from tests.unit.restored_instances import before_create as before_create

ROOT = Path(__file__).parents[2]

OFFICE = "198.41.0.0/24"
"""The network that reaches the Kubernetes API in tests."""

Program = Callable[[], Any]


@dataclass(frozen=True)
class Registered:
    """One resource as the engine got it."""

    type: str
    name: str
    inputs: dict[str, Any]
    urn: str
    parent: str
    protect: bool
    depends_on: list[str]
    """Names of all resources that this one waits for, by data or by depends_on."""
    property_depends_on: dict[str, list[str]]
    """Names of the resources that each input came from."""
    secret_inputs: set[str]
    """Names of the inputs that are secret, wholly or in part."""
    request: Any = field(repr=False)
    """The engine's own request, for the options that a test seldom needs."""


@dataclass
class Engine:
    """What a program registered, in order, and what it exported."""

    resources: list[Registered] = field(default_factory=list)
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    hooks: dict[str, pulumi.ResourceHook] = field(default_factory=dict)
    """By name, to be called by a test: without an engine nothing runs them."""

    def register_resource_hook(self, hook: pulumi.ResourceHook) -> None:
        """What a program's callback server does, without a server."""
        self.hooks[hook.name] = hook

    def of_type(self, token: str) -> list[Registered]:
        """All resources of a type token such as kubernetes:core/v1:Secret."""
        return [resource for resource in self.resources if resource.type == token]

    def one(self, token: str, name: str | None = None) -> Registered:
        """The only resource of a type, or the only one of that type and name."""
        found = [r for r in self.of_type(token) if name is None or r.name == name]
        assert len(found) == 1, f"{len(found)} of {token} {name or ''}: {[r.name for r in found]}"
        return found[0]

    def named(self, name: str) -> Registered:
        """The only resource of a name."""
        found = [resource for resource in self.resources if resource.name == name]
        assert len(found) == 1, f"{len(found)} named {name}"
        return found[0]


class _Answers(mocks.Mocks):
    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        return f"{args.name}-id", {**args.inputs, **computed(args.typ, args.name, args.inputs)}

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]]]:
        self.engine.calls.append((args.token, args.args))
        return answer(args.token, args.args), []


class _Monitor(mocks.MockMonitor):
    def __init__(self, engine: Engine) -> None:
        super().__init__(_Answers(engine))
        self.engine = engine

    def RegisterResource(self, request: Any) -> Any:
        response = super().RegisterResource(request)
        if request.type != "pulumi:pulumi:Stack":
            inputs = rpc.deserialize_properties(request.object, keep_unknowns=True)
            self.engine.resources.append(
                Registered(
                    type=request.type,
                    name=request.name,
                    inputs=plain(inputs),
                    secret_inputs={key for key, value in inputs.items() if has_secret(value)},
                    urn=response.urn,
                    parent=_name(request.parent),
                    protect=request.protect,
                    depends_on=[_name(urn) for urn in request.dependencies],
                    property_depends_on={
                        key: [_name(urn) for urn in deps.urns]
                        for key, deps in request.propertyDependencies.items()
                    },
                    request=request,
                )
            )
        return response


def _name(urn: str) -> str:
    return urn.split("::")[-1]


def plain(value: Any) -> Any:
    """A value as the program gave it: the wire wraps secrets and turns integers into floats."""
    if rpc.is_rpc_secret(value):
        return plain(rpc.unwrap_rpc_secret(value))
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    return value


def has_secret(value: Any) -> bool:
    """Whether a value is secret or holds something that is."""
    if isinstance(value, list):
        return any(has_secret(item) for item in value)
    if isinstance(value, Mapping):
        return rpc.is_rpc_secret(value) or any(has_secret(item) for item in value.values())
    return False


@pytest.fixture
def deploy() -> Iterator[Callable[..., Engine]]:
    """``deploy(program)`` runs a program to its end and returns what it registered.

    ``preview=True`` runs it as a preview: what a cloud would compute is unknown.
    ``config`` is the stack's configuration, ``{"ha-iris:cloud": "aws"}``.
    """

    loop = asyncio.get_event_loop_policy().get_event_loop()

    def run(
        program: Program,
        *,
        preview: bool = False,
        stack: str = "test",
        config: Mapping[str, str] | None = None,
        secret_keys: list[str] | None = None,
    ) -> Engine:
        engine = Engine()
        monitor = _Monitor(engine)
        set_mocks(monitor.mocks, project="ha-iris", stack=stack, preview=preview, monitor=monitor)
        cast(Any, SETTINGS).callbacks = engine
        set_all_config(dict(config or {}), secret_keys or [])
        # A cloud's SDK is a million objects that stay; looking through them while the program
        # runs, for cycles to free, takes longer than the program.
        gc.freeze()
        gc.disable()
        try:
            loop.run_until_complete(run_pulumi_func(lambda: _without_result(program)))
        finally:
            gc.enable()
        return engine

    yield run
    set_all_config({}, [])


def _without_result(program: Program) -> None:
    program()


@pytest.fixture
def resolve() -> Callable[[pulumi.Input[Any]], Any]:
    """The plain value of an Output, once its program has run."""
    loop = asyncio.get_event_loop_policy().get_event_loop()

    def run(value: pulumi.Input[Any]) -> Any:
        return loop.run_until_complete(pulumi.Output.from_input(value).future())

    return run


@pytest.fixture
def stack_config(kubeconfig: str) -> Callable[[str], dict[str, str]]:
    """Configuration of a committed stack file, as Pulumi hands it to the program.

    A kubeconfig that the stack file names is replaced by one that exists, and the examples of
    a group of administrators and of a network that may reach the Kubernetes API by such as
    somebody could have.
    """

    def read(stack: str) -> dict[str, str]:
        config = yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text())["config"]
        if "kubeconfig" in config.get("ha-iris:cluster", {}):
            config["ha-iris:cluster"]["kubeconfig"] = kubeconfig
        if stack == "aks":
            config["ha-iris:cluster"]["admins"] = ["11111111-2222-3333-4444-555555555555"]
        if "apiAccessCidrs" in config.get("ha-iris:cluster", {}):
            config["ha-iris:cluster"]["apiAccessCidrs"] = [OFFICE]
        return {
            key: value if isinstance(value, str) else json.dumps(value)
            for key, value in config.items()
        }

    return read


@pytest.fixture
def iris(deploy, kubeconfig) -> Callable[..., Engine]:
    """Deploys IRIS with the given settings and returns the engine."""

    def run(*, protect_data: bool = True, **settings):
        def program():
            cluster = ExistingCluster("cluster", ExistingClusterSettings(kubeconfig=kubeconfig))
            Iris(
                "iris",
                IrisSettings(**settings),
                cluster=cluster,
                storage_class="longhorn-iris",
                storage_ready=[],
                protect_data=protect_data,
            )

        return deploy(program)

    return run


_RUNS: dict[str, Engine] = {}


@pytest.fixture
def committed(deploy, stack_config) -> Callable[..., Engine]:
    """``committed("eks", cluster={"nodes": 6})`` runs a committed stack file, changed so.

    Tests that ask for the same share one run: an engine that ran changes no more.
    """

    def run(stack: str, *, preview: bool = False, **groups: Any) -> Engine:
        config = changed(stack_config(stack), groups)
        key = json.dumps([stack, preview, config])
        if key not in _RUNS:
            main = str(ROOT / "__main__.py")
            _RUNS[key] = deploy(
                lambda: runpy.run_path(main), stack=stack, config=config, preview=preview
            )
        return _RUNS[key]

    return run


@pytest.fixture
def eks(committed) -> Callable[..., Engine]:
    """Runs Pulumi.eks.yaml, with some settings of some groups changed."""
    return partial(committed, "eks")


@pytest.fixture
def aks(committed) -> Callable[..., Engine]:
    """Runs Pulumi.aks.yaml, with some settings of some groups changed."""
    return partial(committed, "aks")


@pytest.fixture
def gke(committed) -> Callable[..., Engine]:
    """Runs Pulumi.gke.yaml, with some settings of some groups changed."""
    return partial(committed, "gke")


@pytest.fixture
def composed(deploy, stack_config) -> Callable[..., tuple[Engine, dict[str, Any]]]:
    """``composed("eks", cluster={"nodes": 6})``: the engine and the outputs of a stack file."""

    def run(stack: str, *, preview: bool = False, **groups: Any) -> tuple[Engine, dict[str, Any]]:
        outputs = {}
        engine = deploy(
            lambda: outputs.update(compose()),
            stack=stack,
            config=changed(stack_config(stack), groups),
            preview=preview,
        )
        return engine, outputs

    return run


@pytest.fixture
def refused(deploy) -> Callable[..., str]:
    """``refused(config)``: the message that refuses a configuration before anything is made."""

    def run(config: Mapping[str, str], **options: Any) -> str:
        seen = []

        def program() -> None:
            with pytest.raises(pulumi.RunError) as refusal:
                compose()
            seen.append(str(refusal.value))

        engine = deploy(program, config=config, **options)
        assert engine.resources == []
        return seen[0]

    return run


def changed(config: dict[str, str], groups: Mapping[str, Any]) -> dict[str, str]:
    """A stack's configuration with some settings of some groups, or other keys, changed."""
    for group, settings in groups.items():
        key = group if ":" in group else f"ha-iris:{group}"
        if isinstance(settings, dict):
            settings = {**json.loads(config.get(key, "{}")), **settings}
        config[key] = settings if isinstance(settings, str) else json.dumps(settings)
    return config


@pytest.fixture
def kubeconfig(tmp_path: Path) -> str:
    """Path of a kubeconfig with the contexts ``here`` (current) and ``there``."""
    file = tmp_path / "kubeconfig"
    contexts = [{"name": n, "context": {"cluster": "c", "user": "u"}} for n in ("here", "there")]
    document = {
        "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:1"}}],
        "users": [{"name": "u", "user": {"token": "t"}}],
        "contexts": contexts,
        "current-context": "here",
    }
    file.write_text(yaml.safe_dump(document))
    return str(file)
