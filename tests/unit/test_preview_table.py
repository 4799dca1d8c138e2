"""What a preview's table tells the reader of a pull request."""

import json

from lab.engine.events import Result, Step
from lab.preview.table import OUTSIDE, Preview, as_json, markdown, text

URN = "urn:pulumi:eks::ha-iris::"


def component(name: str, kind: str, parent: str = "stack") -> Step:
    """A step for a component; ``kind`` is its whole type token."""
    return Step(URN + name, "create", kind, URN + parent, custom=False)


def resource(name: str, kind: str, parent: str = "stack", action: str = "create") -> Step:
    """A step for what a provider makes. Two resources of two types may share a name."""
    return Step(f"{URN}{kind}::{name}", action, kind, URN + parent, custom=True)


ROOT = Step(URN + "stack", "create", "pulumi:pulumi:Stack", "", custom=False)
STEPS = [
    ROOT,
    component("network", "ha-iris:network:AwsNetwork"),
    component("cluster", "ha-iris:cluster:EksCluster"),
    component("nodes", "ha-iris:cluster:EksNodes", "cluster"),
    resource("network-b", "aws:ec2/subnet:Subnet", "network"),
    resource("network-a", "aws:ec2/subnet:Subnet", "network"),
    resource("network-vpc", "aws:ec2/vpc:Vpc", "network"),
    resource("node-a", "aws:eks/nodeGroup:NodeGroup", "nodes"),
    resource("eks", "aws:eks/cluster:Cluster", "cluster"),
    resource("cluster-provider", "pulumi:providers:kubernetes", "cluster"),
    resource("given-vpc", "aws:ec2/vpc:Vpc", "network", action="read"),
    resource("loose", "random:index/randomId:RandomId"),
]


def preview(steps=STEPS, errors=(), warnings=()) -> Preview:
    """A preview with these steps."""
    changes = {"create": len(steps)}
    return Preview("eks", 1.64, Result(list(steps), changes, list(errors), list(warnings)))


def test_resources_stand_under_the_nearest_component_in_the_order_of_the_tree():
    assert preview().components == {
        OUTSIDE: {"random:index:RandomId": ["loose"]},
        "EksCluster cluster": {"aws:eks:Cluster": ["eks"]},
        "EksNodes nodes": {"aws:eks:NodeGroup": ["node-a"]},
        "AwsNetwork network": {
            "aws:ec2:Subnet": ["network-a", "network-b"],
            "aws:ec2:Vpc": ["network-vpc"],
        },
    }


def test_two_previews_that_met_resources_in_another_order_read_alike():
    backwards = [ROOT, *reversed(STEPS[1:])]

    assert text([preview(backwards)], 2) == text([preview()], 2)
    assert markdown([preview(backwards)]) == markdown([preview()])


def test_only_what_a_provider_would_create_is_counted():
    assert {step.name for step in preview().resources} == {
        "eks",
        "loose",
        "network-a",
        "network-b",
        "network-vpc",
        "node-a",
    }


def test_the_terminal_shows_counts_names_and_both_times():
    lines = text([preview()], 1.9).splitlines()

    assert "eks: 6 resources to create, 1.6 s" in lines
    assert [line.split() for line in lines if line.startswith("  AwsNetwork")] == [
        ["AwsNetwork", "network", "3"]
    ]
    assert "    aws:ec2:Subnet             2  network-a network-b" in lines
    assert lines[-1] == "1 stack, 6 resources to create, 1.9 s wall time"


def test_many_names_are_wrapped_under_each_other(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    many = [resource(f"network-private-{n}", "aws:ec2/subnet:Subnet") for n in range(9)]

    lines = text([preview([ROOT, *many])], 1).splitlines()

    wrapped = [line for line in lines if "network-private" in line]
    assert len(wrapped) > 2
    assert max(map(len, wrapped)) <= 80
    assert {line.index("network-private") for line in wrapped} == {wrapped[0].index("network-")}


def test_a_program_without_resources_has_a_preview_too():
    assert "eks: 0 resources to create, 1.6 s" in text([preview([ROOT])], 2)
    assert "### eks: 0 resources to create" in markdown([preview([ROOT])])


def test_a_refused_stack_shows_its_faults_instead_of_a_table():
    refused = preview(errors=["ha-iris: no:\n  ha-iris:iris.storageGb is not a setting"])

    assert "eks: refused after 1.6 s\n  ha-iris: no:\n    ha-iris:iris.storageGb" in text(
        [refused], 2
    )
    assert "0 resources to create" in text([refused], 2)
    assert "```\nha-iris: no:\n  ha-iris:iris.storageGb is not" in markdown([refused])
    for form in (text([refused], 2), markdown([refused])):
        assert "AwsNetwork" not in form


def test_a_warning_is_shown_beside_the_table():
    warned = preview(warnings=["Longhorn is not installed:\nno copies"])

    assert "warning: Longhorn is not installed:" in text([warned], 2)
    assert "> warning: Longhorn is not installed: no copies\n" in markdown([warned])
    assert "EksCluster cluster" in markdown([warned])


def test_markdown_folds_names_away_below_a_row_for_each_component():
    table, _, folded = markdown([preview()]).partition("<details>")

    assert "| EksCluster cluster | 1 |" in table
    assert "| AwsNetwork network | 3 |" in table
    assert "network-a" not in table
    assert "| AwsNetwork network | `aws:ec2:Subnet` | 2 | network-a, network-b |" in folded


def test_every_form_says_that_a_stand_in_answered():
    assert "a stand-in answers for every provider" in markdown([preview()])


def test_json_has_every_name_and_every_fault():
    (entry,) = json.loads(json.dumps(as_json([preview(errors=["no"], warnings=["look"])])))

    assert entry["stack"] == "eks"
    assert entry["seconds"] == 1.64
    assert entry["changes"] == {"create": len(STEPS)}
    assert entry["components"]["EksNodes nodes"] == {"aws:eks:NodeGroup": ["node-a"]}
    assert (entry["errors"], entry["warnings"]) == (["no"], ["look"])
