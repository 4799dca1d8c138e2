"""The end-to-end stacks and the k3s below them: what is built, and what is installed."""

import hashlib
import json
import re
import runpy

import jsonschema
import pytest
import yaml

from components.kubernetes_version import TESTED, minor
from stacks.schema import stack_schema
from tests.unit.conftest import ROOT
from tests.unit.end_to_end import Programs, programs

__all__ = ["programs"]

VERSIONS = (ROOT / "e2e" / "versions.sh").read_text()
COPIES = {"one": 1, "three": 3}
STACKS = sorted(file.stem for file in (ROOT / "e2e").glob("*.yaml"))


@pytest.mark.parametrize("name", STACKS)
def test_a_stack_file_fits_the_schema_and_builds_longhorn_with_a_copy_on_each_machine(
    deploy, kubeconfig, name
):
    file = yaml.safe_load((ROOT / "e2e" / f"{name}.yaml").read_text())
    jsonschema.validate(file, stack_schema())
    config = file["config"]
    config["ha-iris:cluster"] |= {"kubeconfig": kubeconfig, "context": "here"}
    config = {k: v if isinstance(v, str) else json.dumps(v) for k, v in config.items()}

    ran = deploy(lambda: runpy.run_path(str(ROOT / "__main__.py")), stack=name, config=config)

    assert ran.named("longhorn-storage-class").inputs["parameters"]["numberOfReplicas"] == str(
        COPIES[name]
    )
    # What checks.sh and a destroy that must be refused rely on.
    assert bool(ran.named("iris-data").protect) is (name == "one")
    assert bool(ran.of_type("kubernetes:batch/v1:CronJob")) is (name == "one")


def test_k3s_is_of_a_kubernetes_that_longhorn_is_tested_on():
    version = re.search(r"^K3S_VERSION=v(1\.\d+)\.\d+\+k3s\d+ ", VERSIONS, re.MULTILINE)

    assert version
    assert minor(TESTED[0]) <= minor(version[1]) <= minor(TESTED[1])


CURL = r"""
while (($#)); do [[ $1 != --output ]] || file=$2; url=$1; shift; done
case $url in
  *sha256sum*) echo "$SUM  k3s" >"$file" ;;
  *install.sh) echo 'echo installed "$@" >>"$NOTES"' >"$file" ;;
  *) printf binary >"$file" ;;
esac
"""


@pytest.mark.parametrize("whole", [True, False])
def test_a_k3s_that_is_not_what_was_released_is_not_installed(programs: Programs, whole):
    programs.stand_in("curl", CURL)
    programs.stand_in("install", "exit 0")
    digest = hashlib.sha256(b"binary" if whole else b"another").hexdigest()

    done = programs.run("k3s.sh", "server", "--disable", "traefik", SUM=digest)

    assert (done.returncode == 0) is whole, done.stderr
    assert ("installed server --disable traefik" in programs.notes) is whole
    assert bool([note for note in programs.notes if note.startswith("install ")]) is whole


def test_the_page_says_plainly_that_none_of_it_has_run():
    assert "**Neither has run yet.**" in (ROOT / "docs" / "e2e.md").read_text()
