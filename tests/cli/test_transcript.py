"""What a run looks like, on terminals of several widths and in files."""

import io
import re
from datetime import timedelta
from typing import Any

from rich.cells import cell_len
from rich.console import Console

from events.compaction import (
    Compaction,
    CompactionBehavior,
    CompactionMode,
    CompactionStatus,
    CompactionStrategy,
    Retention,
)
from events.event import Event
from events.queue import BranchQueueUpdated, QueueAction, QueueItem
from events.retries import ModelCallRetry
from events.text import ReasoningDelta, TextDelta, TextMessageEnd
from events.tools import ResultType, ToolCallArgs, ToolCallEnd, ToolCallResult, ToolCallStart, ToolResult
from events.turns import MessageTurnError
from hosting.cli.transcript import Transcript
from hosting.client import Received

SCOUT = {"agentName": "Scout", "agentId": "scout", "depth": 1, "isSubAgent": True}
DIGGER = {"agentName": "Digger\x1b[2J", "agentId": "digger", "depth": 2, "isSubAgent": True}


class Shown:
    """A transcript, and what it wrote."""

    def __init__(self, *, width: int | None = None) -> None:
        self.out, self.aside = io.StringIO(), io.StringIO()
        self.transcript = Transcript(self._console(self.out, width), self._console(self.aside, width))

    def show(self, *events: Event) -> None:
        """Show events."""
        for event in events:
            self.transcript.show(Received("aaaaaaaaaaaa.1", "{}", event))

    @property
    def lines(self) -> list[str]:
        """What was written beside the answer, without styles."""
        return re.sub(r"\x1b\[[0-9;]*m", "", self.aside.getvalue()).splitlines()

    def _console(self, file: io.StringIO, width: int | None) -> Console:
        return Console(
            file=file, force_terminal=width is not None, width=width, soft_wrap=True, color_system="standard"
        )


def call(name: str, arguments: str, *, call_id: str = "c1", message_id: str = "m1", **place: Any) -> list[Event]:
    """Return a call as the log has it."""
    start = ToolCallStart(call_id=call_id, name=name, message_id=message_id, **place)
    return [start, ToolCallArgs(call_id=call_id, args_json=arguments, **place)]


def result(
    name: str, text: str, *, call_id: str = "c1", result_type: ResultType | None = None, **place: Any
) -> list[Event]:
    """Return what a call came to."""
    came_to = ToolResult(text=text, result_type=result_type)
    told = ToolCallResult(call_id=call_id, result=came_to, name=name, **place)
    return [told, ToolCallEnd(call_id=call_id, **place)]


def test_a_call_and_its_result_fit_on_a_line_each_whatever_the_width() -> None:
    wide = "{" + ",".join(f'"text{place}":"{"界" * 200}"' for place in range(9)) + "}"
    for width in (20, 21, 40, 41, 100, 237):
        shown = Shown(width=width)

        shown.show(*call("write_file", wide, metadata=SCOUT), *result("write_file", "界" * 300 + "\nmore"))

        assert len(shown.lines) == 2
        assert all(width - 1 <= cell_len(line) <= width for line in shown.lines), width
        assert all(line.endswith("...") for line in shown.lines)


def test_why_a_model_is_asked_again_is_told_and_when() -> None:
    shown = Shown()

    for metadata in (None, SCOUT):
        shown.show(
            ModelCallRetry(
                attempt=1,
                max_retries=3,
                delay=timedelta(seconds=0.7),
                exception_type="ModelUnreachable",
                error_message="The provider of the model qwen3\x1b[2J cannot be reached.",
                metadata=metadata,
            )
        )

    told = "The provider of the model qwen3\\x1b[2J cannot be reached; asked again in 1 s (2 of 4)."
    assert shown.lines == [told, f"  Scout {told}"]


def test_nothing_of_a_call_commands_the_terminal_or_hides() -> None:
    shown = Shown(width=200)

    shown.show(
        *call("run\x1b[2J", '{"a\\u001b":"\\u202e\\u0007\x9b31m\u200b"}'),
        *result("run", "one\x1b[31m\ttwo\r\nthree\u2028four\u202e", result_type=ResultType.ERROR),
    )

    assert shown.lines == [
        '-> run\\x1b[2J(a\\x1b="\\u202e\\u0007\\x9b31m\\u200b")',
        "<- failed: one\\x1b[31m two three four\\u202e",
    ]


def test_arguments_that_are_no_object_are_shown_as_they_are() -> None:
    shown = Shown()

    shown.show(*call("run", "[1,"))

    assert shown.lines == ["-> run([1,)"]


def test_a_result_of_one_among_several_calls_says_whose_it_is() -> None:
    shown = Shown()

    shown.show(
        *call("a", "{}", call_id="c1"),
        *call("b", "{}", call_id="c2"),
        *result("b", "2", call_id="c2"),
        *result("a", "1", call_id="c1"),
        *call("c", "{}", call_id="c3", message_id="m2"),
        *result("c", "3", call_id="c3"),
    )

    assert shown.lines == ["-> a()", "-> b()", "<- b: 2", "<- a: 1", "-> c()", "<- 3"]


