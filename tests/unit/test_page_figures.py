"""What the pages show of a command is what the command shows of the committed stack files."""

import re

from lab.preview.table import short
from lab.toolchain import TOOLS
from tests.unit.conftest import ROOT, Engine, changed


def page(name: str) -> str:
    """The text of a page of docs/."""
    return (ROOT / "docs" / name).read_text()


def planned(engine: Engine) -> dict[str, list[str]]:
    """Types of the resources that a provider would make, by the title of their component."""
    components = {
        one.name: f"{one.type.rsplit(':', 1)[1]} {one.name}"
        for one in engine.resources
        if one.type.startswith("ha-iris:")
    }
    found: dict[str, list[str]] = {}
    for one in engine.resources:
        if not one.type.startswith(("ha-iris:", "pulumi:")):
            found.setdefault(components[one.parent], []).append(short(one.type))
    return found


def test_the_preview_that_the_page_shows_is_that_of_eks(eks):
    found = planned(eks())

    shown = page("previews.md")
    total = sum(map(len, found.values()))
    assert re.findall(r"(\d+) resources to create", shown) == [f"{total}"] * 2
    cluster = found["EksCluster cluster"]
    assert re.search(rf"^  EksCluster cluster +{len(cluster)}$", shown, re.MULTILINE)
    counted = re.findall(r"^    (aws:\w+:\w+) +(\d+)  ", shown, re.MULTILINE)
    assert len(counted) == 2
    assert counted == [(kind, f"{cluster.count(kind)}") for kind, _ in counted]


def test_the_summary_that_the_page_shows_is_that_of_dev(committed):
    found = planned(committed("dev"))

    shown = page("pull-requests.md")
    rows = re.findall(r"^> \| (\w+ [\w-]+) \| (\d+) \|$", shown, re.MULTILINE)
    assert dict(rows) == {title: f"{len(types)}" for title, types in found.items()}
    total = sum(map(len, found.values()))
    assert f"> ### dev: {total} resources to create, " in shown


def test_the_status_that_the_page_shows_is_that_of_a_lab_with_dev(committed):
    engine = committed("dev")

    shown = page("lab.md")
    for name, told in {
        "API server": f"v{TOOLS['kube-apiserver'].version} at ",
        **{f"version of {name}": f"{TOOLS[name].version}\n" for name in ("kwok", "helm", "pulumi")},
    }.items():
        assert f"\n{name:<25}{told}" in shown
    components = [one for one in engine.resources if one.type.startswith("ha-iris:")]
    # The state counts the providers, of which the engine makes that for random; and the stack.
    resources = len(engine.resources) - len(components) + 1
    assert f"\nstack dev                {resources} resources in {len(components) + 1} " in shown


def test_the_refusal_that_the_readme_shows_is_the_programs(refused, stack_config):
    cluster = {"nodes": 2, "zones": 2}
    config = changed(stack_config("dev"), {"iris": {"storageGb": 80}, "cluster": cluster})

    told = refused(config, stack="dev")

    assert f"\n```\n{told}\n```\n" in (ROOT / "README.md").read_text()
