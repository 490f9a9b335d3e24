"""What cannot be given to a model at all, which is known before its provider is asked."""

import traceback
from typing import Final

_PACKAGE: Final = "pydantic_ai.models"
_PUTTING_INTO_WORDS: Final = frozenset({"_map_messages", "_map_message"})
"""Where the models of pydantic-ai write a conversation as their provider wants it, files fetched or refused."""


_LOCAL: Final = "LocalProtocolError"


def is_unspeakable(error: BaseException) -> bool:
    """Say whether the HTTP library refused to write a call down, as with a key that has a line break in it.

    Clients blame the connection for that, or let it out as it is. Taken for either, one bad key would close a model to
    all who have a good one.
    """
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, UnicodeEncodeError) or type(cause).__name__ == _LOCAL:
            return True
        cause = cause.__cause__
    return False


def is_unsendable(error: BaseException) -> bool:
    """Say whether a call failed before it was made: the conversation holds what its model does not take.

    pydantic-ai has no error of its own for that: an assertion, a ValueError or what a download failed with come out,
    as they would from an answer that makes no sense. Taken for one, files of one user would close a model to all.
    """
    return any(
        frame.f_code.co_name in _PUTTING_INTO_WORDS and frame.f_globals.get("__name__", "").startswith(_PACKAGE)
        for frame, _ in traceback.walk_tb(error.__traceback__)
    )
