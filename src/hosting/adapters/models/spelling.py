"""Text as a provider sends it, made such that it can be stored and sent."""

from collections.abc import Awaitable, Callable

_UNKNOWN = "\ufffd"


class Voice:
    """Says pieces of text; a character whose halves come in two pieces is said as one."""

    def __init__(self, say: Callable[[str], Awaitable[None]]) -> None:
        self._say = say
        self._half = ""

    async def say(self, piece: str) -> None:
        """Say a piece, but for the half of a character that it may end in."""
        piece, self._half = self._half + piece, ""
        if "\ud800" <= piece[-1:] <= "\udbff":
            piece, self._half = piece[:-1], piece[-1]
        if piece:
            await self._say(spelt(piece))

    async def pause(self) -> None:
        """Say what is left: nothing more comes for now."""
        if self._half:
            self._half = ""
            await self._say(_UNKNOWN)


def spelt(text: str) -> str:
    """Return a text with the halves of its characters put together, and U+FFFD for those that miss the other half."""
    if text.isascii():
        return text
    # As JSON has them: some providers cut between the two escapes that stand for one character.
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
