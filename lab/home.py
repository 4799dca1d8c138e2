"""Where one lab keeps everything it has: one folder, readable by its owner only."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from lab import LabError


@dataclass(frozen=True)
class LabHome:
    """The folder of one lab. Two labs never share anything but the toolchain's cache."""

    root: Path

    @classmethod
    def default(cls) -> LabHome:
        """The lab of this clone: `.lab` beside `Pulumi.yaml`."""
        return cls(Path(__file__).resolve().parent.parent / ".lab")

    @property
    def name(self) -> str:
        """Name of the lab's cluster, made from the folder, so that two clones never meet."""
        return f"ha-iris-{hashlib.sha256(str(self.root.resolve()).encode()).hexdigest()[:8]}"

    @property
    def kubeconfig(self) -> Path:
        """Kubeconfig of the lab's cluster, certificates embedded; context `ha-iris-lab`."""
        return self.root / "kubeconfig"

    @property
    def kwok(self) -> Path:
        """kwokctl's HOME: etcd's data, certificates, component logs."""
        return self.root / "kwok"

    @property
    def cluster(self) -> Path:
        """kwokctl's folder of the lab's one cluster."""
        return self.kwok / ".kwok" / "clusters" / self.name

    @property
    def state(self) -> Path:
        """Pulumi's file backend."""
        return self.root / "state"

    @property
    def passphrase(self) -> Path:
        """Passphrase of the secrets in Pulumi's file backend."""
        return self.root / "passphrase"

    @property
    def work(self) -> Path:
        """Pulumi's working folder, kept between runs."""
        return self.root / "work"

    @property
    def plugins(self) -> Path:
        """Stand-ins for provider plugins, which the working copy of Pulumi.yaml names."""
        return self.root / "plugins"

    @property
    def bin(self) -> Path:
        """Links to the programs that this lab was started with."""
        return self.root / "bin"

    @property
    def lock(self) -> Path:
        """Held by the one command that changes this lab."""
        return self.root / "lock"

    @property
    def busy(self) -> Path:
        """Names the process that holds the lock."""
        return self.root / "busy"

    @property
    def logs(self) -> Path:
        """Logs of what the lab itself runs (kwokctl, the storage stand-in)."""
        return self.root / "logs"

    def prepare(self) -> None:
        """Make the folders, for the owner only.

        Raises:
            LabError: the folder cannot be made or is not ours to write.
        """
        try:
            for folder in (self.root, self.kwok, self.logs):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.root.chmod(0o700)
        except OSError as error:
            raise LabError(
                str(self.root),
                f"the lab's folder cannot be written ({error.strerror})",
                "make it writable, or clone into a folder that is",
            ) from error


def write(file: Path, text: str) -> None:
    """Write a file whole or not at all, readable by its owner only."""
    draft = file.with_name(f"{file.name}.{os.getpid()}")
    draft.touch(mode=0o600)
    draft.write_text(text)
    draft.replace(file)
