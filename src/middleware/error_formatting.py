"""The layer that decides what the world may learn of a failure."""

import asyncio

import structlog

from middleware.errors import AgentError, TurnFailed, Withdrawn
from middleware.pipeline import Turn, TurnContext

_log = structlog.get_logger("branchline.turn")

_PRIVATE = "The agent failed."
_LONGEST = 4_000


class ErrorFormatting:
    """Turns every failure into TurnFailed: an AgentError's sentence is told, any other exception only by its type.

    Texts of other exceptions hold paths, keys and addresses; they go to the log of the server alone.
    """

    async def around_turn(self, context: TurnContext, turn: Turn) -> None:
        """See TurnLayer.around_turn."""
        try:
            await turn()
        except Withdrawn:
            raise
        except asyncio.CancelledError:
            raise
        except AgentError as error:
            raise TurnFailed(type(error).__name__, _sentence(error), is_retryable=error.is_retryable) from error
        except BaseException as error:
            # An agent's sys.exit() ends its run; let through, it would end the server, and each one that takes it up.
            _log.exception("an agent failed")
            raise TurnFailed(type(error).__name__, _PRIVATE, is_retryable=False) from error


def _sentence(error: AgentError) -> str:
    try:
        text = str(error)
    except Exception:  # noqa: BLE001 - an agent's own __str__, which must not keep its run from ending
        return _PRIVATE
    # A NUL or half a surrogate pair cannot be stored: the run that failed with one could never end.
    return text[:_LONGEST].encode(errors="replace").decode().replace("\x00", "\ufffd")
