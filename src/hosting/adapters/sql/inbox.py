"""The inboxes of work items on SQL."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final

from sqlalchemy import BindParameter, Connection, Integer, and_, bindparam, func, literal_column, or_, select, update

from events.runs import RunStatus
from hosting.adapters.sql.dialect import insert_if_absent
from hosting.adapters.sql.fleet_tables import inbox_messages, work_items
from hosting.adapters.sql.inbox_rows import UNTOLD, inbox_row, to_inbox_message
from hosting.adapters.sql.interactions import INTERACTIONS, to_interaction
from hosting.adapters.sql.reading import Reading, rows
from hosting.adapters.sql.tables import interactions, runs
from hosting.adapters.sql.transactor import Transactor
from hosting.adapters.sql.work_items import ITEMS, to_item
from hosting.domain.inbox_message import InboxMessage, InboxType, Lane
from hosting.domain.interaction import OF_A_WORKER, Interaction, InteractionState
from hosting.domain.work_item import ENDED, WorkerId, WorkItem, WorkItemId

_AT_ONCE: Final = 1000
_M: Final = inbox_messages.c
_IDS: Final[BindParameter[Any]] = bindparam("ids", expanding=True)

_IS_DIRECTIVE: Final = _M.type == InboxType.DIRECTIVE
_UNDELIVERED: Final = func.coalesce(_M.delivered_claim, 0) < work_items.c.claim
# Whoever begins anew has heard nothing of what the one before was told.
_UNACKED: Final = or_(_M.acked_claim.is_(None), and_(_IS_DIRECTIVE, _M.acked_claim < work_items.c.claim))
_OPEN: Final = (
    select(inbox_messages)
    .join(work_items, work_items.c.id == _M.item_id)
    .where(
        work_items.c.worker_id == bindparam("worker"),
        or_(_M.worker_id == bindparam("worker"), and_(_M.worker_id.is_(None), _M.item_id.in_(_IDS))),
        _UNDELIVERED,
        _UNACKED,
    )
    .order_by(_M.number)
    .limit(_AT_ONCE)
)
_OPEN_BUT_TURNS: Final = _OPEN.where(~_IS_DIRECTIVE)
_CLAIM: Final = (
    select(work_items.c.claim)
    .where(work_items.c.id == _M.item_id, work_items.c.worker_id == bindparam("worker"))
    .scalar_subquery()
)
# The condition says it again: two polls of one worker at once, or a new worker, must not both be handed a message.
_HAND: Final = (
    update(inbox_messages)
    .where(_M.id.in_(_IDS), func.coalesce(_M.delivered_claim, 0) < _CLAIM)
    .values(delivered_claim=_CLAIM)
    .returning(_M.id)
)
_OF_ITEM: Final = select(inbox_messages).where(_M.item_id == bindparam("item")).order_by(_M.number)
_TURN: Final = _OF_ITEM.where(_IS_DIRECTIVE, func.coalesce(_M.acked_claim, 0) < bindparam("claim")).limit(1)
_RESULTS: Final = _OF_ITEM.where(_M.type == InboxType.HOOK_RESULT, _M.acked_claim.is_(None))
_MESSAGE: Final = _OF_ITEM.where(_M.id == bindparam("message"))
_ACKNOWLEDGE: Final = (
    update(inbox_messages)
    .where(_M.item_id == bindparam("item"), _M.id.in_(_IDS))
    .values(acked_claim=func.coalesce(_M.delivered_claim, bindparam("claim")))
)
_ITEMS: Final = (
    select(work_items.c.id, work_items.c.tenant)
    .where(work_items.c.id.in_(_IDS))
    .order_by(work_items.c.number)
    .with_for_update()
)
_HEARD: Final = (
    select(_M.id)
    .join(work_items, work_items.c.id == _M.item_id)
    .where(work_items.c.run_id == interactions.c.run_id, _M.request_id == interactions.c.id)
)
_UNHEARD: Final = INTERACTIONS.where(
    interactions.c.run_id.in_(bindparam("runs", expanding=True)),
    interactions.c.state != InteractionState.OPEN,
    interactions.c.place.startswith(OF_A_WORKER, autoescape=True),
    ~_HEARD.exists(),
).order_by(interactions.c.seq)

_BUSY: Final = (
    select(runs.c.id)
    .where(runs.c.branch_key == work_items.c.branch_key, runs.c.status == literal_column(f"'{RunStatus.ACTIVE}'"))
    .exists()
)
_LEFT: Final = (
    ITEMS.where(work_items.c.id.in_(select(_M.item_id).where(UNTOLD)), work_items.c.state.in_(ENDED), ~_BUSY)
    .order_by(work_items.c.number)
    .limit(bindparam("most", type_=Integer))
)
_LEFT_WORDS: Final = (
    select(inbox_messages).where(_M.item_id.in_(bindparam("items", expanding=True)), UNTOLD).order_by(_M.number)
)


class SqlInbox:
    """See the door, Inbox."""

    def __init__(self, transactor: Transactor, reading: Reading) -> None:
        self._transactor = transactor
        self._reading = reading

    async def put(self, messages: Collection[InboxMessage]) -> None:
        """See Inbox.put."""
        if messages:
            await self._transactor.run(lambda connection: _put(connection, messages))

    async def deliver(
        self, worker_id: WorkerId, items: Collection[WorkItem], *, most: int, with_turns: bool
    ) -> dict[WorkItemId, list[InboxMessage]]:
        """See Inbox.deliver."""
        given = {"worker": worker_id, "ids": sorted(item.id for item in items)}
        # Looked at first: most polls find nothing, and need no transaction.
        found = await rows(self._reading, _OPEN if with_turns else _OPEN_BUT_TURNS, **given)
        chosen = _chosen(map(to_inbox_message, found), most)
        if not chosen:
            return {}
        wanted = {"worker": worker_id, "ids": sorted(message.id for message in chosen)}
        handed = await self._transactor.run(lambda connection: set(connection.scalars(_HAND, wanted)))
        return _by_item(message for message in chosen if message.id in handed)

    async def turn(self, item: WorkItem) -> InboxMessage | None:
        """See Inbox.turn."""
        found = await rows(self._reading, _TURN, item=item.id, claim=item.claim)
        if not found:
            return None
        if found[0].delivered_claim != item.claim:
            given = {"worker": item.worker_id, "ids": [found[0].id]}
            await self._transactor.run(lambda connection: connection.execute(_HAND, given).all())
        return to_inbox_message(found[0])

    async def results(self, item: WorkItem, most: int) -> Sequence[InboxMessage]:
        """See Inbox.results."""
        return [to_inbox_message(row) for row in await rows(self._reading, _RESULTS.limit(most), item=item.id)]

    async def message(self, item: WorkItem, message_id: str) -> InboxMessage | None:
        """See Inbox.message."""
        found = await rows(self._reading, _MESSAGE, item=item.id, message=message_id)
        return next(map(to_inbox_message, found), None)

    async def acknowledge(self, item: WorkItem, message_ids: Collection[str]) -> None:
        """See Inbox.acknowledge."""
        given = {"item": item.id, "claim": item.claim, "ids": sorted(message_ids)}
        await self._transactor.run(lambda connection: connection.execute(_ACKNOWLEDGE, given))

    async def unheard(self, items: Collection[WorkItem]) -> Sequence[Interaction]:
        """See Inbox.unheard."""
        if not items:
            return []
        found = await rows(self._reading, _UNHEARD, runs=sorted(item.run_id for item in items))
        return [to_interaction(row) for row in found]

    async def untold(self, limit: int) -> Sequence[tuple[WorkItem, Sequence[InboxMessage]]]:
        """See Inbox.untold."""
        items = [to_item(row) for row in await rows(self._reading, _LEFT, most=limit)]
        if not items:
            return []
        found = await rows(self._reading, _LEFT_WORDS, items=sorted(item.id for item in items))
        words = _by_item(map(to_inbox_message, found))
        return [(item, words[item.id]) for item in items if item.id in words]


def _put(connection: Connection, messages: Collection[InboxMessage]) -> None:
    # Locked, or an item that is deleted at the same time would leave a message without one, which is refused.
    ids = {"ids": sorted(message.item_id for message in messages)}
    tenants = {row.id: row.tenant for row in connection.execute(_ITEMS, ids)}
    added = insert_if_absent(connection.dialect.name, inbox_messages)
    there = [inbox_row(tenants[each.item_id], each) for each in messages if each.item_id in tenants]
    if there:
        connection.execute(added, there)


def _chosen(found: Iterable[InboxMessage], most: int) -> list[InboxMessage]:
    """Return the first messages of each item: of its urgent lane, or else of the other one."""
    lanes: dict[WorkItemId, dict[Lane, list[InboxMessage]]] = defaultdict(lambda: defaultdict(list))
    for message in found:
        lanes[message.item_id][message.lane].append(message)
    return [message for each in lanes.values() for message in (each.get(Lane.URGENT) or each[Lane.NORMAL])[:most]]


def _by_item(messages: Iterable[InboxMessage]) -> dict[WorkItemId, list[InboxMessage]]:
    inboxes: dict[WorkItemId, list[InboxMessage]] = defaultdict(list)
    for message in messages:
        inboxes[message.item_id].append(message)
    return dict(inboxes)
