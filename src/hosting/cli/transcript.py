"""What a person sees of a run."""

from collections.abc import Callable
from typing import Any, Final

from rich.console import Console

from events.compaction import Compaction, CompactionStatus
from events.event import Event
from events.ids import RunId
from events.interruption import InterruptionHandled
from events.permissions import PermissionApproved
from events.queue import BranchQueueUpdated, QueueAction
from events.retries import FunctionRetry, ModelCallRetry
from events.text import ReasoningDelta, ReasoningMessageEnd, TextDelta, TextMessageEnd
from events.tools import ResultType, ToolCallArgs, ToolCallEnd, ToolCallResult, ToolCallStart
from events.turns import MessageTurnError
from hosting.cli.batches import Batches
from hosting.cli.calls import call_line, result_line
from hosting.cli.legible import cut, one_line, tamed
from hosting.cli.nested_text import NestedText
from hosting.cli.nesting import Nesting
from hosting.client import Received
from middleware.compaction import INSUFFICIENT

_DIM: Final = "dim"
_UNUSUAL: Final = "yellow"
_WRONG: Final = "red"
_CELLS_OF_A_FILE: Final = 200
_FEWEST_CELLS: Final = 20
_STYLES: Final = {
    None: _DIM,
    ResultType.ERROR: _WRONG,
    ResultType.DENIED: _UNUSUAL,
    ResultType.TIMEOUT: _UNUSUAL,
    ResultType.INTERRUPTED: _UNUSUAL,
}


