"""Forking: a branch comes to be as a copy of another one's messages, in one unit with both logs."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from events.event import Event
from events.ids import MessageId
from events.serializer import Encoded, Stamp
from events.tree import BranchForked
from hosting.domain.branch import Branch
from hosting.domain.errors import BranchExists, BranchMissing, ForkMessageMissing
from hosting.domain.message import Message, first_user_text
from hosting.domain.scope import BranchScope
from hosting.domain.tree import depths
from hosting.ports.units import AddFork, Committed, Refusal, Unit
from hosting.runtime.core import Runtime
from hosting.runtime.messages import message_events
from hosting.runtime.new_branch import NewBranch, branch_created, new_branch
from hosting.runtime.tree_events import telling_tree

_TOO_MANY_FOR_THE_LOOP: Final = 200


async def fork_branch(runtime: Runtime, source: Branch, message_id: MessageId, new: NewBranch) -> Branch:
    """Copy a branch up to and with a message that has ended, also while a run goes on there.

    The copy owns its log and its messages, which keep their ids; what happens to the source later does not touch it.

    Raises:
        ForkMessageMissing: the source has no such message, or it has not ended.
        BranchExists: the new id is taken.
        BranchMissing: the source is gone.
        StorageUnavailable: nothing was stored.
    """
    # They have ended: whatever happens before the unit is written, these do not change.
    read = await runtime.tenant(source.scope.tenant).messages_until(source.key, message_id)
    if not read:
        raise ForkMessageMissing(source.scope.branch_id, message_id)
    messages = tuple(replace(message, run_id=None) for message in read)
    scope = BranchScope(source.scope.tenant, source.scope.session_id, new.branch_id or runtime.ids.branch())
    fork = replace(
        new_branch(runtime, scope, new),
        message_count=len(messages),
        first_user_text=first_user_text(messages),
        forked_from=source.scope.branch_id,
        forked_at_message_id=message_id,
        forked_at_message_index=len(messages) - 1,
        ancestors=(*source.ancestors, source.scope.branch_id),
    )
    log = await _log_of(runtime, fork, messages)
    fork = replace(fork, head=len(log))
    unit = Unit(scope.tenant, source.key)
    unit.changes.append(AddFork(fork, messages, log, telling_tree(runtime, fork.created_at)))
    outcome = await runtime.writer.append_to(unit)
    if outcome is Refusal.BRANCH_EXISTS:
        raise BranchExists(scope.session_id, scope.branch_id)
    if not isinstance(outcome, Committed):
        raise BranchMissing(scope.session_id, source.scope.branch_id)
    return fork


async def _log_of(runtime: Runtime, fork: Branch, messages: Sequence[Message]) -> tuple[Encoded, ...]:
    stamp = Stamp(fork.scope.session_id, fork.scope.branch_id).at(fork.created_at)

    def encode() -> tuple[Encoded, ...]:
        return tuple(runtime.serializer.encode(event, stamp) for event in _events_of(fork, messages))

    return await asyncio.to_thread(encode) if len(messages) > _TOO_MANY_FOR_THE_LOOP else encode()


def _events_of(fork: Branch, messages: Sequence[Message]) -> Iterator[Event]:
    yield branch_created(fork)
    yield BranchForked(
        source_branch_id=fork.ancestors[-1],
        from_message_id=messages[-1].id,
        resolved_message_index=len(messages) - 1,
        ancestors=depths(fork.ancestors),
    )
    yield from message_events(messages, None)
