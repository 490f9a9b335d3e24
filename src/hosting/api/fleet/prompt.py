"""The route by which operators say something to whoever works on a session, or will."""

from typing import Annotated, Any

from litestar import Request, Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import UNSET, Meta, Struct, UnsetType

from hosting.api.bodies import MAX_BODY
from hosting.api.caller import Caller
from hosting.api.fleet.bodies import read_report
from hosting.api.fleet.holders import session_named
from hosting.api.once import once, shown
from hosting.api.openapi import answers, takes
from hosting.runtime.keyed import Keyed
from hosting.services.fleet.core import Fleet
from hosting.services.fleet.prompt import Prompted, prompt


class Prompt(Struct, frozen=True):
    """What an operator says."""

    prompt: Annotated[str, Meta(min_length=1)]


class PromptedView(Struct, frozen=True, kw_only=True, rename="camel"):
    """Where it went: `directive` to the worker that has the session, or `requeued` as the session that is named."""

    prompted: bool = True
    action: str
    session_id: str | UnsetType
    runtime_run_id: str
    message_id: str
    status: str

    @classmethod
    def of(cls, done: Prompted) -> "PromptedView":
        """Show where it went."""
        return cls(
            action=done.passed,
            session_id=done.item_id or UNSET,
            runtime_run_id=done.run_id,
            message_id=done.message_id,
            status=done.status,
        )


@post(
    "/api/public/sessions/{session_id:str}/prompt",
    status_code=200,
    request_max_body_size=MAX_BODY,
    opt=takes(Prompt),
    responses=answers(
        "work-session-not-found",
        "agent-not-found",
        "invalid-request",
        "queue-full",
        "payload-too-large",
        "unsupported-media-type",
        "not-ready",
        "idempotency-key-under-way",
        "idempotency-key-reused",
        "storage-unavailable",
    ),
)
async def post_public_prompt(
    session_id: FromPath[str],
    request: Request[Any, Any, Any],
    caller: NamedDependency[Caller],
    fleet: NamedDependency[Fleet],
) -> Response[PromptedView]:
    """Say something to the worker that has a session; one that nobody has is followed by another one, soon."""

    async def say(keyed: Keyed[Prompted] | None) -> Prompted:
        item = await session_named(fleet, caller.identity, session_id)
        said = await read_report(request, Prompt)
        return await prompt(fleet, item, said.prompt, keyed)

    return await once(request, caller, say, lambda prompted: shown(PromptedView.of(prompted)))
