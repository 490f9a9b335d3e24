"""Which messages of a history give way: whole turns if that can be, and never a call without its result."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final, Generic, Protocol, TypeVar

import msgspec

from events.branches import Content, FunctionCall, FunctionResult, ReasoningContent, TextContent
from events.compaction import CompactionBoundary
from events.ids import MessageId, is_summary
from events.text import Role
from middleware.compaction_policy import CompactionPolicy

_CHARACTERS_OF_A_TOKEN: Final = 4
_TOKENS_OF_A_MESSAGE: Final = 4
_TOKENS_OF_A_FILE: Final = 1_000


class Said(Protocol):
    """A message, as far as it matters here."""

    @property
    def id(self) -> MessageId:
        """The message."""
        ...

    @property
    def role(self) -> Role:
        """Who says it."""
        ...

    @property
    def contents(self) -> tuple[Content, ...]:
        """What is said, called and answered."""
        ...


M = TypeVar("M", bound=Said)


@dataclass(frozen=True, slots=True)
class Choice(Generic[M]):
    """The messages that give way, and all others, in order; what replaces the first stands before `kept[place]`."""

    older: tuple[M, ...]
    kept: tuple[M, ...]
    place: int
    boundary: CompactionBoundary


def is_due(messages: Sequence[Said], policy: CompactionPolicy) -> bool:
    """Say whether a history has reached the size at which a policy wants it compacted."""
    if policy.after_messages is not None and len(messages) > policy.after_messages:
        return True
    return policy.after_tokens is not None and tokens_of(messages) > policy.after_tokens


def tokens_of(messages: Sequence[Said]) -> int:
    """Estimate what a model reads in messages: a token in four characters, and a thousand in a file."""
    return sum(_TOKENS_OF_A_MESSAGE + sum(map(_tokens, message.contents)) for message in messages)


def choose(messages: Sequence[M], keep: int) -> Choice[M] | None:
    """Choose what gives way so that at least the last `keep` messages stay; None when there is nothing to gain.

    What the system says stays, but an earlier summary gives way to the next.
    """
    cut = _border(messages, len(messages) - keep)
    older = tuple(message for message in messages[:cut] if _gives_way(message))
    if not any(not is_summary(message.id) for message in older):
        return None
    is_turn = cut < len(messages) and messages[cut].role is Role.USER
    boundary = CompactionBoundary.TURN if is_turn else CompactionBoundary.MESSAGE
    before = [message for message in messages[:cut] if not _gives_way(message)]
    first = next(place for place, message in enumerate(messages) if _gives_way(message))
    return Choice(older, (*before, *messages[cut:]), first, boundary)


def replaced(messages: Sequence[M], through: MessageId, by: Sequence[M]) -> list[M]:
    """Return a history in which everything that gives way up to a message has given way; as it is without that one."""
    cut = next((place + 1 for place, message in enumerate(messages) if message.id == through), 0)
    first = next((place for place, message in enumerate(messages[:cut]) if _gives_way(message)), 0)
    stays = [message for message in messages[:cut] if not _gives_way(message)]
    return [*stays[:first], *(by if cut else ()), *stays[first:], *messages[cut:]]


def given_way(messages: Sequence[M], through: MessageId) -> list[M]:
    """Return what of a history gives way up to a message."""
    cut = next((place + 1 for place, message in enumerate(messages) if message.id == through), 0)
    return [message for message in messages[:cut] if _gives_way(message)]


def _gives_way(message: Said) -> bool:
    return message.role is not Role.SYSTEM or is_summary(message.id)


def _border(messages: Sequence[Said], most: int) -> int:
    """Return how many messages come before the border: the last before a user's message, or else the last there is."""
    inside = _inside_of_calls(messages)
    places = [place for place in range(1, most + 1) if not inside[place]]
    turns = (place for place in reversed(places) if place < len(messages) and messages[place].role is Role.USER)
    return next(turns, places[-1] if places else 0)


def _inside_of_calls(messages: Sequence[Said]) -> list[bool]:
    """Say of each place whether a border there would part a call from its result."""
    begun: dict[str, int] = {}
    steps = [0] * (len(messages) + 2)
    for place, message in enumerate(messages):
        for content in message.contents:
            if isinstance(content, FunctionCall):
                begun.setdefault(content.call_id, place)
            elif isinstance(content, FunctionResult) and content.call_id in begun:
                steps[begun[content.call_id] + 1] += 1
                steps[place + 1] -= 1
    return [depth > 0 for depth in accumulate(steps)]


def _tokens(content: Content) -> int:
    if isinstance(content, ReasoningContent):
        # Told once, and never given back to a model.
        return 0
    if isinstance(content, TextContent):
        return len(content.text) // _CHARACTERS_OF_A_TOKEN
    if isinstance(content, FunctionCall | FunctionResult):
        return len(msgspec.json.encode(content)) // _CHARACTERS_OF_A_TOKEN
    return _TOKENS_OF_A_FILE
