"""What whoever summarises is given to read."""

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from events.branches import DataContent, FunctionCall, FunctionResult, ReasoningContent, TextContent, UriContent
from middleware.compaction_choice import M, Said, tokens_of

INSTRUCTIONS: Final = (
    "Summarise the conversation below for the assistant that goes on with it and will not see it again. Keep what the "
    "user wants and has decided, facts, names, numbers and file paths word for word, what tools have shown, what was "
    "promised, and what is still open. Leave out greetings and what led nowhere. Write plain sentences, at most 400 "
    "words, and nothing but the summary."
)
SUMMARY_BEGINS: Final = "Summary of the conversation so far:\n"
_Shown = TextContent | DataContent | UriContent | FunctionCall | FunctionResult

_TOKENS_OF_A_PIECE: Final = 16_000
_LONGEST_CONTENT: Final = 4_000


def pieces(messages: Sequence[M]) -> Iterator[tuple[M, ...]]:
    """Cut a history into pieces that can be read at once."""
    piece: list[M] = []
    size = 0
    for message in messages:
        tokens = min(tokens_of([message]), _TOKENS_OF_A_PIECE)
        if piece and size + tokens > _TOKENS_OF_A_PIECE:
            yield tuple(piece)
            piece, size = [], 0
        piece.append(message)
        size += tokens
    if piece:
        yield tuple(piece)


def prompt(messages: Sequence[Said], earlier: str | None) -> str:
    """Return messages as text, behind the summary of what came before them."""
    told = "\n\n".join(_told(message) for message in messages)
    before = "" if earlier is None else f"What came before, summarised:\n{earlier}\n\n"
    return f"{before}The conversation:\n\n{told}"


def _told(message: Said) -> str:
    shown = (_shown(content) for content in message.contents if not isinstance(content, ReasoningContent))
    return f"{message.role}: " + "\n".join(shown)


def _shown(content: _Shown) -> str:
    if isinstance(content, TextContent):
        return _cut(content.text)
    if isinstance(content, FunctionCall):
        return _cut(f"[calls {content.name} with {msgspec.json.encode(content.arguments).decode()}]")
    if isinstance(content, FunctionResult):
        return _cut(f"[result: {msgspec.json.encode(content.result).decode()}]")
    return f"[a file: {content.media_type}]"


def _cut(text: str) -> str:
    if len(text) <= _LONGEST_CONTENT:
        return text
    half = _LONGEST_CONTENT // 2
    return f"{text[:half]} [...] {text[-half:]}"
