"""What a preview without credentials gives, and what it leaves alone.

Each test runs the command in a copy of the working tree, as a fresh clone would be.
"""

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import psutil
import pytest
import yaml

from lab import REPOSITORY
from lab.engine import Engine, EngineError
from lab.engine.project_copy import MADE_UP_SECRET, read_config, stacks_of
from lab.home import LabHome
from lab.plugins.protocol import provider_pb2, provider_pb2_grpc
from lab.preview.process import StandIn, stand_in
from lab.toolchain import Toolchain, cache_folder
from tests.lab.copies import copy_working_tree
from tests.lab.no_network import REFUSED

STACKS = stacks_of(REPOSITORY)
DEV_RESOURCES = 42
"""Resources of the development stack, components not counted."""
SDK_OF = {"aws": "pulumi_aws", "azure": "pulumi_azure_native", "gcp": "pulumi_gcp"}
CREDENTIAL_FILES = (
    ".aws/config",
    ".aws/credentials",
    ".azure/azureProfile.json",
    ".azure/msal_token_cache.json",
    ".config/gcloud/application_default_credentials.json",
    ".config/gcloud/credentials.db",
    ".kube/config",
    ".pulumi/credentials.json",
)


class Clone:
    """A copy of the working tree, and the command in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def preview(
        self,
        *arguments: str,
        variables: dict[str, str] | None = None,
        before: tuple[str, ...] = (),
        options: tuple[str, ...] = (),
    ) -> subprocess.CompletedProcess[str]:
        """Run the command with hardly any environment variable."""
        return subprocess.run(
            [*before, sys.executable, *options, "-m", "lab", "preview", *arguments],
            cwd=self.folder,
            env={
                "PATH": os.environ["PATH"],
                "HA_IRIS_CACHE": str(cache_folder()),
                **(variables or {}),
            },
            capture_output=True,
            text=True,
            timeout=120,
        )

    def planned(self, stack: str) -> dict[str, Any]:
        """A stack's preview as data."""
        file = self.folder / f"{stack}.json"
        done = self.preview(stack, "--json", str(file))
        assert done.returncode == 0, done.stdout + done.stderr
        (entry,) = json.loads(file.read_text())
        return entry

    def write_stack(self, stack: str, **config: Any) -> None:
        """Write a stack file; ``cloud="gcp"`` is ``ha-iris:cloud``."""
        groups = {f"ha-iris:{key}": value for key, value in config.items()}
        content = yaml.safe_dump({"config": groups})
        (self.folder / f"Pulumi.{stack}.yaml").write_text(content)


