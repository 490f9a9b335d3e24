"""Submitting an input: the run, its messages and their events, stored in one unit."""

from dataclasses import dataclass

import msgspec

from events.branches import TextContent
from events.event import Event
from events.ids import AgentId, MessageId, RunId, is_client_id
from events.inputs import ChatMessage, Input, UserMessagesInput, UserTextInput
from events.position import Position
from events.runs import BranchRunStarted, RunStatus
from events.serializer import Stamp
from events.text import Role
from hosting.domain.branch import Branch
from hosting.domain.errors import BranchMissing, InvalidInput, MessageExists, RunActive
from hosting.domain.lease import Lease
from hosting.domain.message import Message
from hosting.domain.run import Run
from hosting.domain.run_config import check_run_config
from hosting.ports.units import Committed, Refusal, StartRun, Unit
from hosting.runtime.core import Runtime
from hosting.runtime.messages import message_events


@dataclass(frozen=True, slots=True)
class Submitted:
    """An accepted input; following from `position` shows everything about it."""

    run_id: RunId
    message_id: MessageId
    status: RunStatus
    position: Position


async def submit_input(runtime: Runtime, branch: Branch, agent_id: AgentId, received: Input) -> Submitted:
    """Accept an input: when this returns, its run is stored and will be executed, whatever happens to this process.

    Raises:
        InvalidInput, RunConfigRefused: the input cannot be taken.
        RunActive: the branch is busy.
        MessageExists: a message id that the client chose is taken.
        StorageUnavailable: nothing was stored.
    """
    config = bytes(received.run_config) or b"{}"
    check_run_config(config)
    run_id = runtime.ids.run()
    messages = tuple(_messages(runtime, received, run_id))
    run = Run(
        id=run_id,
        branch_key=branch.key,
        scope=branch.scope,
        agent_id=agent_id,
        message_id=messages[-1].id,
        status=RunStatus.ACTIVE,
        started_at=runtime.clock(),
        input=msgspec.json.encode([message.id for message in messages]),
        config=config,
    )
    outcome = await runtime.writer.append_to(_unit(runtime, run, messages, received.client_input_id))
    if not isinstance(outcome, Committed):
        raise _refused(outcome, branch, messages)
    runtime.run_accepted(Lease(run, messages, runtime.holder.node, outcome.fence, attempt=1))
    return Submitted(run_id, run.message_id, run.status, outcome.before)


def _unit(runtime: Runtime, run: Run, messages: tuple[Message, ...], client_input_id: str | None) -> Unit:
    stamp = Stamp(run.scope.session_id, run.scope.branch_id).at(run.started_at)
    events: list[Event] = [
        BranchRunStarted(
            runtime_run_id=run.id, agent_id=run.agent_id, started_at=run.started_at, message_id=run.message_id
        ),
        *message_events(messages, run.started_at, client_input_id),
    ]
    return Unit(
        tenant=run.scope.tenant,
        branch_key=run.branch_key,
        run_id=run.id,
        changes=[StartRun(run, messages, runtime.holder)],
        events=[runtime.serializer.encode(event, stamp) for event in events],
    )


def _refused(refusal: Refusal, branch: Branch, messages: tuple[Message, ...]) -> Exception:
    if refusal is Refusal.RUN_ACTIVE:
        return RunActive(branch.scope.branch_id)
    if refusal is Refusal.MESSAGE_EXISTS:
        return MessageExists(tuple(message.id for message in messages))
    return BranchMissing(branch.scope.session_id, branch.scope.branch_id)


def _messages(runtime: Runtime, received: Input, run_id: RunId) -> list[Message]:
    if isinstance(received, UserTextInput):
        if not received.text:
            raise InvalidInput("`text` must not be empty.")
        return [Message(runtime.ids.message(), Role.USER, (TextContent(text=received.text),), run_id=run_id)]
    if not isinstance(received, UserMessagesInput):
        raise InvalidInput(f"{type(received).__name__} cannot start a run.")
    if not received.messages:
        raise InvalidInput("`messages` must have at least one message.")
    if received.messages[-1].role is not Role.USER:
        raise InvalidInput("The last of `messages` must have the role `user`.")
    messages = [_message(runtime, given, index, run_id) for index, given in enumerate(received.messages)]
    if len({message.id for message in messages}) < len(messages):
        raise InvalidInput("Two of `messages` have the same `messageId`.")
    return messages


def _message(runtime: Runtime, given: ChatMessage, index: int, run_id: RunId) -> Message:
    if given.message_id is not None and not is_client_id(given.message_id):
        raise InvalidInput(f"`messages[{index}].messageId` must be 1 to 128 of A-Z a-z 0-9 . _ ~ - and not . or ..")
    contents = tuple(TextContent(text=text) for text in _texts(given, index))
    if not any(content.text for content in contents):
        raise InvalidInput(f"`messages[{index}]` has no text.")
    return Message(given.message_id or runtime.ids.message(), given.role, contents, run_id=run_id)


def _texts(given: ChatMessage, index: int) -> list[str]:
    shapes = [shape for shape in (given.text, given.content, given.contents) if shape is not None]
    if len(shapes) != 1:
        raise InvalidInput(f"`messages[{index}]` must have exactly one of `text`, `content` and `contents`.")
    shape = shapes[0]
    if isinstance(shape, str):
        return [shape]
    return [_part_text(part, f"messages[{index}].contents[{place}]") for place, part in enumerate(shape)]


def _part_text(part: msgspec.Raw, where: str) -> str:
    try:
        return msgspec.json.decode(part, type=TextContent).text
    except msgspec.ValidationError as error:
        raise InvalidInput(f"`{where}` is not a content of `$type` text: {error}.") from error
