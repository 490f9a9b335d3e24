"""What is in the inbox of a session, and the route by which a worker says that it has it."""

from typing import Annotated, Any, Final

from litestar import Request, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import UNSET, Meta, Struct, UnsetType

from hosting.api.bodies import MAX_BODY
from hosting.api.caller import Caller
from hosting.api.fleet.bodies import read_report
from hosting.api.fleet.holders import session_named
from hosting.api.fleet.status import OF_A_REPORT
from hosting.api.openapi import answers, takes
from hosting.domain.admission import NotTheOwner
from hosting.domain.errors import InvalidRequest
from hosting.domain.identity import CallerKind
from hosting.domain.inbox_message import InboxMessage, Lane
from hosting.services.fleet.core import Fleet
from hosting.services.fleet.inbox import acknowledge

_LANES: Final = {lane.value: lane for lane in Lane}


class InboxView(Struct, frozen=True, kw_only=True, rename="camel"):
    """A message as workers of both dialects read it; `createdAt` is milliseconds since 1970."""

    id: str
    delivery_id: str
    type: str
    lane: str
    session_id: str
    payload: str
    user_id: str | UnsetType = UNSET
    user_name: str | UnsetType = UNSET
    created_at: int
    text: str
    kind: str
    turn_id: str | UnsetType = UNSET

    @classmethod
    def of(cls, message: InboxMessage) -> "InboxView":
        """Show a message."""
        return cls(
            id=message.id,
            delivery_id=message.id,
            type=message.type,
            lane=message.lane,
            session_id=message.item_id,
            payload=message.payload,
            user_id=message.user_id or UNSET,
            user_name=message.user_name or UNSET,
            created_at=int(message.created_at.timestamp() * 1000),
            text=message.text,
            kind=message.kind,
            turn_id=message.turn_id or UNSET,
        )


class Acknowledgement(Struct, frozen=True, kw_only=True, rename="camel"):
    """Which message a worker has heard."""

    message_id: Annotated[str, Meta(min_length=1, max_length=200)]
    lane: str
    worker_id: str | None = None


class Acknowledged(Struct, frozen=True):
    """It is noted, and the message is not handed to this worker again."""

    acknowledged: bool = True


@post(
    "/api/sessions/{session_id:str}/inbox/ack",
    status_code=200,
    request_max_body_size=MAX_BODY,
    opt=takes(Acknowledgement),
    responses=answers(*OF_A_REPORT, "inbox-message-not-found"),
)
async def post_ack(
    session_id: FromPath[str],
    request: Request[Any, Any, Any],
    caller: NamedDependency[Caller],
    fleet: NamedDependency[Fleet],
) -> Acknowledged:
    """Note that a message was heard; its worker may say so also when the session has ended."""
    item = await session_named(fleet, caller.identity, session_id)
    said = await read_report(request, Acknowledgement)
    lane = _LANES.get(said.lane)
    if lane is None:
        raise InvalidRequest("`lane` must be urgent or normal - at `$.lane`.")
    worker_id = caller.identity.worker_id if caller.identity.kind is CallerKind.WORKER else None
    if any(each not in {None, "", item.worker_id} for each in (worker_id, said.worker_id)):
        raise NotTheOwner
    await acknowledge(fleet, item, said.message_id, lane)
    return Acknowledged()
