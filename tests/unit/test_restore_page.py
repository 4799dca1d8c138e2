"""What the page about a restore tells somebody whose cluster is gone."""

import contextlib
import io
import json
import re
import runpy
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from components.aws.backup_store import access_policy
from components.backup.program.snapshots import Outcome
from components.backup.program.uploads import upload
from components.iris import IrisSettings
from tests.unit.conftest import OFFICE, ROOT, changed
from tests.unit.iris_parts import CLAIM

PAGE = (ROOT / "docs" / "restore.md").read_text()
BLOCKS = [yaml.safe_load(text) for text in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)]
FILES = [block["config"] for block in BLOCKS if "config" in block]
LOST = [config for config in FILES if "ha-iris:backup" in config]
CLASS = "kubernetes:storage.k8s.io/v1:StorageClass"


@pytest.fixture
def run(deploy, kubeconfig):
    """Runs a stack file of the page, with what only its reader has."""

    def run(config):
        ours = {"apiAccessCidrs": [OFFICE]}
        if config.get("ha-iris:cloud", "existing") == "existing":
            ours = {"kubeconfig": kubeconfig, "context": "here"}
        file = {k: v if isinstance(v, str) else json.dumps(v) for k, v in config.items()}
        file = changed(file, {"cluster": ours})
        if "s3" in config.get("ha-iris:backup", {}):
            store = {**config["ha-iris:backup"]["s3"], "secretAccessKey": "key"}
            file = changed(file, {"backup": {"s3": store}})
        main = str(ROOT / "__main__.py")
        return deploy(
            lambda: runpy.run_path(main), stack="dr", config=file, secret_keys=["ha-iris:backup"]
        )

    return run


@pytest.mark.parametrize("config", LOST, ids=lambda config: config["ha-iris:cloud"])
def test_a_stack_file_of_the_page_restores_from_the_store_that_it_names(run, config):
    engine = run(config)

    claim = engine.one(CLAIM, "iris-data")
    (made,) = [r for r in engine.of_type(CLASS) if "fromBackup" in r.inputs["parameters"]]
    url = made.inputs["parameters"]["fromBackup"]
    assert claim.inputs["spec"]["storageClassName"] == made.inputs["metadata"]["name"]
    values = engine.one("kubernetes:helm.sh/v3:Release").inputs["values"]
    store = values["defaultBackupStore"]["backupTarget"]
    assert url.startswith(f"{store}?")
    assert urlsplit(url).netloc.endswith("@eu-central-1")  # The bucket's region.
    assert not [r for r in engine.resources if r.type == "aws:s3/bucket:Bucket"]


@pytest.mark.parametrize("block", [b for b in BLOCKS if "config" not in b], ids=str)
def test_a_part_of_a_stack_file_on_the_page_is_taken(block):
    assert IrisSettings.model_validate(block["ha-iris:iris"]).restore


def test_the_page_has_a_file_for_each_way_to_a_lost_store_and_one_for_a_clone(run):
    (clone,) = [config for config in FILES if config not in LOST]

    assert [config["ha-iris:cloud"] for config in LOST] == ["aws", "existing"]
    assert run(clone).one(CLAIM).inputs["spec"]["storageClassName"] == "longhorn-iris"


def test_the_login_of_the_page_may_do_what_longhorns_own_role_may():
    (code,) = re.findall(r"python -c '(.*)' > login.json", PAGE)
    said = io.StringIO()

    with contextlib.redirect_stdout(said):
        exec(code, {})

    policy = json.loads(said.getvalue())
    assert policy == json.loads(access_policy("arn:aws:s3:::BUCKET", None))
    # A restore writes a lock into the store, and takes it away again.
    assert {"s3:PutObject", "s3:DeleteObject"} <= set(policy["Statement"][1]["Action"])


class Longhorn:
    """Uploads at once, and is asked under a lease that lasts."""

    def __init__(self) -> None:
        self.made: list[str] = []

    def create(self, path: str, body: dict[str, Any]) -> None:
        self.made.append(body["metadata"]["name"])

    def get(self, path: str) -> dict[str, Any]:
        return {"status": {"state": "Completed"}}

    def renew(self) -> None:
        pass


def test_the_commands_of_the_page_find_the_frozen_backups_and_not_longhorns_own():
    longhorn: Any = Longhorn()
    job: Any = SimpleNamespace(namespace="iris", upload_seconds=1)
    snapshots = {"iris-data-20261121-004300": "snap://pvc-0b1c/snapshot-1"}
    run = "20261121-004300"
    assert upload(longhorn, job, Outcome("iris", handles=snapshots), longhorn, run=run) == []
    (ours,) = longhorn.made
    table = PAGE.partition("### What is in a store")[2].partition("What such a file says")[0]
    sought = re.findall(r"/backups/backup_[a-z]+-", table)

    assert len(sought) == 4
    for text in sought:
        assert text in f"volumes/1a/2b/pvc-0b1c/backups/backup_{ours}.cfg"
        assert text not in "volumes/1a/2b/pvc-0b1c/backups/backup_backup-0f3a.cfg"
    assert f"`backup_{ours}.cfg`" in table
    for config in LOST:
        assert f"?backup={ours}&" in config["ha-iris:iris"]["restore"]["data"]["backup"]
