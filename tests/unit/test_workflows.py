"""What GitHub's workflows may do, and what they must never do with a pull request."""

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.__main__ import _parse as parse_lab_arguments

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".github" / "workflows"
FILES = sorted(FOLDER.glob("*"))
WORKFLOWS: dict[str, dict[str, Any]] = {
    # Without YAML's own types: `on` stays a word and is not taken for true.
    file.stem: yaml.load(file.read_text(), Loader=yaml.BaseLoader)
    for file in FILES
}
JOBS = {(name, job): body for name, flow in WORKFLOWS.items() for job, body in flow["jobs"].items()}
STEPS = [(*where, step) for where, job in JOBS.items() for step in job["steps"]]

PERMISSIONS = {
    ("ci", "check"): {"contents": "read"},
    ("ci", "lab"): {"contents": "read"},
    ("preview", "without-credentials"): {"contents": "read"},
    ("preview", "stack"): {"contents": "read", "id-token": "write", "pull-requests": "write"},
    ("deploy", "up"): {"contents": "read", "id-token": "write"},
    ("end-to-end", "one"): {"contents": "read"},
    ("nightly", "three"): {"contents": "read"},
}
SECRETS = {"PULUMI_ACCESS_TOKEN", "PULUMI_CONFIG_PASSPHRASE"}
VARIABLES = {
    "AWS_REGION",
    "AWS_ROLE_ARN",
    "AZURE_CLIENT_ID",
    "AZURE_SUBSCRIPTION_ID",
    "AZURE_TENANT_ID",
    "DEPLOY_STACKS",
    "E2E",
    "E2E_RUNNER",
    "GCP_SERVICE_ACCOUNT",
    "GCP_WORKLOAD_IDENTITY_PROVIDER",
    "PREVIEW_STACKS",
    "PULUMI_BACKEND_URL",
    "STACK_RUNNER",
}
END_TO_END = [f"e2e/{file.name}" for file in (ROOT / "e2e").glob("*.sh")]
LONGER = {"role-duration-seconds"}
"""What a deployment may ask for and a preview need not."""
SAME_REPOSITORY = "github.event.pull_request.head.repo.full_name == github.repository"


def with_credentials(job: dict[str, Any]) -> bool:
    """Whether a job could reach a secret, a variable, a cloud or anything it may write to."""
    writes = {key for key, level in job["permissions"].items() if level != "read"}
    return (
        bool(writes) or "environment" in job or re.search(r"secrets|vars\.", str(job)) is not None
    )


def steps_using(action: str, *, of: str) -> list[dict[str, Any]]:
    """Steps of one workflow that run an action."""
    return [step for name, _, step in STEPS if name == of and action in step.get("uses", "")]


def test_every_workflow_starts_without_any_permission():
    assert {name: flow["permissions"] for name, flow in WORKFLOWS.items()} == {
        name: {} for name in ("ci", "deploy", "end-to-end", "nightly", "preview")
    }


def test_every_job_has_the_permissions_that_it_needs_and_no_more():
    assert {where: job.get("permissions") for where, job in JOBS.items()} == PERMISSIONS


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_action_is_a_commit_with_its_version_beside_it(file: Path):
    for line in file.read_text().splitlines():
        if "uses:" in line:
            pinned = r"\s+(- )?uses: [\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+(\.\d+)+"
            assert re.fullmatch(pinned, line), line


def test_an_action_has_the_same_commit_wherever_it_is_used():
    commits: dict[str, set[str]] = {}
    for *_, step in STEPS:
        if "uses" in step:
            action, commit = step["uses"].split("@")
            commits.setdefault("/".join(action.split("/")[:2]), set()).add(commit)
    assert commits
    assert {action: found for action, found in commits.items() if len(found) > 1} == {}


