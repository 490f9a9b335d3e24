"""What a batch of a worker of our own may refer to, looked up before anything of it is written."""

from dataclasses import dataclass

from events.permissions import PermissionChoice, PermissionRequest, PermissionResponse
from events.text import Role
from hosting.domain.errors import InvalidRequest
from hosting.domain.interaction import Interaction, InteractionState
from hosting.domain.remote_batch import Batch, HistoryCompacted, MessageTakenBack, StateKept
from hosting.runtime.core import Runtime
from hosting.services.fleet.remote_runs import RemoteRun

PERMISSION = "permission:"
"""What the names begin with under which the choices about tools are kept."""


@dataclass(frozen=True, slots=True)
class Known:
    """What was found; each of it is only looked up when the batch refers to it."""

    taken_back: frozenset[str] = frozenset()
    """The ended messages of the run."""
    chosen: frozenset[tuple[str, bool]] = frozenset()
    """The tools that somebody has allowed, or denied, for good when the run asked."""
    before: tuple[str, ...] = ()
    """The ended messages from before the run, in order."""


async def known_for(runtime: Runtime, run: RemoteRun, batch: Batch) -> Known:
    """Look up what a batch refers to.

    Raises:
        InvalidRequest: it ends the run while a question of the run is open.
    """
    changes, chosen = batch.changes, frozenset[tuple[str, bool]]()
    keeps = any(isinstance(change, StateKept) and change.name.startswith(PERMISSION) for change in changes)
    if keeps or batch.ends is not None:
        asked = await runtime.run_reads.interactions(run.item.run_id)
        if batch.ends is not None and any(each.state is InteractionState.OPEN for each in asked):
            raise InvalidRequest("A question of the run is open; it must be cancelled before the run ends.")
        chosen = frozenset(choice for each in asked if (choice := _choice(runtime, run, each)) is not None)
    takes_back = any(isinstance(change, MessageTakenBack) for change in changes)
    compacts = any(isinstance(change, HistoryCompacted) for change in changes)
    return Known(
        await _ended_messages(runtime, run) if takes_back else frozenset(),
        chosen,
        await _messages_before(runtime, run) if compacts else (),
    )


async def _ended_messages(runtime: Runtime, run: RemoteRun) -> frozenset[str]:
    ended = await runtime.run_reads.messages(run.item.branch_key)
    return frozenset(
        message.id for message in ended if message.run_id == run.item.run_id and message.role is Role.ASSISTANT
    )


async def _messages_before(runtime: Runtime, run: RemoteRun) -> tuple[str, ...]:
    ended = await runtime.run_reads.messages(run.item.branch_key)
    return tuple(message.id for message in ended if message.run_id != run.item.run_id)


def _choice(runtime: Runtime, run: RemoteRun, asked: Interaction) -> tuple[str, bool] | None:
    """Return the tool of a permission that was given or denied for good, and which of it."""
    if asked.response is None or asked.request_type != runtime.serializer.catalog.name_of(PermissionRequest):
        return None
    response = runtime.serializer.decode(asked.response)
    tool = run.order.tools.get(asked.id) if run.order is not None else None
    if tool is None or not isinstance(response, PermissionResponse) or response.choice is PermissionChoice.ASK:
        return None
    return tool, response.approved
