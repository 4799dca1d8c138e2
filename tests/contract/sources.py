"""Which resources the clouds' components can create at all, whatever a stack file says."""

import ast
import importlib
from pathlib import Path
from types import ModuleType

import pulumi

COMPONENTS = Path(__file__).parents[2] / "components"
FOLDERS = {"eks": "aws", "aks": "azure", "gke": "gcp"}


def written_types(stack: str) -> set[str]:
    """Type tokens of every resource class that the components of a stack's cloud call."""
    return {
        token
        for file in sorted((COMPONENTS / FOLDERS[stack]).glob("*.py"))
        for token in _types_in(
            file.read_text(), importlib.import_module(f"components.{FOLDERS[stack]}.{file.stem}")
        )
    }


def _types_in(source: str, module: ModuleType) -> set[str]:
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    classes = [_named(call.func, module) for call in calls]
    return {
        str(vars(cls)["pulumi_type"])
        for cls in classes
        if isinstance(cls, type) and issubclass(cls, pulumi.CustomResource)
        if "pulumi_type" in vars(cls)
    }


def _named(name: ast.expr, module: ModuleType) -> object:
    if isinstance(name, ast.Name):
        return getattr(module, name.id, None)
    if isinstance(name, ast.Attribute):
        return getattr(_named(name.value, module), name.attr, None)
    return None
