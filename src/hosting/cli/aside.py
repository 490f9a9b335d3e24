"""What a command says beside its result: on standard error, so that the result can be piped."""

import sys
from typing import NoReturn

from rich.console import Console
from rich.markup import escape

from hosting.cli.legible import tamed


def note(sentence: str) -> None:
    """Tell something worth knowing."""
    print(sentence, file=sys.stderr)


def complain(who: str, sentence: str) -> None:
    """Tell why a command cannot do what it was asked for; `who` says which command."""
    Console(stderr=True).print(f"[bold red]{escape(who)}:[/] {escape(tamed(sentence))}", soft_wrap=True)


def refuse(who: str, sentence: str) -> NoReturn:
    """Complain, and end the process with 1."""
    complain(who, sentence)
    sys.exit(1)
