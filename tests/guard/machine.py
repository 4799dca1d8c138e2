"""A node with a volume, a container that runs the guard, and what a kubelet does with its probe."""

import contextlib
import os
import shutil
import signal
import subprocess
import threading
import time
from pathlib import Path

from components.iris.guard import pod
from components.iris.guard.timing import LEAST_STOP
from components.iris.pod import IRISOWNER
from tests.guard.network import PEER_PORT, Network
from tests.guard.processes import killed, run, send, uptime

SCRIPTS = Path(__file__).parents[2] / "components" / "iris" / "scripts"
STAND_INS = Path(__file__).parent / "stand_ins"
RUNNING = "IRIS^/usr/irissys^2026.2^running, since x^iris.cpf^1972^52773^62972^ok^IRIS\n"


class Machine:
    """A node of which only the network, the volume and the container are made.

    The volume is ext4 on a loop device: frozen, a write to it hangs in the kernel and cannot be
    killed, as one to a volume whose engine does not answer. The container has namespaces of its
    own for processes and network, and runs as the user that IRIS runs as.
    """

    def __init__(self, folder: Path, name: str, *, cannot_kill: bool = False, **told: str) -> None:
        self.folder = folder
        self.network = Network(name)
        self.volume, self.memory = folder / "volume", folder / "memory"
        self.observed = folder / "observed"
        # Another user reads them, who may not enter where the project and its Python are.
        self.scripts, self.stand_ins = folder / "scripts", folder / "stand_ins"
        shutil.copytree(SCRIPTS, self.scripts)
        shutil.copytree(STAND_INS, self.stand_ins)
        if cannot_kill:
            guard = self.scripts / "guard.sh"
            text = guard.read_text()
            assert "contained=$((" in text
            guard.write_text(text.replace("contained=$((", "contained=$((0 && "))
        for made in (self.volume, self.memory, self.observed):
            made.mkdir(parents=True)
            made.chmod(0o777)
        for name in ("log", "stdout"):
            (self.observed / name).touch()
            (self.observed / name).chmod(0o666)  # as the runtime gives a container its output
        image = folder / "volume.img"
        image.touch()
        os.truncate(image, 16 << 20)
        run("mkfs.ext4", "-q", str(image))
        run("mount", "-o", "loop", str(image), str(self.volume))
        os.chown(self.volume, IRISOWNER, IRISOWNER)
        (folder / "resolv.conf").write_text("nameserver 10.77.2.53\noptions timeout:1\n")
        (folder / "nsswitch.conf").write_text("hosts: dns\n")
        (self.observed / "qlist").write_text(RUNNING)
        self.environment = {
            "PATH": f"{self.stand_ins}:/usr/local/bin:/usr/bin:/bin",
            **pod.environment(
                isolated_seconds=15,
                peers=f"longhorn-peers.longhorn-system.svc:{PEER_PORT}",
                data_mount=str(self.volume),
                stop_seconds=30,
            ),
            "GUARD_FOLDER": str(self.memory),
            "KUBERNETES_SERVICE_HOST": "10.77.2.1",
            "KUBERNETES_SERVICE_PORT": "443",
            "TMPDIR": str(self.memory),
            "OBSERVED": str(self.observed),
            "SCRIPTS": str(self.scripts),
            "STAND_INS": str(self.stand_ins),
            **told,
        }
        self.frozen = self.stands_still = False
        self.settled = self.decided = 0.0
        self.restarts: list[float] = []
        self._closing = False
        self._kubelet_at_work = threading.Lock()
        self._run_container()
        self._kubelet = threading.Thread(target=self._probe, daemon=True)
        self._kubelet.start()

    # What happens to it

    def hang(self) -> None:
        """Let every write to the volume hang."""
        run("fsfreeze", "-f", str(self.volume))
        self.frozen = True

    def answer(self) -> None:
        """Let the volume answer all that hangs, as an engine does that goes on."""
        if self.frozen:
            run("fsfreeze", "-u", str(self.volume))
        self.frozen = False

    def slow_starts(self) -> None:
        """Let each question of the guard begin three seconds after it is asked."""
        slow = self.stand_ins / "bash"
        slow.write_text('#!/bin/sh\nsleep 3\nexec /bin/bash "$@"\n')
        slow.chmod(0o755)

    def stop_the_world(self) -> None:
        """Stop every process of the machine, as a live migration does."""
        self.stands_still = True
        for _ in range(3):  # what was being born the first time
            for process in self.processes():
                send(process, signal.SIGSTOP)
            time.sleep(0.05)

    def go_on(self) -> None:
        """End that."""
        for process in self.processes():
            send(process, signal.SIGCONT)
        self.stands_still = False

    def delete_pod(self) -> None:
        """Delete the pod: the next one's memory is empty. Here it comes on the same node."""
        with self._kubelet_at_work:
            send(self._first, signal.SIGKILL)
            self._container.wait()
            for remembered in self.memory.iterdir():
                remembered.unlink()
            self._run_container()

    def kill(self, process: int) -> None:
        """End a process at once."""
        send(process, signal.SIGKILL)

    # What is seen

    def processes(self, command: str = "") -> list[int]:
        """Processes of the container, by the machine's own numbers."""
        found = []
        for entry in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                if entry.name.isdigit() and os.readlink(entry / "ns" / "pid") == self._namespace:
                    line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                    if command in line:
                        found.append(int(entry.name))
        return found

    def iris_lives(self) -> bool:
        """Whether a process of the database could still acknowledge something."""
        return any(not killed(process) for process in self.processes("commits.sh"))

    def acknowledged(self) -> list[float]:
        """When commits were acknowledged, as uptime()."""
        with contextlib.suppress(FileNotFoundError):
            lines = (self.observed / "acknowledged").read_text().split("\n")[:-1]
            return [float(line) for line in lines]
        return []

    def number_inside(self, process: int) -> int:
        """What the container itself calls one of its processes."""
        status = Path(f"/proc/{process}/status").read_text()
        return int(status.split("NSpid:")[1].split("\n")[0].split()[-1])

    def processor_time(self, process: int) -> float:
        """Seconds of a processor that a process and its children that ended have taken."""
        fields = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
        return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")

    def verdict(self) -> str:
        """Why the guard fenced, or nothing."""
        file = self.memory / "fenced"
        return file.read_text().strip() if file.exists() else ""

    def log(self) -> str:
        """What the container said."""
        return "".join((self.observed / name).read_text() for name in ("log", "stdout"))

    def wait_until_dead(self, *, most: float) -> float | None:
        """Seconds until IRIS is dead, or None."""
        begun = uptime()
        while uptime() < begun + most:
            if not self.iris_lives():
                return uptime() - begun
            if not self.decided and self.verdict():
                self.decided = uptime()
            time.sleep(0.05)
        return None

    def wait_until_running(self, *, most: float = 60) -> None:
        """Until it has acknowledged something and the guard knows whom to ask."""
        wanted = [self.memory / name for name in ("beat", "knows-peers")]
        begun, before = uptime(), len(self.acknowledged())
        while not (len(self.acknowledged()) > before and all(file.exists() for file in wanted)):
            assert uptime() < begun + most, self.log()
            time.sleep(0.05)

    # Container and kubelet

    def _run_container(self) -> None:
        prepare = (
            f"mount --bind {self.folder}/resolv.conf /etc/resolv.conf &&"
            f" mount --bind {self.folder}/nsswitch.conf /etc/nsswitch.conf &&"
            f" exec setpriv --reuid {IRISOWNER} --regid {IRISOWNER} --clear-groups"
            f" {self.stand_ins}/iris_main.sh"
        )
        log = (self.observed / "stdout").open("ab")
        self._container = subprocess.Popen(
            [
                *("ip", "netns", "exec", self.network.node),
                *("unshare", "--pid", "--fork", "--kill-child", "--mount", "--ipc", "--mount-proc"),
                *("bash", "-c", prepare),
            ],
            env=self.environment,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        log.close()
        own = os.readlink("/proc/self/ns/pid")
        while True:
            children = Path(f"/proc/{self._container.pid}/task/{self._container.pid}/children")
            if found := children.read_text().split():
                self._first = int(found[0])
                self._namespace = os.readlink(f"/proc/{self._first}/ns/pid")
                if self._namespace != own:
                    return
            time.sleep(0.01)

    def probe(self) -> int:
        """Run the liveness probe once: how it ended."""
        spec = pod.liveness_probe(str(self.scripts))
        inside = ["nsenter", "-t", str(self._first), "-m", "-p", "-n", "-i"]
        become = ["setpriv", f"--reuid={IRISOWNER}", f"--regid={IRISOWNER}", "--clear-groups"]
        with contextlib.suppress(subprocess.TimeoutExpired):
            return subprocess.run(
                [*inside, *become, *spec["exec"]["command"]],
                env=self.environment,
                capture_output=True,
                check=False,
                timeout=spec["timeoutSeconds"],
            ).returncode
        return 1

    def _probe(self) -> None:
        spec = pod.liveness_probe("")
        failures = 0
        while not self._closing:
            time.sleep(spec["periodSeconds"])
            with self._kubelet_at_work:
                # The start-up probe comes first.
                if self.stands_still or not (self.memory / "beat").exists():
                    continue
                failed = self.probe() != 0 if self._container.poll() is None else True
                failures = failures + 1 if failed else 0
                if failures >= spec["failureThreshold"] or self._container.poll() is not None:
                    failures = 0
                    self._restart(max(spec["terminationGracePeriodSeconds"], LEAST_STOP))

    def _restart(self, grace: int) -> None:
        send(self._first, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._container.wait(timeout=grace)
        # What hangs in the kernel stays until it is answered, and the kubelet waits for it.
        send(self._first, signal.SIGKILL)
        self._container.wait()
        if not self._closing:
            self.restarts.append(uptime())
            self._run_container()

    def close(self) -> None:
        """Take everything away."""
        self._closing = True
        self.answer()
        self.go_on()
        self._kubelet.join()
        self._container.kill()
        self._container.wait()
        ends = uptime() + 20
        while self.processes():
            for process in self.processes():
                send(process, signal.SIGKILL)
            assert uptime() < ends, "processes of the container live on"
            time.sleep(0.05)
        run("umount", str(self.volume))
        self.network.close()
