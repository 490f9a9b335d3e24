"""Frames of tokens: pieces of what a worker's agent says, taken once each and in their order."""

from collections.abc import Sequence
from typing import Final

from events.work import InterviewCompleted
from hosting.domain.relayed import Batch, Frame
from hosting.domain.work_item import Holding, WorkReport
from hosting.runtime.desk import Desk
from hosting.runtime.desks import Desks

MOST_AT_ONCE: Final = 200
GAP: Final = "gap"
"""The activity that tells readers that pieces are missing."""


async def relay_frames(desks: Desks, holding: Holding, turn_id: str, frames: Sequence[Frame]) -> int:
    """Write what is new of a batch as one unit, and return how many frames that were.

    A frame at or below the last index of its turn was taken before, or is too late; so is all of a turn that another
    has followed. A gap is told, and never waited for.

    Raises:
        WorkItemMissing, NotTheOwner, WorkEnded, StorageUnavailable: nothing of it is taken.
        MessageTooLong: likewise.
    """

    async def work(desk: Desk) -> int:
        return await _write(desk, turn_id, frames)

    return await desks.write(holding, work)


async def _write(desk: Desk, turn_id: str, frames: Sequence[Frame]) -> int:
    relayed = await desk.relayed()
    turn = relayed.of_turn(turn_id)
    batch = None if turn is None else turn.take(frames)
    if batch is None or not batch.taken:
        return 0
    if turn is relayed:
        desk.check_room(_more(batch.taken))
    else:
        desk.end_message()
    if batch.missing:
        _tell_gap(desk, turn_id, batch)
    for frame in batch.taken:
        if frame.text:
            await desk.say(frame.text, turn_id, frame.index)
        if frame.done:
            desk.end_message()
    if batch.ends_interview:
        desk.update(None, WorkReport(is_interview_over=True))
        desk.put(InterviewCompleted(work_item_id=desk.item.id))
    # In the unit of the events: what was said is told from what was not, wherever the server stops.
    desk.keep_relayed(batch.after)
    return len(batch.taken)


def _more(frames: Sequence[Frame]) -> int:
    """Return how many bytes these add to the message that is being written; those behind its end begin another."""
    size = 0
    for frame in frames:
        size += len(frame.text.encode())
        if frame.done:
            break
    return size


def _tell_gap(desk: Desk, turn_id: str, batch: Batch) -> None:
    details = {"turnId": turn_id, "missing": batch.missing, "before": batch.taken[-1].index}
    desk.tell(GAP, f"{batch.missing} pieces of {turn_id} were not relayed.", details)
