"""The route that the words of workers come in by."""

from typing import Annotated, Any, Final

from litestar import Request, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Meta, Struct

from hosting.api.bodies import MAX_BODY
from hosting.api.caller import Caller
from hosting.api.fleet.bodies import read_report
from hosting.api.fleet.holders import holder_or_any
from hosting.api.openapi import answers, takes
from hosting.domain.relayed import Frame
from hosting.services.fleet.core import Fleet
from hosting.services.relay.frames import MOST_AT_ONCE, relay_frames

_HIGHEST: Final = 2**53 - 1


class FrameSaid(Struct, frozen=True):
    """A piece of what an agent says."""

    index: Annotated[int, Meta(ge=0, le=_HIGHEST)]
    text: str = ""
    done: bool = False


class TokenDelta(Struct, frozen=True, kw_only=True, rename="camel"):
    """A batch of pieces of one turn."""

    turn_id: Annotated[str, Meta(min_length=1, max_length=200)]
    frames: Annotated[list[FrameSaid], Meta(max_length=MOST_AT_ONCE)]
    worker_id: str | None = None


@post(
    "/api/sessions/{session_id:str}/token-delta",
    status_code=200,
    request_max_body_size=MAX_BODY,
    opt=takes(TokenDelta),
    responses=answers(
        "work-session-not-found",
        "session-not-owned",
        "work-session-ended",
        "invalid-request",
        "payload-too-large",
        "unsupported-media-type",
        "storage-unavailable",
    ),
)
async def post_token_delta(
    session_id: FromPath[str],
    request: Request[Any, Any, Any],
    caller: NamedDependency[Caller],
    fleet: NamedDependency[Fleet],
) -> dict[str, int]:
    """Take a batch of pieces, whole or not at all; `published` says how many were new."""
    said = await read_report(request, TokenDelta)
    holding = await holder_or_any(fleet, caller.identity, session_id, said.worker_id)
    frames = [Frame(frame.index, frame.text, frame.done) for frame in said.frames]
    return {"published": await relay_frames(fleet.desks, holding, said.turn_id, frames)}
