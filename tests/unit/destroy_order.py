"""In which order the engine destroys what a program registered."""

from tests.unit.conftest import Engine, Registered


def gone_before(engine: Engine, name: str) -> set[str]:
    """Names of all resources that are certain to be gone before this one is destroyed.

    The engine destroys a resource only when everything that depends on it, is its child or is
    reached through it has been destroyed (Pulumi, ``dependsOn``, ``parent`` and ``provider``).
    What is not in the set may go at the same time, or later.
    """
    needed_by: dict[str, set[str]] = {}
    for resource in engine.resources:
        for need in _needs(resource):
            needed_by.setdefault(need, set()).add(resource.name)
    assert name in {resource.name for resource in engine.resources}, f"nothing is named {name}"

    gone: set[str] = set()
    pending = [name]
    while pending:
        found = needed_by.get(pending.pop(), set()) - gone
        gone |= found
        pending += found
    return gone


def _needs(resource: Registered) -> set[str]:
    needs = {*resource.depends_on, resource.parent}
    if resource.request.provider:
        # The URN of a provider, and behind it its id.
        needs.add(resource.request.provider.split("::")[-2])
    return needs - {""}