@pytest.fixture(scope="module")
def clone(toolchain: Toolchain, tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """A copy of the working tree that no other test file uses."""
    return Clone(copy_working_tree(tmp_path_factory.mktemp("clone")))


@pytest.fixture
def providers() -> Iterator[StandIn]:
    """The stand-in, running."""
    with stand_in() as process:
        yield process


@pytest.mark.parametrize("stack", STACKS)
def test_a_committed_stack_file_plans_every_resource_as_new(clone, stack):
    entry = clone.planned(stack)

    assert set(entry["changes"]) == {"create"}
    assert entry["errors"] == []
    components = entry["components"].values()
    names = [name for types in components for named in types.values() for name in named]
    assert len(names) == entry["resources"]
    assert {"iris-deployment", "iris-data", "longhorn-release"} <= set(names)


@pytest.mark.parametrize("stack", STACKS)
def test_only_the_sdk_of_the_chosen_cloud_is_imported(clone, stack):
    cloud = read_config(REPOSITORY, stack)["ha-iris:cloud"]

    done = clone.preview(stack, options=("-X", "importtime"))

    assert done.returncode == 0
    modules = [line.rpartition("|")[2].strip() for line in done.stderr.splitlines()]
    imported = {module.partition(".")[0] for module in modules}
    assert "pulumi_kubernetes" in imported
    assert imported & set(SDK_OF.values()) == ({SDK_OF[cloud]} if cloud in SDK_OF else set())


@pytest.fixture
def home(tmp_path: Path) -> Iterator[tuple[Path, list[str]]]:
    """A home folder whose credential files tell when somebody opens them to read."""
    opened: list[str] = []
    pipes = [tmp_path / "home" / name for name in CREDENTIAL_FILES]

    def watch(pipe: Path) -> None:
        with pipe.open("wb"):  # returns when a reader comes
            opened.append(str(pipe.relative_to(tmp_path / "home")))

    for pipe in pipes:
        pipe.parent.mkdir(parents=True, exist_ok=True)
        os.mkfifo(pipe)
    watchers = [threading.Thread(target=watch, args=[pipe], daemon=True) for pipe in pipes]
    for watcher in watchers:
        watcher.start()
    yield tmp_path / "home", opened
    for pipe, watcher in zip(pipes, watchers, strict=True):
        os.close(os.open(pipe, os.O_RDONLY | os.O_NONBLOCK))
        watcher.join()


def test_a_file_of_credentials_that_is_read_is_noticed(home):
    folder, opened = home

    (folder / ".aws" / "credentials").read_bytes()

    assert opened == [".aws/credentials"]


@pytest.mark.parametrize("stack", STACKS)
def test_no_file_of_credentials_is_read_even_when_variables_point_at_it(clone, home, stack):
    folder, opened = home
    variables = {
        "HOME": str(folder),
        "KUBECONFIG": str(folder / ".kube" / "config"),
        "AWS_PROFILE": "production",
        "AWS_SHARED_CREDENTIALS_FILE": str(folder / ".aws" / "credentials"),
        "GOOGLE_APPLICATION_CREDENTIALS": str(
            folder / ".config" / "gcloud" / "application_default_credentials.json"
        ),
        "PULUMI_HOME": str(folder / ".pulumi"),
        "PULUMI_BACKEND_URL": "https://pulumi.invalid",
    }

    done = clone.preview(stack, variables=variables)

    assert done.returncode == 0, done.stdout + done.stderr
    assert opened == []


@pytest.mark.parametrize("stack", STACKS)
def test_no_plugin_is_downloaded(clone, stack):
    clone.planned(stack)

    plugins = clone.folder / ".lab" / "preview" / "pulumi" / "plugins"
    assert [*plugins.glob("resource-*")] == []


def without_network(tmp_path: Path) -> tuple[str, ...]:
    """The command before a command that counts what it sends to the network."""
    script = REPOSITORY / "tests" / "lab" / "no_network.py"
    return (sys.executable, str(script), str(tmp_path / "packets"))


def test_a_packet_to_the_network_is_noticed(tmp_path):
    ask = "import socket; socket.socket().connect_ex(('192.0.2.1', 443))"

    done = subprocess.run([*without_network(tmp_path), sys.executable, "-c", ask])

    if done.returncode == REFUSED:
        pytest.skip("this kernel gives no network namespace to this user")
    assert int((tmp_path / "packets").read_text()) > 0


@pytest.mark.parametrize("stack", STACKS)
def test_nothing_is_sent_to_any_network(clone, stack, tmp_path):
    done = clone.preview(stack, before=without_network(tmp_path))

    if done.returncode == REFUSED:
        pytest.skip("this kernel gives no network namespace to this user")
    assert done.returncode == 0, done.stdout + done.stderr
    assert int((tmp_path / "packets").read_text()) == 0


def test_a_proxy_for_the_internet_is_not_asked_for_this_machine(clone):
    proxies = ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY")
    nobody = dict.fromkeys(proxies, "http://127.0.0.1:9")

    done = clone.preview("dev", variables=nobody)

    assert done.returncode == 0, done.stdout + done.stderr


def test_diff_shows_what_the_cpf_and_the_claim_will_be(clone):
    done = clone.preview("dev", "--diff")

    assert 'storageClassName: "longhorn-iris"' in done.stdout
    assert "ISC_DATA_DIRECTORY" in done.stdout
    assert f"{DEV_RESOURCES} resources to create" in done.stdout


def test_markdown_is_a_table_that_says_what_stood_in(clone, tmp_path):
    clone.preview("dev", "--markdown", str(tmp_path / "summary.md"))

    written = (tmp_path / "summary.md").read_text()
    assert "a stand-in answers for every provider" in written
    assert f"### dev: {DEV_RESOURCES} resources to create" in written
    assert "| Iris iris | 9 |" in written
    assert "| Longhorn longhorn | `kubernetes:helm.sh:Release` | 1 | longhorn-release |" in written


def test_two_previews_of_one_program_are_alike(clone):
    first, second = (clone.preview("dev", "--diff").stdout for _ in range(2))

    names = [
        {line.strip() for line in out.splitlines() if "name" in line} for out in (first, second)
    ]
    assert names[0] == names[1]
    assert clone.planned("dev")["components"] == clone.planned("dev")["components"]


def test_two_previews_at_once_in_one_clone_wait_for_each_other(clone):
    with ThreadPoolExecutor() as pool:
        both = [*pool.map(clone.preview, ("dev", "dev"))]

    assert [done.returncode for done in both] == [0, 0], both
    waited = ["at work in this lab, waiting for its end" in done.stdout for done in both]
    assert sorted(waited) == [False, True]


def test_a_killed_preview_leaves_no_process_and_the_next_one_works(clone):
    process = subprocess.Popen(
        [sys.executable, "-m", "lab", "preview", "dev"],
        cwd=clone.folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    family: dict[str, psutil.Process] = {}
    while "pulumi" not in family:
        assert process.poll() is None, "it ended before it could be killed"
        for child in psutil.Process(process.pid).children():
            with contextlib.suppress(psutil.NoSuchProcess):
                family[child.name()] = child
    process.kill()
    process.wait()

    _, left = psutil.wait_procs([*family.values()], timeout=20)
    assert left == []
    assert clone.preview("dev").returncode == 0


def test_a_reader_that_has_seen_enough_is_no_error(clone):
    command = f"{sys.executable} -m lab preview dev | head -1"

    done = subprocess.run(command, shell=True, cwd=clone.folder, capture_output=True, text=True)

    assert done.stdout.startswith("No credentials, no cloud, no state")
    assert done.stderr == ""


def test_a_bad_stack_file_is_refused_once_in_its_own_words(clone, tmp_path):
    clone.write_stack("bad", cloud="existing", iris={"storageGb": 4, "memoryGib": 1})

    done = clone.preview("bad", "dev", "--json", str(tmp_path / "plan.json"))

    assert done.returncode == 1
    assert done.stdout.count("ha-iris:iris.storageGb is not a setting: did you mean") == 1
    assert done.stdout.count("ha-iris:iris.memoryGib is 1: it must be 2 or more") == 1
    assert "ha-iris: refused: bad" in done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    bad, dev = json.loads((tmp_path / "plan.json").read_text())
    assert "ha-iris:iris.storageGb" in bad["errors"][0]
    assert bad["resources"] == 0
    assert dev["resources"] == DEV_RESOURCES


def test_an_unknown_stack_is_refused_before_anything_runs(clone):
    done = clone.preview("dev", "prod")

    assert done.returncode == 1
    assert done.stderr.startswith("ha-iris: stack prod: there is no Pulumi.prod.yaml; use one of ")
    assert done.stdout == ""


def test_a_stack_file_that_is_no_yaml_is_refused(clone):
    (clone.folder / "Pulumi.torn.yaml").write_text("config: [")

    done = clone.preview("torn")

    assert done.returncode == 1
    assert done.stderr.startswith("ha-iris: Pulumi.torn.yaml: not YAML (")
    assert "Traceback" not in done.stderr


def test_a_secret_that_only_its_owner_can_decrypt_is_made_up(clone):
    encrypted = {"secure": "v1:AAAAAAAAAAAAAAAA:bm90IGZvciB1cw=="}
    clone.write_stack("sealed", cloud="existing", iris={"password": encrypted})

    done = clone.preview("sealed", "--diff")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "password     " in done.stdout
    assert MADE_UP_SECRET not in done.stdout
    # A given password replaces the generated one.
    assert "iris-credentials-password" not in done.stdout


def test_nothing_can_be_created_with_the_stand_in(toolchain, providers, tmp_path, capfd):
    (tmp_path / "Pulumi.yaml").write_text("name: tiny\nruntime: python\n")
    (tmp_path / "Pulumi.dev.yaml").write_text("config: {}\n")
    (tmp_path / "__main__.py").write_text(
        "import pulumi_random\npulumi_random.RandomId('id', byte_length=4)\n"
    )
    engine = Engine(
        home=LabHome(tmp_path / "lab"),
        pulumi=toolchain.pulumi,
        stack="dev",
        project=tmp_path,
        environment=providers.environment,
    )

    assert engine.run("preview").changes == {"create": 2}
    with pytest.raises(EngineError) as refused:
        engine.run("up")

    assert any("refused to create random:index" in error for error in refused.value.result.errors)
    assert [r["type"] for r in engine.resources if r["type"].startswith("random")] == []


def call(providers: StandIn, method: str, request: Any) -> grpc.RpcError:
    """The refusal of one call to the stand-in."""
    served = providers.environment()["PULUMI_DEBUG_PROVIDERS"]
    port = served.partition(",")[0].rpartition(":")[2]
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        provider = provider_pb2_grpc.ResourceProviderStub(channel)
        with pytest.raises(grpc.RpcError) as refused:
            getattr(provider, method)(request)
    return refused.value


@pytest.mark.parametrize("method", ["Create", "Update", "Delete"])
def test_the_stand_in_refuses_to_touch_a_resource(providers, method):
    request = getattr(provider_pb2, f"{method}Request")(type="aws:s3/bucket:Bucket", name="b")

    refusal = call(providers, method, request)

    assert refusal.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert f"refused to {method.lower()} aws:s3/bucket:Bucket b" in str(refusal)


def test_a_question_without_a_prepared_answer_is_an_error_that_names_it(providers):
    request = provider_pb2.InvokeRequest(tok="aws:ec2/getAmi:getAmi")

    refusal = call(providers, "Invoke", request)

    assert refusal.code() is grpc.StatusCode.UNIMPLEMENTED
    assert "aws:ec2/getAmi:getAmi" in str(refusal)
    assert "lab/preview/answers.py" in str(refusal)
