"""`branchline new`."""

import keyword
import re
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import rich_click as click

from hosting.cli.aside import refuse
from hosting.cli.starter import AGENT, NEXT, TEST

_WHO: Final = "branchline new"
_TAKEN: Final = frozenset(re.findall(r"\w+", AGENT + TEST)) | {"assistant", "demo"}


@click.group()
def new() -> None:
    """Write the beginning of something of your own."""


@new.command()
@click.argument("name")
def agent(name: str) -> None:
    """Write an agent into NAME.py, and its test into test_NAME.py, in this folder."""
    _check(name)
    files = {Path(f"{name}.py"): AGENT, Path(f"test_{name}.py"): TEST}
    for path in files:
        if path.exists() or path.is_symlink():
            refuse(_WHO, f"There is a {path} here already, and it stays as it is.")
    try:
        for path, text in files.items():
            # Refused once more where somebody was faster.
            with path.open("x", encoding="utf-8") as file:
                file.write(text.replace("NAME", name))
    except OSError as error:
        refuse(_WHO, f"{path} cannot be written: {error.strerror}.")
    print(NEXT.replace("NAME", name), end="")


def _check(name: str) -> None:
    if not name.isascii() or not name.isidentifier() or keyword.iskeyword(name) or name.startswith("_"):
        better = "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in name).strip("_").lower()
        is_better = better.isidentifier() and not keyword.iskeyword(better)
        hint = f" Try {better}." if is_better else ""
        refuse(
            _WHO, f"{name!r} cannot be the name of a Python function: letters, digits and _, and a letter first.{hint}"
        )
    if name in _TAKEN:
        refuse(_WHO, f"The agent's own code has another use for the name {name!r}; take another one.")
    if not Path(f"{name}.py").exists() and _is_module(name):
        refuse(_WHO, f"There is a module {name!r} already, and {name}.py would be taken for it; take another name.")


def _is_module(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except (ImportError, ValueError):
        return name in sys.modules
