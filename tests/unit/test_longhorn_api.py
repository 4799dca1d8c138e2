"""How a look at Longhorn reaches a cluster, and what it makes of the answers."""

import json
import os
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from components.longhorn.api import DEFINITIONS, DRIVER, Unreachable, Unreadable, look, read

VOLUMES = "/apis/longhorn.io/v1beta2/volumes"
TOKEN = "a-token-that-no-message-shows"


def cluster(**served: bool) -> dict[str, Any]:
    """Answers of an API server whose Longhorn serves these versions of its objects."""
    versions = [{"name": name, "served": is_served} for name, is_served in served.items()]
    kinds = ("volumes", "engines", "replicas", "nodes")
    return {
        f"{DEFINITIONS}/volumes.longhorn.io": {"spec": {"versions": versions}},
        **{f"/apis/longhorn.io/v1beta2/{kind}": {"items": []} for kind in kinds},
        "/api/v1/nodes": {"items": [{"metadata": {"name": "node-a"}}]},
    }


def test_without_longhorn_there_is_nothing_to_read():
    assert read({}.get) is None


def test_longhorn_is_read_in_the_version_that_the_program_knows():
    state = read(cluster(v1beta1=False, v1beta2=True).get)

    assert state is not None
    assert [node["metadata"]["name"] for node in state.nodes] == ["node-a"]


@pytest.mark.parametrize("served", [{"v1beta3": True}, {"v1beta2": False, "v1": True}, {}])
def test_longhorn_of_another_version_is_never_taken_for_none(served: dict[str, bool]):
    with pytest.raises(Unreadable, match="this program reads v1beta2"):
        read(cluster(**served).get)


def test_a_driver_without_volumes_that_the_program_knows_is_never_taken_for_none():
    with pytest.raises(Unreadable, match=r"volumes\.longhorn\.io is not"):
        read({DRIVER: {}}.get)


def test_an_api_server_that_does_not_know_its_kinds_yet_is_asked_again():
    answers = cluster(v1beta2=True)
    del answers[VOLUMES]

    with pytest.raises(Unreachable, match="does not know"):
        read(answers.get)


class _Server(BaseHTTPRequestHandler):
    """An API server whose Longhorn has no volumes, and that one token opens."""

    def do_GET(self) -> None:
        answer = cluster(v1beta2=True).get(self.path)
        if self.headers.get("authorization") != f"Bearer {TOKEN}":
            self.send_response(401)
            answer = {"message": self.headers.get("authorization")}
        else:
            self.send_response(200 if answer else 404)
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Address of a running ``_Server``."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    http = ThreadingHTTPServer(("127.0.0.1", 0), _Server)
    thread = threading.Thread(target=http.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{http.server_port}"
    http.shutdown()
    thread.join()
    http.server_close()


def kubeconfig(server: str, program: Path) -> str:
    """A kubeconfig as the clouds' ones are: it logs in with a program."""
    login = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": str(program),
        "args": ["get-token"],
        "interactiveMode": "Never",
        "provideClusterInfo": True,
    }
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "ours", "cluster": {"server": server}}],
            "users": [{"name": "ours", "user": {"exec": login}}],
            "contexts": [{"name": "ours", "context": {"cluster": "ours", "user": "ours"}}],
            "current-context": "ours",
        }
    )


def program(folder: Path, code: str) -> Path:
    """A login program."""
    file = folder / "login"
    file.write_text(f"#!{sys.executable}\n{code}")
    file.chmod(0o700)
    return file


def logs_in_with(token: str) -> str:
    return (
        "import json, os\n"
        "asked = json.loads(os.environ['KUBERNETES_EXEC_INFO'])\n"
        "assert asked['spec']['cluster']['server'].startswith('http')\n"
        f"print(json.dumps({{**asked, 'status': {dict(token=token)!r}}}))"
    )


def test_the_login_program_of_the_kubeconfig_is_called(server: str, tmp_path: Path):
    state = look(kubeconfig(server, program(tmp_path, logs_in_with(TOKEN))))

    assert state is not None
    assert len(state.nodes) == 1


def test_a_login_program_that_fails_is_said_to(server: str, tmp_path: Path):
    login = program(tmp_path, "import sys; sys.exit('the session has expired')")

    with pytest.raises(Unreachable, match="its login program gave no token"):
        look(kubeconfig(server, login))


def test_a_login_program_that_is_not_installed_is_said_to_fail(server: str, tmp_path: Path):
    with pytest.raises(Unreachable, match="its login program gave no token"):
        look(kubeconfig(server, tmp_path / "not-there"))


def test_a_refused_login_shows_no_token(server: str, tmp_path: Path):
    refused = f"{TOKEN}-of-yesterday"

    with pytest.raises(Unreachable, match=r"^401 Unauthorized$"):
        look(kubeconfig(server, program(tmp_path, logs_in_with(refused))))


def test_a_cluster_that_is_gone_is_unreachable(tmp_path: Path):
    with pytest.raises(Unreachable, match="refused"):
        look(kubeconfig("http://127.0.0.1:9", program(tmp_path, logs_in_with(TOKEN))))


def test_a_look_leaves_no_key_behind(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    status = {"clientCertificateData": "a certificate", "clientKeyData": "a key"}
    login = program(tmp_path, logs_in_with(TOKEN).replace(repr({"token": TOKEN}), repr(status)))

    # The client writes both to files, as Python's TLS wants; this server asks for a token.
    with pytest.raises(Unreachable, match="401"):
        look(kubeconfig(server, login))

    assert os.listdir(temporary) == []
