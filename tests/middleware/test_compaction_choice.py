"""What gives way in a history: never a call without its result, in order, and once."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.branches import Content, DataContent, FunctionCall, FunctionResult, ReasoningContent, TextContent
from events.compaction import CompactionBoundary
from events.ids import MessageId, is_summary
from events.text import Role
from events.tools import ToolResult
from middleware.compaction_choice import Choice, choose, given_way, is_due, replaced, tokens_of
from middleware.compaction_policy import CompactionPolicy
from middleware.compaction_prompt import pieces, prompt


@dataclass(frozen=True)
class Message:
    id: MessageId
    role: Role
    contents: tuple[Content, ...] = ()


def text(name: str, role: Role = Role.USER, said: str = "Hi") -> Message:
    return Message(MessageId(name), role, (TextContent(text=said),))


SUMMARY = text("sum_1", Role.SYSTEM)


@st.composite
def histories(draw: st.DrawFn) -> list[Message]:
    """A conversation in which calls are answered in the same message or some messages later, if at all."""
    history: list[Message] = [SUMMARY] if draw(st.booleans()) else []
    unanswered: list[str] = []
    for place in range(draw(st.integers(0, 24))):
        contents: list[Content] = [TextContent(text="Hi")]
        role = draw(st.sampled_from(Role))
        if role is Role.ASSISTANT and draw(st.booleans()):
            contents.append(FunctionCall(call_id=f"c{place}", name="look", arguments={}))
            unanswered.append(f"c{place}")
        if role is Role.ASSISTANT and unanswered and draw(st.booleans()):
            call = draw(st.sampled_from(unanswered))
            unanswered.remove(call)
            contents.append(FunctionResult(call_id=call, result=ToolResult(text="seen")))
        history.append(Message(MessageId(f"m{place}"), role, tuple(contents)))
    return history


def seen(choice: Choice[Message]) -> list[Message]:
    """Return the history with a new summary."""
    return [*choice.kept[: choice.place], text("sum_2", Role.SYSTEM), *choice.kept[choice.place :]]


def calls(messages: list[Message] | tuple[Message, ...], kind: type[FunctionCall] | type[FunctionResult]) -> set[str]:
    return {content.call_id for message in messages for content in message.contents if isinstance(content, kind)}


@given(histories(), st.integers(1, 12))
def test_no_call_is_parted_from_its_result(history: list[Message], keep: int) -> None:
    choice = choose(history, keep)

    if choice is not None:
        assert calls(choice.older, FunctionCall) & calls(choice.kept, FunctionResult) == set()


@given(histories(), st.integers(1, 12))
def test_everything_is_older_or_kept_in_order_and_the_last_ones_and_the_systems_are_kept(
    history: list[Message], keep: int
) -> None:
    choice = choose(history, keep)

    if choice is None:
        return
    older = {message.id for message in choice.older}
    assert list(choice.older) == [message for message in history if message.id in older]
    assert list(choice.kept) == [message for message in history if message.id not in older]
    assert choice.kept[-keep:] == tuple(history[-keep:])
    assert all(message.role is not Role.SYSTEM or is_summary(message.id) for message in choice.older)
    assert choice.kept[: choice.place] == tuple(history[: history.index(choice.older[0])])
    if choice.boundary is CompactionBoundary.TURN:
        behind = history[history.index(choice.older[-1]) + 1 :]
        assert next(message.role for message in behind if message.role is not Role.SYSTEM) is Role.USER


@given(histories(), st.integers(1, 12))
def test_what_was_compacted_is_not_compacted_again(history: list[Message], keep: int) -> None:
    choice = choose(history, keep)

    assert choice is None or choose(seen(choice), keep) is None


@given(histories(), st.integers(1, 12))
def test_a_history_is_seen_the_same_whether_or_not_its_messages_are_still_there(
    history: list[Message], keep: int
) -> None:
    choice = choose(history, keep)

    if choice is None:
        return
    through, summary = choice.older[-1].id, text("sum_2", Role.SYSTEM)
    assert given_way(history, through) == list(choice.older)
    assert replaced(history, through, [summary]) == seen(choice)
    # A message that is gone, or was never copied, changes nothing.
    assert replaced(seen(choice), through, [summary]) == seen(choice)


def test_the_border_is_before_a_user_speaks_if_that_can_be() -> None:
    roles = [Role.USER, Role.ASSISTANT, Role.USER, Role.ASSISTANT, Role.ASSISTANT]
    history = [text(f"m{place}", role) for place, role in enumerate(roles)]

    by_turn, amid = choose(history, 2), choose(history[2:], 1)

    assert by_turn is not None
    assert (by_turn.boundary, [message.id for message in by_turn.older]) == (CompactionBoundary.TURN, ["m0", "m1"])
    assert amid is not None
    assert (amid.boundary, [message.id for message in amid.older]) == (CompactionBoundary.MESSAGE, ["m2", "m3"])


def test_there_is_nothing_to_gain_of_few_messages_or_of_a_summary_alone() -> None:
    history = [SUMMARY, text("m1"), text("m2", Role.ASSISTANT)]

    assert choose([], 1) is None
    assert choose(history, 3) is None
    assert choose(history, 2) is None


def test_a_history_is_due_beyond_the_messages_or_tokens_of_its_policy() -> None:
    history = [text(f"m{place}", said="x" * 400) for place in range(12)]

    assert [is_due(history[:count], CompactionPolicy(after_messages=12, keep_messages=2)) for count in (12,)] == [False]
    assert is_due([*history, text("more")], CompactionPolicy(after_messages=12, keep_messages=2))
    assert tokens_of(history) == 12 * 104
    assert is_due(history, CompactionPolicy(after_tokens=1247))
    assert not is_due(history, CompactionPolicy(after_tokens=1248))
    assert not is_due(history, CompactionPolicy())


def test_a_file_counts_as_a_thousand_tokens_and_thoughts_as_none() -> None:
    picture = DataContent(uri=f"data:image/png;base64,{'A' * 1_000_000}", media_type="image/png")
    thought = ReasoningContent(text="hm" * 1_000)

    assert tokens_of([Message(MessageId("m"), Role.USER, (picture, thought))]) == 1_004


@pytest.mark.parametrize(
    "given_policy", [{"keep_messages": 0}, {"after_messages": 11}, {"after_messages": 2, "keep_messages": 1}]
)
def test_a_policy_that_could_not_hold_is_refused(given_policy: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=r"`(keep|after)_messages`"):
        CompactionPolicy(**given_policy)  # type: ignore[arg-type]


@given(st.lists(st.integers(0, 100_000), max_size=30))
def test_pieces_are_the_whole_in_order_and_none_is_too_long_but_for_one_message(lengths: list[int]) -> None:
    history = [text(f"m{place}", said="x" * length) for place, length in enumerate(lengths)]

    cut = list(pieces(history))

    assert [message for piece in cut for message in piece] == history
    assert all(len(piece) == 1 or tokens_of(piece) <= 16_000 for piece in cut)


def test_who_summarises_reads_what_was_said_called_and_answered() -> None:
    call = FunctionCall(call_id="c", name="look", arguments={"at": "it"})
    result = FunctionResult(call_id="c", result=ToolResult(text="seen"))
    thought = ReasoningContent(text="secret")
    picture = DataContent(uri="data:image/png;base64,AAAA", media_type="image/png")
    history = [
        Message(MessageId("m1"), Role.USER, (TextContent(text="Look."), picture)),
        Message(MessageId("m2"), Role.ASSISTANT, (thought, TextContent(text="x" * 5_000), call, result)),
    ]

    told = prompt(history, "It rained.")

    assert told.startswith(
        "What came before, summarised:\nIt rained.\n\nThe conversation:\n\nuser: Look.\n[a file: image/png]"
    )
    assert f'\n\nassistant: {"x" * 2_000} [...] {"x" * 2_000}\n[calls look with {{"at":"it"}}]\n' in told
    assert told.endswith('[result: {"text":"seen"}]')
    assert "secret" not in told
