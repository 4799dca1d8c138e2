"""What a setting means: the text below it in the source of its model.

pydantic would look for it whenever a model is made (``use_attribute_docstrings``), which took more
than half of the time that models take, in every preview. Only a refusal and the settings' own
documentation ever ask.
"""

import ast
import inspect
import sys
from functools import cache
from pathlib import Path

from pydantic import BaseModel


def meanings(model: type[BaseModel]) -> dict[str, str]:
    """Docstring of each field by its Python name, its own and those of the models above it."""
    found: dict[str, str] = {}
    for kind in reversed(model.__mro__):
        # A model of which a type was filled in is called StackSettings[...] in the same module.
        name = kind.__qualname__.partition("[")[0]
        if issubclass(kind, BaseModel) and kind is not BaseModel:
            found |= _in_module(kind.__module__).get(name, {})
    return {name: text for name, text in found.items() if name in model.model_fields}


@cache
def _in_module(module: str) -> dict[str, dict[str, str]]:
    """Docstrings of fields by the name of their class."""
    file = sys.modules[module].__file__
    if file is None:
        return {}
    tree = ast.parse(Path(file).read_text())
    return {node.name: _in_class(node) for node in tree.body if isinstance(node, ast.ClassDef)}


def _in_class(body: ast.ClassDef) -> dict[str, str]:
    found: dict[str, str] = {}
    for field, text in zip(body.body, body.body[1:], strict=False):
        if (
            isinstance(field, ast.AnnAssign)
            and isinstance(field.target, ast.Name)
            and isinstance(text, ast.Expr)
            and isinstance(text.value, ast.Constant)
            and isinstance(text.value.value, str)
        ):
            found[field.target.id] = inspect.cleandoc(text.value.value)
    return found