def test_no_workflow_gives_a_pull_request_the_rights_of_the_main_branch():
    triggers = {name: set(flow["on"]) for name, flow in WORKFLOWS.items()}
    assert triggers == {
        "ci": {"pull_request", "push"},
        "preview": {"pull_request"},
        "end-to-end": {"pull_request"},
        "nightly": {"schedule", "workflow_dispatch"},
        "deploy": {"push", "workflow_dispatch"},
    }


def test_a_pull_request_from_a_fork_meets_no_credentials():
    reachable = {
        where
        for where, job in JOBS.items()
        if "pull_request" in WORKFLOWS[where[0]]["on"] and SAME_REPOSITORY not in job.get("if", "")
    }
    assert ("preview", "without-credentials") in reachable
    assert [where for where in reachable if with_credentials(JOBS[where])] == []


@pytest.mark.parametrize("job", [("end-to-end", "one"), ("nightly", "three")])
def test_nothing_runs_end_to_end_until_somebody_says_so(job):
    assert JOBS[job]["if"].split(" && ")[0] == "vars.E2E != ''"
    assert "||" not in JOBS[job]["if"]


def test_a_condition_on_the_repository_cannot_be_bypassed():
    condition = JOBS["preview", "stack"]["if"]
    assert "||" not in condition
    assert condition.split(" && ") == [
        "vars.PREVIEW_STACKS != ''",
        SAME_REPOSITORY,
        "github.event.pull_request.user.login != 'dependabot[bot]'",
    ]


def test_only_secrets_and_variables_that_the_docs_name_are_read():
    text = "".join(file.read_text() for file in FILES)
    assert set(re.findall(r"\bsecrets\.(\w+)", text)) == SECRETS
    assert set(re.findall(r"\bvars\.(\w+)", text)) == VARIABLES
    # No way round the names above.
    assert not re.search(r"\b(secrets|vars)\b(?!\.\w)", re.sub(r"#.*", "", text))
    docs = (ROOT / "docs" / "pull-requests.md").read_text()
    assert [name for name in sorted(SECRETS | VARIABLES) if f"`{name}`" not in docs] == []


def test_nothing_that_others_write_reaches_a_shell():
    scripts = [step["run"] for *_, step in STEPS if "run" in step]
    assert scripts
    assert [script for script in scripts if "${{" in script] == []


def test_every_shell_step_fits_into_three_lines():
    for *_, step in STEPS:
        assert len(step.get("run", "").strip().splitlines()) <= 3


def test_the_token_of_the_job_is_not_left_in_the_clone():
    checkouts = [step for *_, step in STEPS if "actions/checkout" in step.get("uses", "")]
    assert len(checkouts) == len(JOBS)
    assert {step["with"]["persist-credentials"] for step in checkouts} == {"false"}


def test_every_job_ends_by_itself_and_outdated_ones_are_dropped():
    assert [
        where for where, job in JOBS.items() if not 0 < int(job["timeout-minutes"]) <= 180
    ] == []
    assert all(flow["concurrency"]["group"] for flow in WORKFLOWS.values())


def test_a_deployment_runs_on_main_alone_one_at_a_time_and_is_never_cut_short():
    deploy, job = WORKFLOWS["deploy"], JOBS["deploy", "up"]
    assert deploy["on"]["push"] == {"branches": ["main"]}
    assert "github.ref == 'refs/heads/main'" in job["if"]
    assert deploy["concurrency"] == {"group": "deploy", "cancel-in-progress": "false"}
    assert job["strategy"]["max-parallel"] == "1"
    assert job["environment"] == "${{ matrix.stack }}"


def test_a_deployment_takes_nothing_from_a_cache_that_others_may_fill():
    for _, _, step in (found for found in STEPS if with_credentials(JOBS[found[:2]])):
        assert "actions/cache" not in step.get("uses", "")
        assert "cache" not in step.get("with", {})


