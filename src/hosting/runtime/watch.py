"""Looking now and then at what others did to the runs of this node, and at what only time does."""

import asyncio

import structlog

from events.interactions import AgentRequestExpired
from events.serializer import Stamp
from hosting.domain.errors import StorageUnavailable
from hosting.domain.interaction import Interaction, InteractionState
from hosting.ports.store import Watch
from hosting.ports.units import SettleInteraction, Unit
from hosting.runtime.core import Runtime

_log = structlog.get_logger("branchline.watch")

_AT_ONCE = 256


async def watch_interactions(runtime: Runtime, watch: Watch, *, every_seconds: float) -> None:
    """Expire questions that nobody answered, and wake whoever waits here for what came by another server.

    Runs until cancelled. Every server does this for all runs, also for those that nobody holds.
    """
    while True:
        await asyncio.sleep(every_seconds)
        try:
            await _look(runtime, watch)
        except StorageUnavailable as error:
            _log.warning("cannot look after questions", why=error.why)


async def _look(runtime: Runtime, watch: Watch) -> None:
    for overdue in await watch.overdue(_AT_ONCE):
        await expire(runtime, overdue)
    awaited, held = runtime.wakes.awaited(), runtime.wakes.held()
    if awaited:
        for request_id in await watch.settled_among(awaited):
            runtime.wakes.settled(request_id)
    if held:
        for interrupt in await watch.interrupts(held):
            runtime.wakes.interrupted(interrupt)


async def expire(runtime: Runtime, overdue: Interaction) -> None:
    """Settle a question as expired, unless an answer was first."""
    scope, now = overdue.scope, runtime.clock()
    expired = AgentRequestExpired(
        request_id=overdue.id,
        source_name=overdue.source_name,
        request_event_type=overdue.request_type,
        expired_at=now,
    )
    stamp = Stamp(scope.session_id, scope.branch_id).at(now)
    unit = Unit(
        scope.tenant,
        overdue.branch_key,
        overdue.run_id,
        changes=[SettleInteraction(overdue.id, InteractionState.EXPIRED)],
        events=[runtime.serializer.encode(expired, stamp)],
    )
    await runtime.writer.append_to(unit)
    runtime.wakes.settled(overdue.id)
