"""What a node is told before Longhorn attaches a volume to it. The script runs for real."""

import os
import subprocess
from pathlib import Path

import pytest

from components.node_prep import SCRIPT

BLACKLIST = 'blacklist {\n    devnode "^sd[a-z0-9]+"\n}\n'


@pytest.fixture
def node(tmp_path):
    """A folder that stands for a node's root, and a chroot that writes down what it is told."""
    host = tmp_path / "host"
    (host / "usr" / "sbin").mkdir(parents=True)
    tools = tmp_path / "tools"
    tools.mkdir()
    chroot = tools / "chroot"

    def run(*, multipathd: bool = True, running: bool = True, obeys: bool = True):
        if multipathd:
            daemon = host / "usr" / "sbin" / "multipathd"
            daemon.touch(mode=0o755)
        chroot.write_text(
            "#!/bin/sh\n"
            f'echo "$@" >> {tmp_path}/calls\n'
            'case "$*" in\n'
            f"*'show daemon') exit {0 if running else 1} ;;\n"
            f"*reconfigure) exit {0 if obeys else 1} ;;\n"
            "esac\n"
        )
        chroot.chmod(0o755)
        environment = {"HOST": str(host), "PATH": f"{tools}:{os.environ['PATH']}"}
        return subprocess.run(
            ["/bin/sh", "-c", SCRIPT.read_text()],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    return tmp_path, run


def _config(folder: Path) -> Path:
    return folder / "host" / "etc" / "multipath" / "conf.d" / "longhorn.conf"


def _calls(folder: Path) -> str:
    return (folder / "calls").read_text() if (folder / "calls").exists() else ""


def test_multipathd_is_told_to_leave_longhorns_devices_alone(node):
    folder, run = node

    assert run().returncode == 0
    assert _config(folder).read_text() == BLACKLIST
    assert f"{folder}/host /usr/sbin/multipathd reconfigure" in _calls(folder)


def test_a_node_that_was_prepared_before_is_told_again(node):
    folder, run = node
    run()
    (folder / "calls").unlink()

    assert run().returncode == 0
    assert "reconfigure" in _calls(folder)
    assert _config(folder).read_text() == BLACKLIST


def test_a_multipathd_that_does_not_obey_keeps_longhorn_waiting(node):
    _, run = node

    assert run(obeys=False).returncode != 0


def test_a_multipathd_that_does_not_run_finds_the_file_when_it_starts(node):
    folder, run = node

    assert run(running=False).returncode == 0
    assert _config(folder).read_text() == BLACKLIST
    assert "reconfigure" not in _calls(folder)


def test_a_node_without_multipathd_is_left_as_it_is(node):
    folder, run = node

    assert run(multipathd=False).returncode == 0
    assert not _config(folder).exists()


@pytest.mark.parametrize("stack", ["aks", "gke"])
def test_the_script_runs_before_the_pod_is_ready_and_on_every_node(committed, stack):
    pod = committed(stack).named("cluster-node-prep-daemon-set").inputs["spec"]["template"]["spec"]

    (prepare,) = pod["initContainers"]
    assert prepare["command"] == ["/bin/sh", "-c", SCRIPT.read_text()]
    assert prepare["securityContext"] == {"privileged": True}
    assert pod["tolerations"] == [{"operator": "Exists"}]
    # multipathd's socket is an abstract one, which belongs to the network namespace.
    assert pod["hostNetwork"] is True


@pytest.mark.parametrize("stack", ["aks", "gke"])
def test_no_volume_is_attached_before_multipathd_leaves_it_alone(committed, stack):
    engine = committed(stack)

    for namespace in ("longhorn-namespace", "iris-namespace"):
        assert "cluster-node-prep-daemon-set" in engine.named(namespace).depends_on
    pools = {r.name for r in engine.resources if r.name.startswith("cluster-nodes-a-")}
    waits_for = {*engine.named("cluster-node-prep-namespace").depends_on}
    assert {pool for pool in pools if not pool.endswith("-lock")} <= waits_for


@pytest.mark.parametrize("stack", ["aks", "gke"])
def test_what_stays_on_the_node_has_no_privileges(committed, stack):
    pod = committed(stack).named("cluster-node-prep-daemon-set").inputs["spec"]["template"]["spec"]

    (stays,) = pod["containers"]
    assert "volumeMounts" not in stays
    assert stays["securityContext"]["runAsNonRoot"] is True
    assert stays["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert pod["automountServiceAccountToken"] is False
