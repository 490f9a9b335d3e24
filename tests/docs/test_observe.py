"""The page that explains the log knows every record that asks for somebody's attention."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.docs.pages import TOP, Page

LEVELS = {"warning", "error", "exception", "critical"}


def records(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        called, first = node.func, node.args[0]
        if isinstance(called, ast.Attribute) and called.attr in LEVELS and ast.unparse(called.value) == "_log":
            assert isinstance(first, ast.Constant), f"{path}: a record's event is a literal, so that it can be found"
            yield str(first.value)


def test_every_record_that_wants_attention_is_explained() -> None:
    said = {record for path in (TOP / "src").rglob("*.py") for record in records(path)}

    unexplained = {record for record in said if f"`{record}`" not in Page("docs/how-to/observe.md").text}

    assert len(said) > 50
    assert unexplained == set()


def test_no_record_is_explained_that_nobody_writes() -> None:
    sources = "".join(path.read_text("utf-8") for path in (TOP / "src").rglob("*.py"))
    rows = [line.split(" | ")[0] for line in Page("docs/how-to/observe.md").text.splitlines() if line.startswith("| `")]

    told = [record for row in rows for record in re.findall(r"`([^`]+)`", row) if record != "event"]

    assert [record for record in told if f'"{record}"' not in sources] == []