def test_unusual_ends_of_calls_have_a_word_and_a_colour_of_their_own() -> None:
    shown = Shown(width=80)

    shown.show(
        *result("a", "Error: it broke", result_type=ResultType.ERROR),
        *result("a", "No.", result_type=ResultType.DENIED),
        *result("a", "The client did not answer.", result_type=ResultType.TIMEOUT),
        *result("a", "The call was interrupted.", result_type=ResultType.INTERRUPTED),
        *result("a", ""),
    )

    assert shown.aside.getvalue().splitlines() == [
        "\x1b[31m<- failed: it broke\x1b[0m",
        "\x1b[33m<- denied: No.\x1b[0m",
        "\x1b[33m<- timed out: The client did not answer.\x1b[0m",
        "\x1b[33m<- interrupted\x1b[0m",
        "\x1b[2m<- (nothing)\x1b[0m",
    ]


def test_nested_agents_that_speak_at_the_same_time_do_not_mix_their_lines() -> None:
    shown = Shown()

    shown.show(
        TextDelta(message_id="n1", text="I dig", metadata=SCOUT),
        TextDelta(message_id="n2", text="And\nI ", metadata=DIGGER),
        TextDelta(message_id="n1", text=" here.", metadata=SCOUT),
        TextMessageEnd(message_id="n1", metadata=SCOUT),
        TextDelta(message_id="n2", text="there.", metadata=DIGGER),
        TextMessageEnd(message_id="n2", metadata=DIGGER),
    )

    assert shown.lines == ["    Digger\\x1b[2J: And", "  Scout: I dig here.", "    Digger\\x1b[2J: I there."]
    assert shown.out.getvalue() == ""


def test_nested_reasoning_is_told_from_nested_text() -> None:
    shown = Shown()

    shown.show(
        ReasoningDelta(message_id="n1", text="Hm.", metadata=SCOUT),
        TextDelta(message_id="n1", text="Yes.", metadata=SCOUT),
        TextMessageEnd(message_id="n1", metadata=SCOUT),
    )

    assert shown.lines == ["  Scout thinks: Hm.", "  Scout: Yes."]


def test_a_nested_line_without_an_end_is_shown_in_pieces() -> None:
    shown = Shown()

    shown.show(*(TextDelta(message_id="n1", text="x" * 1_000, metadata=SCOUT) for _ in range(9)))

    assert shown.lines == [f"  Scout: {'x' * 5_000}"]


def test_nested_failures_are_told_where_they_happen() -> None:
    shown = Shown()

    shown.show(MessageTurnError(message="It broke.", metadata=SCOUT), MessageTurnError(message="All broke."))

    assert shown.lines == ["  Scout failed: It broke."]


def test_the_answer_and_a_call_never_share_a_line() -> None:
    shown = Shown()

    shown.show(TextDelta(message_id="m1", text="Let me see"), *call("look", "{}"))

    assert shown.out.getvalue() == "Let me see\n"
    assert shown.lines == ["-> look()"]


def test_a_place_in_the_queue_is_told_when_it_changes() -> None:
    shown = Shown()
    shown.transcript.follow("run_b")

    shown.show(*(queue(action, run, *waiting) for action, run, *waiting in MOVES))

    assert shown.lines == ["Waiting behind 2 runs.", "Waiting behind 3 runs.", "Waiting behind 2 runs."]


MOVES = (
    (QueueAction.ENQUEUED, "run_b", "run_a", "run_b"),
    (QueueAction.ENQUEUED, "run_c", "run_a", "run_b", "run_c"),
    (QueueAction.PROMOTED, "run_d", "run_d", "run_a", "run_b", "run_c"),
    (QueueAction.DEQUEUED, "run_d", "run_a", "run_b", "run_c"),
    (QueueAction.REMOVED, "run_b", "run_a", "run_c"),
)


def queue(action: QueueAction, run: str, *waiting: str) -> Event:
    """Return how the queue stands."""
    items = tuple(
        QueueItem(
            runtime_run_id=each,
            message_id=f"msg_{each}",
            text="hi",
            queued_at="2026-01-01T00:00:00Z",
            queued_position=place,
        )
        for place, each in enumerate(waiting, 1)
    )
    return BranchQueueUpdated(action=action, runtime_run_id=run, items=items)


def compaction(status: CompactionStatus, **members: Any) -> Compaction:
    """Return what is told of a compaction."""
    return Compaction(
        agent_name="Scout",
        iteration=1,
        status=status,
        strategy=CompactionStrategy.SUMMARY,
        duration=timedelta(),
        mode=CompactionMode.AUTO,
        behavior=CompactionBehavior.CONTINUE,
        retention=Retention.SOFT,
        **members,
    )


def test_a_compaction_is_told_in_a_line_when_it_is_done_or_failed() -> None:
    shown = Shown()

    shown.show(
        compaction(CompactionStatus.STARTED),
        compaction(CompactionStatus.PERFORMED, messages_removed=12, summary_length=80),
        compaction(CompactionStatus.PERFORMED, messages_removed=9),
        compaction(CompactionStatus.CACHE_HIT),
        compaction(CompactionStatus.SKIPPED, reason="insufficient_history"),
        compaction(CompactionStatus.SKIPPED, reason="No ink.\x1b[2J"),
    )

    assert [line.strip() for line in shown.lines] == [
        ".. 12 earlier messages are summarised",
        ".. 9 earlier messages are left out",
        r".. nothing was compacted: No ink.\x1b[2J",
    ]
