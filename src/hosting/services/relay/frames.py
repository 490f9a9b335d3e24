"""Frames of tokens: pieces of what a worker's agent says, taken once each and in their order."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from hosting.domain.work_item import Holding
from hosting.ports.units import KeepState
from hosting.runtime.desk import Desk
from hosting.runtime.desks import Desks

MOST_AT_ONCE: Final = 200


@dataclass(frozen=True, slots=True)
class Frame:
    """A piece; indices grow within a turn, and the last piece of one is `done`."""

    index: int
    text: str
    done: bool = False


async def relay_frames(desks: Desks, holding: Holding, turn_id: str, frames: Sequence[Frame]) -> int:
    """Write what is new of a batch as one unit, and return how many frames that were.

    A frame at or below the last index of its turn was taken before; a gap is never waited for.

    Raises:
        WorkItemMissing, NotTheOwner, WorkEnded, StorageUnavailable: nothing of it is taken.
    """

    async def work(desk: Desk) -> int:
        return await _write(desk, turn_id, frames)

    return await desks.write(holding, work)


async def _write(desk: Desk, turn_id: str, frames: Sequence[Frame]) -> int:
    taken = await desk.relayed()
    last, new = taken.get(turn_id, -1), 0
    for frame in frames:
        if frame.index <= last:
            continue
        last, new = frame.index, new + 1
        if frame.text:
            await desk.say(frame.text)
        if frame.done:
            desk.end_message()
    if new:
        taken[turn_id] = last
        scope, name = desk.item.scope, desk.relay_state
        desk.hand.record(KeepState(scope, of_branch=True, name=name, value=msgspec.json.encode(taken)))
    return new