def test_previews_and_deployments_log_in_alike_and_with_roles_of_their_own():
    for action in ("aws-actions/", "azure/", "google-github-actions/"):
        preview, deploy = (
            [
                {**step, "with": {k: v for k, v in step["with"].items() if k not in LONGER}}
                for step in steps_using(action, of=workflow)
            ]
            for workflow in ("preview", "deploy")
        )
        assert preview
        assert preview == deploy
    assert JOBS["preview", "stack"]["environment"] == {
        "name": "preview-${{ matrix.stack }}",
        "deployment": "false",
    }


def test_previews_preview_and_deployments_deploy_with_the_pinned_pulumi():
    pinned = re.search(r"^pulumi==(\S+)$", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
    assert pinned
    # Without a command it installs the CLI.
    commands = {"preview": "preview", "deploy": "up", "end-to-end": None, "nightly": None}
    for workflow, command in commands.items():
        (step,) = steps_using("pulumi/actions", of=workflow)
        assert step["with"].get("command") == command
        assert step["with"]["pulumi-version"] == pinned[1]


def test_a_deployment_looks_at_the_cloud_before_it_trusts_the_state():
    (step,) = steps_using("pulumi/actions", of="deploy")

    assert step["with"]["refresh"] == "true"


@pytest.mark.parametrize(
    "script", sorted({step["run"] for *_, step in STEPS if "run" in step}), ids=str
)
def test_shell_steps_call_what_the_repository_has(script: str, tmp_path: Path):
    """Runs a step in an empty folder, with `make` on a dry run and a Python that only notes."""
    tools, python = tmp_path / "tools", tmp_path / ".venv" / "bin" / "python"
    noted = tmp_path / "noted"
    for stub, body in (
        (tools / "make", f'exec /usr/bin/env -i PATH=/usr/bin:/bin make -C "{ROOT}" -n "$@"'),
        (python, f'printf "%s\\n" "$@" > "{noted}"'),
        (tools / "sudo", 'exec "$@"'),
        *((tmp_path / file, "exit 0") for file in END_TO_END if (ROOT / file).stat().st_mode & 1),
    ):
        stub.parent.mkdir(parents=True, exist_ok=True)
        stub.write_text(f"#!/bin/sh\n{body}\n")
        stub.chmod(0o755)

    summary = tmp_path / "summary"
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
        cwd=tmp_path,
        env={"PATH": f"{tools}:{os.environ['PATH']}", "GITHUB_STEP_SUMMARY": str(summary)},
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stderr
    if ".venv/bin/python" in script:
        module, name, *arguments = noted.read_text().splitlines()
        assert (module, name) == ("-m", "lab")
        options = parse_lab_arguments(arguments)
        assert (options.stacks, options.markdown) == ([], summary)


def test_the_cache_key_of_the_toolchain_names_all_that_it_is_built_from():
    text = "".join(file.read_text() for file in FILES)
    keys = re.findall(r"^\s+key: (.+)$", text, re.MULTILINE)
    assert len(keys) == 2
    assert len(set(keys)) == 1
    for part in ("runner.os", "runner.arch", "lab/toolchain/*/go.*"):
        assert part in keys[0]
    assert list(ROOT.glob("lab/toolchain/*/go.sum"))


def test_dependabot_watches_everything_that_is_pinned():
    file = ROOT / ".github" / "dependabot.yml"
    updates = yaml.load(file.read_text(), Loader=yaml.BaseLoader)["updates"]
    watched = {
        (update["package-ecosystem"], folder)
        for update in updates
        for folder in update.get("directories", [update.get("directory")])
    }
    assert watched == {
        ("pip", "/"),
        ("gomod", "/lab/toolchain/*"),
        ("gomod", "/tests/crds"),
        ("gomod", "/tests/velero"),
        ("github-actions", "/"),
    }
    listed = subprocess.run(
        ["git", "ls-files", "*go.mod"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    assert listed
    elsewhere = [file for file in listed if Path(file).parents[1] != Path("lab/toolchain")]
    assert elsewhere == ["tests/crds/go.mod", "tests/velero/go.mod"]
