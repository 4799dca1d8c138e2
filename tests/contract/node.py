"""A node to boot: a file system of its own, in which a script meets stand-ins for its commands.

No package is installed and no disk is touched: the script runs in a mount namespace with a root
of its own, where only stand-ins (node_stubs.sh) and harmless tools of this machine exist.
"""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

TOOLS = (
    "awk",
    "basename",
    "bash",
    "cat",
    "chmod",
    "cp",
    "cut",
    "date",
    "dirname",
    "env",
    "expr",
    "false",
    "grep",
    "head",
    "id",
    "ln",
    "ls",
    "mkdir",
    "mktemp",
    "mv",
    "printf",
    "readlink",
    "rm",
    "sed",
    "seq",
    "sh",
    "sort",
    "stat",
    "tail",
    "tee",
    "test",
    "timeout",
    "touch",
    "tr",
    "true",
    "wc",
    "xargs",
)
"""What the script may use of this machine: tools that only see the node's own files."""

STAND_INS = (
    "blkid",
    "dnf",
    "findmnt",
    "iscsi-iname",
    "logger",
    "lsblk",
    "mkfs.xfs",
    "modprobe",
    "mount",
    "mountpoint",
    "rpm",
    "sleep",
    "systemctl",
    "udevadm",
    "uname",
    "yum",
)

FOLDERS = (
    "usr/lib",
    "usr/lib64",
    "usr/bin",
    "usr/sbin",
    "host/bin",
    "proc",
    "dev",
    "etc/iscsi",
    "world",
    "etc/modules-load.d",
    "var/lib",
    "var/log",
    "run",
    "tmp",
)
"""Where this machine's folders are bound, and what a fresh node has."""

ROOT_DISK = ["nvme0n1|disk|Amazon Elastic Block Store|||", "nvme0n1p1|part||nvme0n1|xfs|/"]
DATA_DISK = ["nvme1n1|disk|Amazon Elastic Block Store|||"]

_NAMESPACE = ("unshare", "--user", "--map-root-user", "--mount", "sh", "-c")

# Everything that comes from this machine is read-only, so that nothing can be written to it.
_ENTER = """
set -e
cd "$1"
for pair in /usr/lib:usr/lib /usr/lib64:usr/lib64 /usr/bin:host/bin /proc:proc; do
  from=${pair%%:*} to=${pair#*:}
  [ -d "$from" ] || continue
  mount --rbind "$from" "$to"
  mount -o remount,bind,ro "$to"
done
mount --bind /dev/null dev/null
exec chroot . /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin /bin/bash /script
"""


@dataclass(frozen=True)
class Boot:
    """What one run of the script did."""

    calls: list[str]
    """Stand-ins that were called in this boot, with their arguments."""
    returncode: int
    output: str

    def ran(self, command: str) -> list[str]:
        """Calls of one command."""
        return [call for call in self.calls if call.split(" ")[0] == command]


class Node:
    """A machine whose disks and packages are as the test says."""

    def __init__(self, root: Path, *, disks: list[str]) -> None:
        self.root = root
        for folder in FOLDERS:
            (root / folder).mkdir(parents=True, exist_ok=True)
        for link in ("bin", "sbin", "lib", "lib64"):
            (root / link).symlink_to(f"usr/{link}")
        for tool in TOOLS:
            (root / "usr/bin" / tool).symlink_to(f"/host/bin/{tool}")
        stub = Path(__file__).with_name("node_stubs.sh")
        for command in STAND_INS:
            shutil.copy(stub, root / "usr/sbin" / command)
            (root / "usr/sbin" / command).chmod(0o755)
        (root / "dev/null").touch()
        (root / "dev/console").touch()
        (root / "dev/fd").symlink_to("/proc/self/fd")
        (root / "etc/fstab").write_text("LABEL=/ / xfs defaults 0 0\n")
        self.world = root / "world"
        (self.world / "disks").write_text("\n".join([*ROOT_DISK, *disks]) + "\n")

    def boot(self, script: str) -> Boot:
        """Run the script as cloud-init does, on a machine where nothing is mounted yet."""
        (self.world / "mounted").unlink(missing_ok=True)
        (self.world / "calls").write_text("")
        (self.root / "script").write_text(script)
        run = subprocess.run(
            [
                "unshare",
                "--user",
                "--map-root-user",
                "--mount",
                "sh",
                "-c",
                _ENTER,
                "sh",
                self.root,
            ],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        calls = (self.world / "calls").read_text().splitlines()
        return Boot(calls, run.returncode, run.stdout + run.stderr)

    def starts(self, unit: str) -> bool:
        """Whether systemd would start a unit now: not masked, every asserted path there."""
        masked = self.world / "masked"
        if masked.exists() and f"{unit}.service" in masked.read_text().split():
            return False
        drop_ins = (self.root / f"etc/systemd/system/{unit}.service.d").glob("*.conf")
        lines = [line for file in drop_ins for line in file.read_text().splitlines()]
        asserted = [line.split("=", 1)[1] for line in lines if line.startswith("AssertPathExists=")]
        return all((self.root / path.lstrip("/")).exists() for path in asserted)

    @property
    def mounted(self) -> bool:
        """Whether the data disk is mounted."""
        return (self.world / "mounted").exists()

    def read(self, path: str) -> str:
        """A file of the node."""
        return (self.root / path.lstrip("/")).read_text()


def why_no_node() -> str:
    """Why this machine cannot give a script a root of its own; empty if it can."""
    if not shutil.which("unshare"):
        return "unshare is not installed"
    probe = "mount --bind /usr/lib /mnt && mount -o remount,bind,ro /mnt"
    run = subprocess.run(
        [*_NAMESPACE, probe],
        capture_output=True,
        text=True,
        check=False,
    )
    return "" if run.returncode == 0 else f"no mount namespace: {run.stderr.strip()}"
