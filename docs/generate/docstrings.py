"""The sentences that stand in the code."""

import ast
import inspect
import textwrap
from itertools import pairwise


def sentences(documented: object) -> str:
    """Return what a docstring says before it lists what is raised."""
    text = inspect.getdoc(documented) or ""
    return text.partition("\nRaises:")[0].strip()


def member_docs(cls: type) -> dict[str, str]:
    """Return the strings that stand below a class's members, by the member's name, the parents' too."""
    found: dict[str, str] = {}
    for owner in reversed(cls.__mro__):
        if not owner.__module__.startswith(("events", "hosting", "middleware")):
            continue
        tree = ast.parse(textwrap.dedent(inspect.getsource(owner)))
        body = tree.body[0].body if isinstance(tree.body[0], ast.ClassDef) else []
        for member, text in pairwise(body):
            if isinstance(member, ast.AnnAssign) and isinstance(member.target, ast.Name):
                sentence = _string(text)
                if sentence:
                    found[member.target.id] = sentence
    return found


def _string(node: ast.stmt) -> str:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
        return " ".join(node.value.value.split())
    return ""
