"""Command line of the lab: ``python -m lab up|down|status|preview``."""

from __future__ import annotations

import argparse
import errno
import gc
import os
import signal
import sys
from pathlib import Path

UNUSABLE = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM)
"""Errors of a file system that the user can put right."""


def main(arguments: list[str]) -> int:
    """Run one command; gives the exit code."""
    if sys.hexversion < 0x030B0000:
        this = f"Python ({sys.version.split()[0]})"
        cure = "run `make PYTHON=python3.12 ...` with one that is"
        print(f"ha-iris: {this}: 3.11 or newer is needed; {cure}", file=sys.stderr)
        return 1
    # Cloud SDKs are many objects that live as long as this process. Collecting among them while
    # they load takes a third of a preview's time.
    gc.disable()
    # They load in a thread, and the engine's calls shall not wait 5 ms each for the interpreter.
    sys.setswitchinterval(0.0005)
    options = _parse(arguments)
    from lab import LabError

    try:
        code = options.run(options)
        sys.stdout.flush()
        return code
    except LabError as error:
        fault = str(error)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] in ("components", "lab", "stacks"):
            raise
        fault = f"{error.name}: this Python package is not installed; use .venv, as `make up` does"
    except BrokenPipeError:
        os._exit(128 + signal.SIGPIPE)  # the reader has gone, as in `... | head`
    except OSError as error:
        if error.errno not in UNUSABLE:
            raise
        cure = "make room or make it writable, then run the same command again"
        fault = f"{error.filename or 'this folder'}: {error.strerror}; {cure}"
    except KeyboardInterrupt:
        print("ha-iris: interrupted; run the same command again to go on", file=sys.stderr)
        return 130
    sys.stdout.flush()  # what was told before the fault comes before it
    print(f"ha-iris: {fault}", file=sys.stderr)
    return 1


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m lab", description=__doc__)
    commands = parser.add_subparsers(required=True)

    build = commands.add_parser("build", help="build the programs that the lab and its tests run")
    build.set_defaults(run=_build)

    up = commands.add_parser("up", help="start the lab and run `pulumi up` of a stack in it")
    up.add_argument("stack", nargs="?", default="dev")
    up.set_defaults(run=_up)

    down = commands.add_parser("down", help="destroy the lab's stacks and remove the lab")
    down.add_argument("--force", action="store_true", help="remove the lab without `destroy`")
    down.set_defaults(run=_down)

    status = commands.add_parser("status", help="what runs, and the outputs of the stack")
    status.add_argument("stack", nargs="?", default="dev")
    status.add_argument("--show-secrets", action="store_true", help="print secret outputs too")
    status.set_defaults(run=_status)

    preview = commands.add_parser("preview", help="what stacks would create, without credentials")
    preview.add_argument("stacks", nargs="*", metavar="stack", help="default: all")
    preview.add_argument("--project", type=Path, help="folder of another Pulumi program")
    preview.add_argument("--diff", action="store_true", help="with every property")
    preview.add_argument("--json", type=Path, metavar="FILE", help="write the counts as JSON")
    preview.add_argument("--markdown", type=Path, metavar="FILE", help="write the table")
    preview.set_defaults(run=_preview)
    return parser.parse_args(arguments)


# Each command imports what it needs: a preview starts its stand-in before the slow imports.


def _build(options: argparse.Namespace) -> int:
    from lab.toolchain import TOOLS, ensure

    ensure(*TOOLS)
    return 0


def _up(options: argparse.Namespace) -> int:
    from lab.commands import up
    from lab.home import LabHome

    return up(options.stack, LabHome.default())


def _down(options: argparse.Namespace) -> int:
    from lab.commands import down
    from lab.home import LabHome

    return down(LabHome.default(), force=options.force)


def _status(options: argparse.Namespace) -> int:
    from lab.home import LabHome
    from lab.status import status

    return status(options.stack, LabHome.default(), show_secrets=options.show_secrets)


def _preview(options: argparse.Namespace) -> int:
    from lab.preview.process import stand_in

    with stand_in() as providers:
        from lab.preview.command import run

        return run(options, providers=providers.environment)


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stdout.flush()
    sys.stderr.flush()
    # All is closed and written; taking the SDKs' classes apart one by one would serve nobody.
    os._exit(code)