class Transcript:
    """Writes the answer to `answer`, and to `aside` all else, dimmed on a terminal: reasoning, calls, nested work."""

    def __init__(self, answer: Console, aside: Console) -> None:
        self._answer = answer
        self._aside = aside
        self._unfinished: Console | None = None
        self._message = ""
        self._run_id: RunId | None = None
        self._place: int | None = None
        self._calls = Batches()
        self._nested = NestedText()
        self._shown: dict[type[Event], Callable[[Any], None]] = {
            TextDelta: self._text,
            TextMessageEnd: self._message_end,
            ReasoningDelta: self._reasoning,
            ReasoningMessageEnd: self._message_end,
            ModelCallRetry: self._model_call_retry,
            ToolCallStart: self._calls.start,
            ToolCallArgs: self._call,
            ToolCallResult: self._result,
            ToolCallEnd: lambda event: self._calls.end(event.call_id),
            FunctionRetry: self._function_retry,
            PermissionApproved: self._approved,
            InterruptionHandled: self._interrupted,
            MessageTurnError: self._failed,
            BranchQueueUpdated: self._queue,
            Compaction: self._compacted,
        }

    def follow(self, run_id: RunId) -> None:
        """See View.follow."""
        self._run_id = run_id

    def show(self, received: Received) -> None:
        """See View.show."""
        if received.event is None:
            return
        shown = self._shown.get(type(received.event))
        if shown is not None:
            shown(received.event)

    def note(self, sentence: str) -> None:
        """See View.note."""
        self._tell(tamed(sentence), style="dim yellow")

    def end(self) -> None:
        """See View.end."""
        if self._unfinished is not None:
            self._unfinished.out("", highlight=False)
            self._unfinished = None

    def _text(self, event: TextDelta) -> None:
        nesting = Nesting.of(event.metadata)
        if nesting.depth:
            self._tell_all(self._nested.add(nesting, event.message_id, event.text))
            return
        self._begin(event.message_id, self._answer)
        self._write(self._answer, event.text)

    def _reasoning(self, event: ReasoningDelta) -> None:
        nesting = Nesting.of(event.metadata)
        if nesting.depth:
            self._tell_all(self._nested.add(nesting, event.message_id, event.text, verb=" thinks"))
            return
        self._begin(event.message_id, self._aside)
        self._write(self._aside, event.text, style=_DIM)

    def _message_end(self, event: TextMessageEnd | ReasoningMessageEnd) -> None:
        nesting = Nesting.of(event.metadata)
        if nesting.depth:
            self._tell_all(self._nested.end(nesting, event.message_id))
        else:
            self.end()

    def _model_call_retry(self, event: ModelCallRetry) -> None:
        pause = max(1, round(event.delay.total_seconds()))
        # After a crash there is no pause, and the sentence says itself that the answer begins again.
        again = f"; asked again in {pause} s" if event.delay else ""
        tries = f"({event.attempt + 1} of {event.max_retries + 1})"
        why = one_line(event.error_message).rstrip(".")
        self._tell(Nesting.of(event.metadata).line(f"{why}{again} {tries}."), style=_UNUSUAL)

    def _call(self, event: ToolCallArgs) -> None:
        call = call_line(self._calls.name(event.call_id) or "?", event.args_json)
        self._tell_line(event, f"-> {call}")

    def _result(self, event: ToolCallResult) -> None:
        # One call needs no name; of several, results come as they are ready.
        name = f"{one_line(event.name or '?')}: " if self._calls.is_one_of_several(event.call_id) else ""
        self._tell_line(event, f"<- {name}{result_line(event.result)}", style=_STYLES[event.result.result_type])

    def _function_retry(self, event: FunctionRetry) -> None:
        tool, again = one_line(event.function_name), f"(attempt {event.attempt + 1} of {event.max_retries + 1})"
        self._tell_line(event, f".. {tool} failed and is called again {again}", style=_UNUSUAL)

    def _approved(self, event: PermissionApproved) -> None:
        if event.reason == "remembered":
            self._tell_line(event, f".. {one_line(event.function_name)} is allowed, as you said before")

    def _interrupted(self, event: InterruptionHandled) -> None:
        # That the run itself was interrupted is told at its end.
        if Nesting.of(event.metadata).depth:
            self._tell_line(event, f"was interrupted: {one_line(event.reason)}", style=_UNUSUAL)

    def _failed(self, event: MessageTurnError) -> None:
        if Nesting.of(event.metadata).depth:
            self._tell_line(event, f"failed: {one_line(event.message)}", style=_WRONG)

    def _compacted(self, event: Compaction) -> None:
        if event.status is CompactionStatus.PERFORMED:
            gone = f"{event.messages_removed or 0} earlier messages"
            how = "are left out" if event.summary_length is None else "are summarised"
            self._tell_line(event, f".. {gone} {how}")
        elif event.status is CompactionStatus.SKIPPED and event.reason != INSUFFICIENT:
            self._tell_line(event, f".. nothing was compacted: {one_line(event.reason or '?')}", style=_UNUSUAL)

    def _queue(self, event: BranchQueueUpdated) -> None:
        place = next((item.queued_position for item in event.items if item.runtime_run_id == self._run_id), None)
        if place is None or place == self._place:
            return
        self._place = place
        if event.action is QueueAction.PROMOTED and event.runtime_run_id == self._run_id:
            self.note("Waiting for the active run, which was interrupted, to end.")
        else:
            self.note(f"Waiting behind {place} {'run' if place == 1 else 'runs'}.")

    def _tell_all(self, lines: list[str]) -> None:
        for line in lines:
            self._tell(line, style=_DIM)

    def _tell_line(self, event: Event, line: str, *, style: str = _DIM) -> None:
        """Tell one line at its place, cut to the terminal's width."""
        cells = max(self._aside.width, _FEWEST_CELLS) if self._aside.is_terminal else _CELLS_OF_A_FILE
        self._tell(cut(Nesting.of(event.metadata).line(line), cells), style=style)

    def _tell(self, line: str, *, style: str) -> None:
        self.end()
        self._aside.out(line, style=style, highlight=False)

    def _begin(self, message_id: str, console: Console) -> None:
        # A message that no event ended, or reasoning that turned into text, must not run into what follows.
        if message_id != self._message or self._unfinished is not console:
            self.end()
        self._message = message_id

    def _write(self, console: Console, piece: str, style: str | None = None) -> None:
        shown = tamed(piece) if console.is_terminal else piece
        console.out(shown, end="", style=style, highlight=False)
        if shown:
            self._unfinished = None if shown.endswith("\n") else console
