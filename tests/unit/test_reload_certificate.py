"""What a person runs after the superserver's certificate was renewed."""

import os
import subprocess

import pytest

from tests.unit.conftest import ROOT

SCRIPT = ROOT / "components" / "iris" / "scripts" / "reload_certificate.sh"
REFUSED = "ERROR #507: Action failed"
IRIS = """#!/bin/sh
# A stand-in for IRIS's own command: it keeps what it was to merge, and logs as it is told.
cp "$3" "$KEPT"
printf '%s' "$SAYS" >>"$ISC_DATA_DIRECTORY/mgr/messages.log"
[ "$1 $2" = "merge IRIS" ] && exit "$ENDS"
exit 9
"""


@pytest.fixture
def instance(tmp_path):
    """Folder of an instance, with a stand-in for IRIS's own command."""
    for folder in ("bin", "data/mgr", "tls", "tmp"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "bin" / "iris").write_text(IRIS)
    (tmp_path / "bin" / "iris").chmod(0o755)
    (tmp_path / "data" / "mgr" / "messages.log").write_text(f"{REFUSED} a year ago\n")
    for name in ("tls.crt", "tls.key"):
        (tmp_path / "tls" / name).write_text("PEM")
    return tmp_path


@pytest.fixture
def reload(instance):
    """Runs the script, with a stand-in for IRIS that says something."""

    def run(says="merged\n", ends=0):
        return subprocess.run(
            [SCRIPT],
            env={
                **os.environ,
                "PATH": f"{instance / 'bin'}:{os.environ['PATH']}",
                "ISC_DATA_DIRECTORY": str(instance / "data"),
                "HA_IRIS_TLS": str(instance / "tls"),
                "TMPDIR": str(instance / "tmp"),
                "KEPT": str(instance / "kept.cpf"),
                "SAYS": says,
                "ENDS": str(ends),
            },
            capture_output=True,
            text=True,
        )

    return run


def test_iris_is_asked_to_save_the_configuration_with_the_renewed_files(reload, instance):
    done = reload()

    assert done.returncode == 0, done.stdout + done.stderr
    tls = instance / "tls"
    assert (instance / "kept.cpf").read_text() == (
        "[Actions]\nModifySSLConfig:Name=%SuperServer,"
        f"CertificateFile={tls}/tls.crt,PrivateKeyFile={tls}/tls.key\n"
    )


def test_what_was_refused_before_does_not_count_and_is_still_to_be_seen(reload, instance):
    reload()

    assert REFUSED in (instance / "data" / "mgr" / "messages.log").read_text()
    # The mark of the last start, and nothing else of ours, lies in the pod's own folder.
    assert list((instance / "tmp").iterdir()) == []


def test_a_refusal_of_iris_is_told(reload, instance):
    done = reload(says=f"{REFUSED}\n")

    assert done.returncode == 1
    assert REFUSED in done.stdout


def test_a_merge_that_fails_is_told(reload, instance):
    done = reload(ends=1)

    assert done.returncode == 1
    assert "iris merge has failed" in done.stdout


def test_without_a_certificate_iris_is_not_bothered(reload, instance):
    (instance / "tls" / "tls.key").unlink()
    done = reload()

    assert done.returncode == 1
    assert "has no certificate that can be read; set iris.tls.superserver" in done.stdout
    assert not (instance / "kept.cpf").exists()
