"""What a command says beside its result: on standard error, so that the result can be piped."""

import sys
from typing import NoReturn

from rich.console import Console
from rich.markup import escape


def note(sentence: str) -> None:
    """Tell something worth knowing."""
    print(sentence, file=sys.stderr)


def refuse(who: str, sentence: str) -> NoReturn:
    """Tell why a command cannot do what it was asked for, and end the process with 1; `who` says which command."""
    Console(stderr=True).print(f"[bold red]{escape(who)}:[/] {escape(sentence)}", soft_wrap=True)
    sys.exit(1)
