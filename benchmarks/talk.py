"""A measuring program in a process of its own, that is told what to do line by line."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import msgspec

_ROOT = Path(__file__).parents[1]
_ENDS_WITHIN_SECONDS = 15


class ToldProcess:
    """`python -m MODULE`: JSON lines go in and come out; started by `with`, and ended with it."""

    def __init__(self, module: str, *arguments: str) -> None:
        self._command = [sys.executable, "-m", module, *arguments]
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(self._command, cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        return self

    def __exit__(self, *exc: object) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(_ENDS_WITHIN_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()

    def tell(self, order: object) -> None:
        """Say what to do; `hear` once for each."""
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(msgspec.json.encode(order) + b"\n")
        self._process.stdin.flush()

    def hear(self, kind: type[Any]) -> Any:
        """Return what came of an order.

        Raises:
            RuntimeError: the process has ended.
        """
        assert self._process is not None
        assert self._process.stdout is not None
        said = self._process.stdout.readline()
        if not said:
            raise RuntimeError(f"{' '.join(self._command)} has ended.")
        return msgspec.json.decode(said, type=kind)


def answer_orders(kind: type[Any], answer: Callable[[Any], object]) -> None:
    """Answer each order on standard input with a line on standard output, until there are no more."""
    for told in sys.stdin.buffer:
        sys.stdout.buffer.write(msgspec.json.encode(answer(msgspec.json.decode(told, type=kind))) + b"\n")
        sys.stdout.buffer.flush()
