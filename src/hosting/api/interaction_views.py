"""Questions and answers as clients see them."""

from datetime import datetime

from msgspec import Raw, Struct

from events.ids import AgentId, RunId
from events.interactions import ResponseOutcome
from events.position import Position
from hosting.api.caller import Caller
from hosting.domain.branch import Branch
from hosting.domain.interaction import Interaction
from hosting.runtime.respond import Responded


class InteractionView(Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """A question that waits for an answer; `request` is its event as it stands in the log."""

    request_id: str
    type: str
    expected_response_type: str
    runtime_run_id: RunId
    agent_id: AgentId
    requested_at: datetime
    expires_at: datetime | None = None
    position: str
    request: Raw


class RespondedView(Struct, frozen=True, kw_only=True, rename="camel"):
    """An accepted answer; `events/live?after=<position>` shows it and what comes of it."""

    request_id: str
    outcome: ResponseOutcome
    position: str

    @classmethod
    def of(cls, responded: Responded) -> "RespondedView":
        """Show an accepted answer."""
        return cls(request_id=responded.request_id, outcome=responded.outcome, position=str(responded.position))


async def interaction_views(caller: Caller, branch: Branch) -> list[InteractionView]:
    """Return a branch's open questions, oldest first, each with its event out of the log."""
    found = await caller.reads.open_interactions(branch.key)
    return [_view(branch, asked, await _request(caller, branch, asked)) for asked in found]


async def _request(caller: Caller, branch: Branch, asked: Interaction) -> bytes:
    async for page in caller.runtime.log.pages(branch.key, asked.seq - 1, asked.seq):
        return page.lines[0]
    return b"{}"


def _view(branch: Branch, asked: Interaction, request: bytes) -> InteractionView:
    return InteractionView(
        request_id=asked.id,
        type=asked.request_type,
        expected_response_type=asked.response_type,
        runtime_run_id=asked.run_id,
        agent_id=asked.agent_id,
        requested_at=asked.requested_at,
        expires_at=asked.expires_at,
        position=str(Position(branch.epoch, asked.seq)),
        request=Raw(request),
    )
