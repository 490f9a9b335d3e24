"""Asking the person at the terminal."""

import asyncio
from enum import Enum, auto
from typing import Final

from rich.console import Console

from events.client_tools import ClientToolInvokeRequest, ClientToolInvokeResponse
from events.interactions import Response
from hosting.cli.asking.asked import Asked
from hosting.cli.asking.held_view import HeldView
from hosting.cli.asking.keyboard import Keyboard
from hosting.cli.asking.questions import Question, question_of
from hosting.cli.calls import call_text
from hosting.cli.legible import tamed

_LONGEST_ARGUMENT: Final = 60
_NO_TOOLS: Final = (
    "`branchline send` has no tools, so this call was not made; a client that offers the tool can make it."
)


class _Silence(Enum):
    """Why no line came."""

    SETTLED = auto()
    CROWDED = auto()
    LEFT = auto()


class Prompt:
    """Asks one question at a time, and notices when somebody else settles it."""

    def __init__(self, keyboard: Keyboard, aside: Console, view: HeldView) -> None:
        self._keyboard = keyboard
        self._aside = aside
        self._view = view

    async def answer(self, asked: Asked) -> Response | None:
        """See Means.answer; without an answer at the end of input (Ctrl-D)."""
        if isinstance(asked.request, ClientToolInvokeRequest):
            return self._regret(asked, asked.request)
        question = None if asked.request is None else question_of(asked.request)
        if question is None:
            return None
        while True:
            full = self._view.hold()
            try:
                answer = await self._ask(asked, question, full)
            finally:
                self._view.release()
            if answer is not _Silence.CROWDED:
                return None if isinstance(answer, _Silence) else answer

    def _regret(self, asked: Asked, request: ClientToolInvokeRequest) -> Response:
        call = call_text(request.tool_name, request.arguments, longest=_LONGEST_ARGUMENT)
        told = f"{asked.nesting.subject} asks for the client's tool {call}; this client has none and says so."
        self._view.note(asked.nesting.margin + told)
        return ClientToolInvokeResponse(
            request_id=request.request_id, source_name=request.source_name, success=False, error_message=_NO_TOOLS
        )

    async def _ask(self, asked: Asked, question: Question, full: asyncio.Future[None]) -> Response | _Silence:
        for line in _lines(asked, question):
            self._aside.out(line, style="bold", highlight=False)
        while True:
            typed = await self._line(asked, question, full)
            if isinstance(typed, _Silence):
                return typed
            answer = question.read(typed)
            if answer is not None:
                return answer
            self._aside.out(f"{asked.nesting.margin}{question.hint}", style="dim", highlight=False)

    async def _line(self, asked: Asked, question: Question, full: asyncio.Future[None]) -> str | _Silence:
        with self._keyboard.line() as typed:
            self._aside.out(f"{asked.nesting.margin}{question.prompt}", end="", highlight=False)
            try:
                await asyncio.wait((typed, asked.end, full), return_when=asyncio.FIRST_COMPLETED)
            finally:
                if not typed.done() or typed.result() is None:
                    # The cursor stands behind the prompt; what a person has typed there was no answer.
                    self._aside.out("", highlight=False)
        if not typed.done():
            return self._silence(asked)
        line = typed.result()
        if line is None:
            return _Silence.LEFT
        try:
            return tamed(line.decode())
        except UnicodeDecodeError:
            return ""

    def _silence(self, asked: Asked) -> _Silence:
        if not asked.end.done():
            return _Silence.CROWDED
        if sentence := asked.end.result():
            self._aside.out(f"{asked.nesting.margin}{sentence}", style="dim yellow", highlight=False)
        return _Silence.SETTLED


def _lines(asked: Asked, question: Question) -> list[str]:
    first, *others = question.lines
    who = f"{asked.nesting.agent} asks: " if asked.nesting.agent else ""
    return [asked.nesting.margin + line for line in (who + first, *others)]
