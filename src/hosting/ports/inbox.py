"""The door to the inboxes of work items: what whoever works on them is to hear."""

from collections.abc import Collection, Sequence
from typing import Protocol

from hosting.domain.inbox_message import InboxMessage
from hosting.domain.interaction import Interaction
from hosting.domain.work_item import WorkerId, WorkItem, WorkItemId


class Inbox(Protocol):
    """Messages by item, the oldest first.

    Directives and hook results come to be with the events of their run: see AddToRun and TellWorker in `ports.units`.

    Raises:
        StorageUnavailable: the store cannot be used now.
    """

    async def put(self, messages: Collection[InboxMessage]) -> None:
        """Add messages; one that is there already stays as it is, and one of an item that is gone is left out."""
        ...

    async def deliver(
        self, worker_id: WorkerId, items: Collection[WorkItem], *, most: int, with_turns: bool
    ) -> dict[WorkItemId, list[InboxMessage]]:
        """Hand over what was not heard yet of items that a worker has, and what is for this worker alone.

        Of each item the urgent ones come first, and the others only when there is none of those; at most so many.
        Without `with_turns`, directives stay: the worker asks for them by itself.
        """
        ...

    async def turn(self, item: WorkItem) -> InboxMessage | None:
        """Hand over the first directive that the claim of an item has not acknowledged, however often it was handed."""
        ...

    async def results(self, item: WorkItem, most: int) -> Sequence[InboxMessage]:
        """Return the first hook results that nobody has acknowledged."""
        ...

    async def message(self, item: WorkItem, message_id: str) -> InboxMessage | None:
        """Return a message of an item."""
        ...

    async def acknowledge(self, item: WorkItem, message_ids: Collection[str]) -> None:
        """Note that messages were heard by the claim that they were handed to; unknown ones are passed over."""
        ...

    async def unheard(self, items: Collection[WorkItem]) -> Sequence[Interaction]:
        """Return the settled questions of workers of which their items' inboxes know nothing yet."""
        ...

    async def untold(self, limit: int) -> Sequence[tuple[WorkItem, Sequence[InboxMessage]]]:
        """Return items that have ended, whose branches are free, with what users said that no worker was handed."""
        ...
