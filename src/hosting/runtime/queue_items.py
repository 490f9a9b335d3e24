"""The queue as clients see it."""

from collections.abc import Iterable
from typing import Final

from events.queue import QueueItem
from hosting.domain.queued import QueuedRun

_LONGEST_TEXT: Final = 200


def queue_items(waiting: Iterable[QueuedRun]) -> tuple[QueueItem, ...]:
    """Return the runs that wait, the next one first."""
    return tuple(
        QueueItem(
            runtime_run_id=queued.run.id,
            message_id=queued.run.message_id,
            text=queued.messages[-1].text[:_LONGEST_TEXT],
            queued_at=queued.queued_at,
            queued_position=position,
        )
        for position, queued in enumerate(waiting, 1)
    )
