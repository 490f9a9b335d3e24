"""The lines that a person types."""

import asyncio
import os
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_MOST_BYTES: Final = 65_536


class Keyboard:
    """A terminal that lines are read from while everything else goes on; the terminal itself lets them be edited."""

    def __init__(self, terminal: int) -> None:
        self._terminal = terminal
        self._typed = b""

    @contextmanager
    def line(self) -> Iterator[asyncio.Future[bytes | None]]:
        """Listen for the next line, and no longer than the block lasts; None is the end of input (Ctrl-D).

        What was typed before is forgotten: it was no answer to what is asked now.
        """
        loop = asyncio.get_running_loop()
        typed: asyncio.Future[bytes | None] = loop.create_future()
        self._forget()
        loop.add_reader(self._terminal, self._read, typed)
        try:
            yield typed
        finally:
            loop.remove_reader(self._terminal)
            if not typed.done():
                # Half a line that was meant for this question must not become the beginning of the next answer.
                self._forget()

    def _read(self, typed: asyncio.Future[bytes | None]) -> None:
        if typed.done():
            return
        try:
            piece = os.read(self._terminal, _MOST_BYTES)
        except OSError:
            # How Linux says that the terminal has gone.
            piece = b""
        self._typed += piece
        if not self._typed:
            typed.set_result(None)
        elif not piece or self._typed.endswith(b"\n"):
            typed.set_result(self._typed.removesuffix(b"\n"))
            self._typed = b""

    def _forget(self) -> None:
        self._typed = b""
        try:
            termios.tcflush(self._terminal, termios.TCIFLUSH)
        except termios.error:
            # The terminal has gone; reading will say so.
            return
