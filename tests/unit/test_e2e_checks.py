"""The end-to-end checks find what they look for: here beside stand-ins for kubectl and Pulumi."""

import pytest

from tests.unit.end_to_end import Programs, programs

__all__ = ["programs"]

KUBECTL = r"""
case "$*" in
  *restartCount*) [[ -e killed ]] && echo 1 || echo 0 ;;
  *containerStatuses*ready*) echo true ;;
  *metadata.uid*) cat uid 2>/dev/null || echo pod-1 ;;
  *capacity.storage*) cat size 2>/dev/null || echo 10Gi ;;
  *"df "*) printf '1M-blocks\n %s\n' "${FILE_SYSTEM:-11900}" ;;
  *"kill -9"*) touch killed; exit 137 ;;
  *"iris session"*)
    asked=$(cat)
    if [[ $asked == *tcommit* ]]; then
      printf 'USER>\nUSER>'
      for n in $(seq 600); do printf 'n:%s\r\n' "$n"; done
      while [[ ! -e killed ]]; do sleep 0.05; done
      printf 'n:6'
    else
      printf 'USER>there:%s\n' "${PRESENT:-600}"
    fi ;;
  *"wait --for=condition=complete"*) exit "${JOB:-0}" ;;
  *"get volumesnapshots"*) echo "${SNAPSHOTS-volumesnapshot/iris-1}" ;;
  *"freeze.sh thaw"*) echo "${THAWED:-IRIS is not frozen}" ;;
esac
"""
PULUMI = r"""
case "$*" in
  *"config set"*) [[ ${GROWS:-yes} == yes ]] && echo "${*: -1}Gi" >size ;;
  *"up "*) [[ ! ${RESTARTS:-} ]] || echo pod-2 >uid ;;
  *"destroy "*)
    [[ ! ${GONE:-} ]] || echo pod-2 >uid
    echo "${SAYS:-error: resource is protected}"
    exit "${DESTROYED:-255}" ;;
esac
exit 0
"""


@pytest.fixture
def cluster(programs: Programs) -> Programs:
    """The programs on a cluster that does as it should, unless its environment says otherwise."""
    programs.stand_in("kubectl", KUBECTL)
    programs.stand_in("pulumi", PULUMI)
    return programs


@pytest.mark.parametrize(
    ("check", "told"),
    [
        ("snapshot", "consistent and thawed: volumesnapshot/iris-1"),
        ("growth", "from 10Gi to 12Gi, 11900 MiB in IRIS, in the same pod"),
        ("kill", "600 commits were confirmed before kill -9, and all are there"),
    ],
)
def test_a_database_that_does_as_it_should_passes(cluster, check, told):
    done = cluster.run("checks.sh", check, E2E_PATIENCE="20")

    assert done.returncode == 0, done.stderr
    assert told in done.stdout


@pytest.mark.parametrize(
    ("check", "fault", "told"),
    [
        ("snapshot", {"JOB": "1"}, "the backup job did not complete"),
        ("snapshot", {"SNAPSHOTS": ""}, "there is no consistent snapshot"),
        ("snapshot", {"THAWED": "IRIS was frozen and is thawed"}, "IRIS was left frozen"),
        ("growth", {"GROWS": "no"}, "the claim has 12 GiB: not within 2 s"),
        ("growth", {"FILE_SYSTEM": "9900"}, "the file system has 9900 MiB in a volume of 12 GiB"),
        ("growth", {"RESTARTS": "yes"}, "IRIS was restarted"),
        ("kill", {"PRESENT": "583"}, "17 of 600 confirmed commits are missing"),
    ],
)
def test_one_that_does_not_fails_with_what_was_seen(cluster, check, fault, told):
    done = cluster.run("checks.sh", check, E2E_PATIENCE="2", **fault)

    assert done.returncode == 1
    assert told in done.stderr


def test_protected_data_that_a_destroy_refuses_passes(cluster):
    done = cluster.run("stack.sh", "destroy-refused", "one")

    assert (done.returncode, done.stdout) == (0, "the destroy was refused, and IRIS runs on\n")


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ({"DESTROYED": "0"}, "protected data was destroyed"),
        ({"SAYS": "error: no cluster"}, "for another reason than protection"),
        ({"GONE": "yes"}, "IRIS is not the same any more"),
    ],
)
def test_a_destroy_that_was_not_refused_fails(cluster, fault, told):
    done = cluster.run("stack.sh", "destroy-refused", "one", **fault)

    assert done.returncode == 1
    assert told in done.stderr


def test_the_second_update_must_change_nothing(cluster):
    assert cluster.run("stack.sh", "unchanged", "one").returncode == 0

    asked = [note for note in cluster.notes if note.startswith("pulumi")]
    assert len(asked) == 2
    assert all("--expect-no-changes" in note for note in asked)


def test_the_stack_is_made_from_its_file_with_a_state_on_the_machine(cluster):
    assert cluster.run("stack.sh", "up", "one").returncode == 0

    assert (cluster.root / "Pulumi.one.yaml").exists()
    assert cluster.notes == [
        "pulumi stack select --create one",
        "pulumi up --stack one --yes --diff",
    ]


def test_a_support_bundle_holds_no_secret_and_goes_on_past_what_does_not_answer(cluster):
    cluster.stand_in("kubectl", '[[ $* != *"describe nodes"* ]] || exit 3\necho pod/iris-0')
    cluster.stand_in("journalctl", "exit 0")

    done = cluster.run("support_bundle.sh", "bundle")

    assert done.returncode == 0
    assert "(ended with 3)" in (cluster.root / "bundle" / "nodes.txt").read_text()
    assert (cluster.root / "bundle" / "iris.iris-0.before.log").exists()
    asked = [note for note in cluster.notes if note.startswith("kubectl")]
    assert len(asked) > 10
    assert [note for note in asked if "secret" in note.lower() or "get all" in note] == []
