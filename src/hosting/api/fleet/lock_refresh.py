"""The route by which a worker shows that it is at a session, and hears what it is to know."""

from typing import Annotated, Any

import msgspec
from litestar import Request, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from hosting.api.bodies import MAX_BODY
from hosting.api.caller import Caller
from hosting.api.fleet.bodies import read_report
from hosting.api.fleet.holders import holder_of
from hosting.api.fleet.status import OF_A_REPORT
from hosting.api.openapi import answers, takes
from hosting.domain.identity import CallerKind
from hosting.domain.inbox_message import InboxMessage
from hosting.services.fleet.core import Fleet
from hosting.services.fleet.lock_refresh import Refreshed, refresh_lock

_Id = Annotated[str, Meta(max_length=200)]


class LockRefresh(Struct, frozen=True, kw_only=True, rename="camel"):
    """Who is at a session; `ackedInject` is what was heard, and an empty `issueId` that of a session without one."""

    worker_id: str | None = None
    issue_id: str | None = None
    acked_inject: _Id | Annotated[tuple[_Id, ...], Meta(max_length=100)] | None = None


class InjectView(Struct, frozen=True, kw_only=True, rename="camel"):
    """What a user says to the agent; it comes again until its `deliveryId` is acknowledged."""

    delivery_id: str
    text: str
    kind: str
    turn_id: str | UnsetType = UNSET


class AnswerView(Struct, frozen=True, kw_only=True, rename="camel"):
    """What came of a question; it comes again until its `deliveryId` is acknowledged."""

    delivery_id: str
    request_id: str
    state: str
    response: Raw | UnsetType = UNSET


class LockView(Struct, frozen=True, kw_only=True):
    """Whether the session is the worker's still, and what it is to hear."""

    refreshed: bool
    stop: bool | UnsetType = UNSET
    inject: InjectView | UnsetType = UNSET
    interactions: list[AnswerView] | UnsetType = UNSET

    @classmethod
    def of(cls, found: Refreshed) -> "LockView":
        """Show what was found; what there is nothing of is left out."""
        return cls(
            refreshed=found.is_owner,
            stop=True if found.stop else UNSET,
            inject=UNSET if found.inject is None else _inject(found.inject),
            interactions=[_answer(each) for each in found.results] or UNSET,
        )


@post(
    "/api/sessions/{session_id:str}/lock-refresh",
    status_code=200,
    request_max_body_size=MAX_BODY,
    opt=takes(LockRefresh),
    responses=answers(*OF_A_REPORT),
)
async def post_lock_refresh(
    session_id: FromPath[str],
    request: Request[Any, Any, Any],
    caller: NamedDependency[Caller],
    fleet: NamedDependency[Fleet],
) -> LockView:
    """Prolong a worker's hold of its session; `refreshed` is false only when the session is not its own any more."""
    said = await read_report(request, LockRefresh)
    holding = await holder_of(fleet, caller.identity, session_id, said.worker_id)
    acked = (said.acked_inject,) if isinstance(said.acked_inject, str) else said.acked_inject or ()
    # Others are handed what users say with the poll, and would be told of it twice.
    with_turns = caller.identity.kind is CallerKind.WORKER
    return LockView.of(await refresh_lock(fleet, holding, [each for each in acked if each], with_turns=with_turns))


def _inject(message: InboxMessage) -> InjectView:
    return InjectView(delivery_id=message.id, text=message.text, kind=message.kind, turn_id=message.turn_id or UNSET)


def _answer(message: InboxMessage) -> AnswerView:
    told = msgspec.json.decode(message.payload, type=dict[str, Raw])
    return AnswerView(
        delivery_id=message.id,
        request_id=msgspec.json.decode(told["requestId"], type=str),
        state=msgspec.json.decode(told["state"], type=str),
        response=told.get("response", UNSET),
    )
