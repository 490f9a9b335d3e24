"""What workers ask, and what came of it."""

from collections.abc import Collection
from datetime import timedelta
from typing import Final

from events.clarification import ClarificationRequest
from events.continuation import ContinuationRequest
from events.ids import is_client_id, is_name
from events.interactions import Request
from events.permissions import PermissionRequest
from hosting.domain.admission import NotTheOwner
from hosting.domain.errors import InvalidRequest
from hosting.domain.interaction import DECIDED, OF_A_WORKER, Interaction, InteractionState
from hosting.domain.run_config import RunConfig, check_stored_config
from hosting.domain.work_errors import QuestionMissing, QuestionRefused, WorkEnded, WorkItemMissing
from hosting.domain.work_item import Holding, WorkItem
from hosting.ports.agents import NO_LIMITS
from hosting.runtime.desk import Desk
from hosting.runtime.worker_questions import ask, hear
from hosting.services.fleet.core import Fleet

_USUALLY: Final = timedelta(hours=24)
_LONGEST: Final = timedelta(days=365)


async def ask_for_worker(fleet: Fleet, holding: Holding, request: Request) -> Interaction:
    """Ask a question of a worker's, unless it was asked before on its item, and return how it stands.

    Without a deadline of its own it waits as the run's configuration says, or a day.

    Raises:
        InvalidRequest: its id, source or deadline cannot be taken.
        QuestionRefused: it cannot be asked so.
        WorkItemMissing, NotTheOwner, WorkEnded, StorageUnavailable: as Desks.write.
    """
    _check(request)

    async def work(desk: Desk) -> None:
        known = await _known(fleet, desk.item, request.request_key)
        if known is None:
            within = _within(fleet, check_stored_config(desk.hand.lease.run.config), request)
            await ask(fleet.runtime, desk, request, within)
        elif known.request_type != fleet.runtime.serializer.catalog.name_of(type(request)):
            raise QuestionRefused(f"The request id {known.id!r:.140} is that of a {known.request_type}.")

    await fleet.desks.write(holding, work)
    item = await fleet.work.item(holding.tenant, holding.item_id)
    if item is None:
        raise WorkItemMissing
    return await question(fleet, item, request.request_key)


async def question(fleet: Fleet, item: WorkItem, request_id: str) -> Interaction:
    """Return how a question stands that a worker has asked; what it says is in the log by then.

    Raises:
        QuestionMissing: there is none.
        StorageUnavailable: the store cannot be used now.
    """
    known = await _known(fleet, item, request_id)
    if known is None:
        raise QuestionMissing
    if known.state is not InteractionState.OPEN:
        await hear_answers(fleet, [item])
    return known


async def hear_answers(fleet: Fleet, items: Collection[WorkItem]) -> None:
    """Write down what came of the questions of items that workers have, where that is not done.

    A worker is told nothing that is not in the log: then a call that may be made is one that readers know of.

    Raises:
        StorageUnavailable: some of it is not written down.
    """
    held = {item.run_id: item for item in items if item.state.is_held and item.worker_id is not None}
    unheard = {asked.run_id for asked in await fleet.inbox.unheard(held.values())}
    for run_id in unheard:
        await _hear(fleet, held[run_id])


async def _hear(fleet: Fleet, item: WorkItem) -> None:
    async def work(desk: Desk) -> None:
        # Looked at again: another server may have written it down just now.
        for settled in await fleet.inbox.unheard([item]):
            await hear(fleet.runtime, desk, settled)

    if item.worker_id is None:
        return
    try:
        await fleet.desks.write(Holding(item.scope.tenant, item.id, item.worker_id), work)
    except (NotTheOwner, WorkEnded, WorkItemMissing):
        # It was taken away meanwhile; whoever has it next is told.
        return


async def _known(fleet: Fleet, item: WorkItem, request_id: str) -> Interaction | None:
    """Return a question that a worker has asked about an item; another one with this id is refused elsewhere."""
    if not is_client_id(request_id):
        return None
    asked = await fleet.runtime.tenant(item.scope.tenant).interaction(item.branch_key, request_id)
    if asked is None or asked.run_id != item.run_id or not asked.place.startswith((OF_A_WORKER, DECIDED)):
        return None
    return asked


def _check(request: Request) -> None:
    if not is_client_id(request.request_key):
        raise InvalidRequest("The id of the request must be 1 to 128 of A-Z a-z 0-9 . _ ~ - and not . or ..")
    if not is_name(request.source_name) or not request.source_name:
        raise InvalidRequest("`sourceName` must not be empty - at `$.sourceName`.")
    if isinstance(request, PermissionRequest) and not (request.function_name and is_client_id(request.call_id)):
        raise InvalidRequest("`functionName` must not be empty, and `callId` be 1 to 128 of A-Z a-z 0-9 . _ ~ -")


def _within(fleet: Fleet, config: RunConfig, request: Request) -> timedelta:
    if request.expires_at is not None:
        within = request.expires_at - fleet.runtime.clock()
        if not timedelta() < within <= _LONGEST:
            raise InvalidRequest("`expiresAt` must be in the future, by a year at most - at `$.expiresAt`.")
        return within
    said = None
    if isinstance(request, PermissionRequest):
        said = config.permission_timeout or NO_LIMITS.permission_timeout
    elif isinstance(request, ClarificationRequest):
        said = config.clarification_timeout or NO_LIMITS.clarification_timeout
    elif isinstance(request, ContinuationRequest):
        said = config.continuation_timeout or NO_LIMITS.continuation_timeout
    return said or _USUALLY
