"""Routes that workers ask users something by."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Final

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from events.client_tools import ClientToolInvokeRequest
from events.event import Event
from events.interactions import Request as Question
from events.serializer import EnvelopeRefused
from hosting.api.bodies import MAX_BODY
from hosting.api.caller import Caller
from hosting.api.fleet.bodies import read_report, report_text
from hosting.api.fleet.holders import holder_of, session_named
from hosting.api.fleet.status import OF_A_REPORT
from hosting.api.openapi import answers, takes
from hosting.domain.admission import NotTheOwner
from hosting.domain.errors import InvalidRequest
from hosting.domain.identity import CallerKind
from hosting.domain.interaction import Interaction
from hosting.domain.sentences import plain_sentence
from hosting.services.fleet.core import Fleet
from hosting.services.fleet.interactions import ask_for_worker, question

_SOURCE: Final = "Worker"
_OF_THE_LOG: Final = frozenset(field.encode_name for field in msgspec.structs.fields(Event))
_NOT_ASKED: Final = _OF_THE_LOG | {"version", "type", "workerId"}


class Asking(Struct, frozen=True, kw_only=True, rename="camel"):
    """A question, as the envelope of its event: the other members are those of its `type`."""

    type: Annotated[str, Meta(min_length=1, max_length=100)]
    worker_id: str | None = None


class QuestionView(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """How a question stands: `open`, `answered`, `expired` or `cancelled`; `response` is the answer's envelope."""

    request_id: str
    type: str
    state: str
    requested_at: datetime
    expires_at: datetime | None = None
    response: Raw | UnsetType = UNSET

    @classmethod
    def of(cls, asked: Interaction) -> "QuestionView":
        """Show a question."""
        return cls(
            request_id=asked.id,
            type=asked.request_type,
            state=asked.state,
            requested_at=asked.requested_at,
            expires_at=asked.expires_at,
            response=UNSET if asked.response is None else Raw(asked.response),
        )


@post(
    "/api/sessions/{session_id:str}/interactions",
    status_code=200,
    request_max_body_size=MAX_BODY,
    opt=takes(Asking),
    media_type="application/json",
    responses=answers(*OF_A_REPORT, "work-session-ended", "question-refused"),
)
async def post_interaction(
    session_id: FromPath[str],
    request: Request[Any, Any, Any],
    caller: NamedDependency[Caller],
    fleet: NamedDependency[Fleet],
) -> Response[QuestionView]:
    """Ask whoever uses the agent; the same id again is the same question, and brings what came of it."""
    said = await read_report(request, Asking)
    asked = _question(caller, msgspec.json.decode(await report_text(request), type=dict[str, Raw]), said.type)
    holding = await holder_of(fleet, caller.identity, session_id, said.worker_id)
    return Response(QuestionView.of(await ask_for_worker(fleet, holding, asked)))


@get(
    "/api/sessions/{session_id:str}/interactions/{request_id:str}",
    media_type="application/json",
    responses=answers("work-session-not-found", "session-not-owned", "question-not-found", "storage-unavailable"),
)
async def get_interaction(
    session_id: FromPath[str],
    request_id: FromPath[str],
    caller: NamedDependency[Caller],
    fleet: NamedDependency[Fleet],
) -> Response[QuestionView]:
    """Return how a question of a session stands; a worker's token shows those of its own sessions alone."""
    item = await session_named(fleet, caller.identity, session_id)
    if caller.identity.kind is CallerKind.WORKER and caller.identity.worker_id != item.worker_id:
        raise NotTheOwner
    return Response(QuestionView.of(await question(fleet, item, request_id)))


def _question(caller: Caller, members: Mapping[str, Raw], kind: str) -> Question:
    """Build a question of what a worker may say of one; an id or a source that it leaves out is given by us."""
    serializer, ids = caller.runtime.serializer, caller.runtime.ids
    cls = serializer.catalog.named(kind)
    if cls is None or not issubclass(cls, Question) or issubclass(cls, ClientToolInvokeRequest):
        raise InvalidRequest("`type` must be that of a question, like PERMISSION_REQUEST - at `$.type`.")
    given = {name: value for name, value in members.items() if name not in _NOT_ASKED}
    ours = {"sourceName": _SOURCE, msgspec.structs.fields(cls)[_place(cls)].encode_name: ids.request()}
    if "callId" in {field.encode_name for field in msgspec.structs.fields(cls)}:
        ours["callId"] = ids.call()
    try:
        asked = serializer.decode(msgspec.json.encode({"type": serializer.catalog.name_of(cls), **ours, **given}))
    except EnvelopeRefused as error:
        raise InvalidRequest(plain_sentence(str(error).removesuffix("."))) from error
    if not isinstance(asked, Question):
        raise InvalidRequest("`type` must be that of a question - at `$.type`.")
    return asked


def _place(cls: type[Question]) -> int:
    return [field.name for field in msgspec.structs.fields(cls)].index(cls.id_member)
