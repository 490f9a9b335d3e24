"""Where it is kept how far the relay of a work item has come: beside the events that it led to."""

import msgspec

from hosting.domain.relayed import Relayed
from hosting.domain.scope import BranchScope
from hosting.domain.work_item import WorkItem, WorkItemId
from hosting.ports.units import KeepState
from hosting.runtime.core import Runtime

_DECODER = msgspec.json.Decoder(Relayed)


async def read_relayed(runtime: Runtime, item: WorkItem) -> Relayed:
    """Return how far the relay of an item's claim has come; what an earlier one relayed counts no more.

    Raises:
        StorageUnavailable: it cannot be read.
    """
    name = _name(item.id)
    kept = await runtime.run_reads.state(item.branch_key, item.scope, [name], of_branch=False)
    found = _DECODER.decode(kept[name]) if name in kept else Relayed()
    return found if found.claim == item.claim else Relayed(item.claim)


def keep_relayed(item: WorkItem, relayed: Relayed) -> KeepState:
    """Return the change that keeps it."""
    # With the session: what is kept with the branch is copied to its forks.
    return KeepState(item.scope, of_branch=False, name=_name(item.id), value=msgspec.json.encode(relayed))


def forget_relayed(scope: BranchScope, item_id: WorkItemId) -> KeepState:
    """Return the change that forgets it."""
    return KeepState(scope, of_branch=False, name=_name(item_id), value=None)


def _name(item_id: WorkItemId) -> str:
    return f"relay:{item_id}"
