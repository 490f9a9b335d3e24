"""The layer that decides what the world may learn of a failure."""

import asyncio
from typing import Final

import structlog

from events.tools import ToolResult
from middleware.errors import (
    PRIVATE,
    AgentError,
    LeftToClient,
    ModelFailed,
    PermissionNeeded,
    RunBroken,
    ToolFailed,
    TurnFailed,
    TurnStopped,
    Withdrawn,
    sentence_of,
)
from middleware.pipeline import ToolCall, TurnContext, Work

_NOT_FAILURES: Final = (Withdrawn, PermissionNeeded, LeftToClient)

_log = structlog.get_logger("branchline.turn")


class ErrorFormatting:
    """Turns every failure into one that can be told: an AgentError by its sentence, any other only by its type.

    Texts of other exceptions hold paths, keys and addresses; they go to the log of the server alone, unless those of
    tools are wanted `detailed`.
    """

    def __init__(self, *, detailed: bool = False) -> None:
        self._detailed = detailed

    async def around_turn(self, context: TurnContext, turn: Work[None]) -> None:
        """See TurnLayer.around_turn.

        Raises:
            TurnFailed: the agent failed.
        """
        try:
            await turn()
        except (Withdrawn, TurnStopped, TurnFailed, asyncio.CancelledError):
            # A turn inside of this one has failed, and the run with it.
            raise
        except ToolFailed as error:
            # An agent that this one let work has failed; its sentence is fit to be told already.
            raise TurnFailed(error.error_type, error.message, is_retryable=error.is_retryable) from error
        except AgentError as error:
            message = sentence_of(error, PRIVATE.format(what="The agent"))
            kind, broken = type(error).__name__, isinstance(error, RunBroken)
            category = error.category if isinstance(error, ModelFailed) else None
            raise TurnFailed(
                kind, message, is_retryable=error.is_retryable, breaks_run=broken, category=category
            ) from error
        except BaseException as error:
            # An agent's sys.exit() ends its run; let through, it would end the server, and each one that takes it up.
            _log.exception("an agent failed")
            message = PRIVATE.format(what="The agent")
            raise TurnFailed(type(error).__name__, message, is_retryable=False) from error

    async def around_tool_call(self, call: ToolCall, work: Work[ToolResult]) -> ToolResult:
        """See ToolLayer.around_tool_call.

        Raises:
            ToolFailed: the tool failed.
        """
        private = PRIVATE.format(what=f"The tool {call.name}")
        try:
            return await work()
        except (*_NOT_FAILURES, RunBroken, TurnStopped, TurnFailed, ToolFailed, asyncio.CancelledError, GeneratorExit):
            # An agent inside of the tool has failed: that is told already, and whether trying again may help.
            raise
        except AgentError as error:
            message = sentence_of(error, private)
            raise ToolFailed(type(error).__name__, message, is_retryable=error.is_retryable) from error
        except BaseException as error:
            # A tool's sys.exit() ends its call; let through, it would end the server.
            _log.exception("a tool failed", tool=call.name)
            is_failure = isinstance(error, Exception)
            message = sentence_of(error, private) if is_failure and self._detailed else private
            raise ToolFailed(type(error).__name__, message, is_retryable=is_failure) from error
