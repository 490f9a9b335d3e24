"""Forking: a branch comes to be as a copy of another one's messages, in one unit with both logs."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from events.event import Event
from events.ids import AgentId, MessageId
from events.serializer import Encoded, Stamp
from events.tree import BranchForked
from hosting.domain.branch import Branch
from hosting.domain.errors import BranchExists, BranchMissing, ForkMessageMissing
from hosting.domain.keyed_errors import RequestRepeated
from hosting.domain.message import Message, first_user_text
from hosting.domain.scope import BranchScope
from hosting.domain.tree import depths
from hosting.ports.units import AddFork, Committed, Refusal, TellTree, Unit
from hosting.runtime.compact_fork import compacted_copy
from hosting.runtime.core import Runtime
from hosting.runtime.keyed import Keyed, record_of
from hosting.runtime.messages import message_events
from hosting.runtime.new_branch import NewBranch, branch_created, new_branch
from hosting.runtime.tree_events import telling_tree

_TOO_MANY_FOR_THE_LOOP: Final = 200


class Forked(NamedTuple):
    """A fork, and the branches that it has its place among (see `TenantReads.relatives`)."""

    branch: Branch
    relatives: Sequence[Branch]


async def fork_branch(
    runtime: Runtime,
    source: Branch,
    message_id: MessageId,
    new: NewBranch,
    keyed: Keyed[Forked] | None = None,
    *,
    agent_id: AgentId,
) -> Forked:
    """Copy a branch up to and with a message that has ended, also while a run goes on there.

    The copy owns its log and its messages, which keep their ids; what happens to the source later does not touch it.
    It is compacted before it is written, if the agent's policy wants that.

    Raises:
        ForkMessageMissing: the source has no such message, or it has not ended.
        BranchExists: the new id is taken.
        BranchMissing: the source is gone.
        RequestRepeated: it was forked before, by a request with the same key.
        StorageUnavailable: nothing was stored.
    """
    # They have ended: whatever happens before the unit is written, these do not change.
    read = await runtime.tenant(source.scope.tenant).messages_until(source.key, message_id)
    if not read:
        raise ForkMessageMissing(source.scope.branch_id, message_id)
    copied = await compacted_copy(runtime, agent_id, source, read)
    messages = tuple(replace(message, run_id=None) for message in copied)
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
    relatives: list[Sequence[Branch]] = []
    unit = Unit(scope.tenant, source.key, record=record_of(keyed, lambda before: Forked(fork, relatives[-1])))
    unit.changes.append(AddFork(fork, messages, log, _noting(relatives, telling_tree(runtime, fork.created_at))))
    outcome = await runtime.writer.append_to(unit)
    if not isinstance(outcome, Committed):
        raise _refused(outcome, source, fork)
    return Forked(fork, relatives[-1])


def _refused(refusal: Refusal, source: Branch, fork: Branch) -> Exception:
    if refusal is Refusal.REQUEST_REPEATED:
        return RequestRepeated()
    if refusal is Refusal.BRANCH_EXISTS:
        return BranchExists(fork.scope.session_id, fork.scope.branch_id)
    return BranchMissing(source.scope.session_id, source.scope.branch_id)


def _noting(relatives: list[Sequence[Branch]], tell: TellTree) -> TellTree:
    def noting(source: Branch, found: Sequence[Branch]) -> Sequence[Encoded]:
        # Those of the source: all that the fork has are among them. A transaction tried again notes them anew.
        relatives.append(found)
        return tell(source, found)

    return noting


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
