"""Where a stream starts."""

from events.control import ResetReason
from hosting.domain.branch import Branch
from hosting.ports.store import TenantReads
from hosting.runtime.follow import start_of


async def find_start(
    reads: TenantReads, branch: Branch, head: int, asked: str | None
) -> tuple[int, ResetReason | None]:
    """Return the cursor to follow from: what was asked for, else the head, or before the oldest question if one waits.

    With it comes why it is not the position that was asked for, if it is not. `head` was read by an open follower.

    Raises:
        StorageUnavailable: the questions cannot be read.
    """
    if asked:
        return start_of(branch, head, asked)
    # After the head: one that is asked between the two looks is in the list or comes live, one that is answered in
    # between is seen answered or needs no answer any more.
    waiting = await reads.open_interactions(branch.key)
    return min([head, *(question.seq - 1 for question in waiting)]), None
