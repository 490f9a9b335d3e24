"""The events that belong to one connection and are in no log, whatever carries them."""

from datetime import datetime
from typing import Final

from events.control import CloseReason, ResetReason, StreamClosing, StreamReset
from events.event import Event
from events.interactions import AgentResponseRejected, Response
from events.position import Position
from events.serializer import Stamp
from events.turns import MessageTurnError
from hosting.domain.branch import Branch
from hosting.domain.errors import ResponseRefused
from hosting.runtime.core import Runtime

_SHOWN_OF_REQUEST: Final = 100


class ControlFrames:
    """Writes what a stream of one branch says about itself, as bytes without a place."""

    def __init__(self, runtime: Runtime, branch: Branch) -> None:
        self._runtime = runtime
        self._scope = branch.scope

    def reset(self, reason: ResetReason, requested: str | None, place: Position, *, trimmed: int) -> bytes:
        """Say that the position asked for cannot be followed from, and that the stream goes on from `place`.

        `trimmed` is the number of the last event that the log has lost.
        """
        return self._encode(
            StreamReset(
                reason=reason,
                requested=(requested or "")[:_SHOWN_OF_REQUEST],
                earliest=str(Position(place.epoch, trimmed)),
                latest=str(place),
            )
        )

    def broken(self) -> bytes:
        """Say that the stream broke on the server; `closing` follows."""
        return self._encode(
            MessageTurnError(
                message="The stream broke on the server; come back from the last event you have.",
                error_type="StreamError",
                is_retryable=True,
            )
        )

    def closing(self, reason: CloseReason, retry_ms: int | None) -> bytes:
        """Say that the stream ends here, and when to come back, unless there is nothing to come back to."""
        return self._encode(StreamClosing(reason=reason, retry_ms=retry_ms))

    def rejected(self, response: Response, refused: ResponseRefused) -> bytes:
        """Say that an answer was not taken, and why."""
        now = self._runtime.clock()
        return self._encode(
            AgentResponseRejected(
                request_id=refused.request_id,
                response_event_type=self._runtime.serializer.catalog.name_of(type(response)),
                outcome=refused.outcome,
                rejected_at=now,
            ),
            now,
        )

    def _encode(self, event: Event, now: datetime | None = None) -> bytes:
        stamp = Stamp(self._scope.session_id, self._scope.branch_id).at(now or self._runtime.clock())
        return self._runtime.serializer.encode_unplaced(event, stamp)
