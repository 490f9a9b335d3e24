"""What a unit says to the worker that does its run."""

from collections.abc import Sequence
from dataclasses import dataclass

from events.ids import MessageId, RunId
from hosting.domain.inbox_message import InboxMessage
from hosting.domain.message import Message
from hosting.domain.run import Run
from hosting.domain.work_item import WorkItemId


@dataclass(frozen=True, slots=True)
class AddToRun:
    """A user says something to the worker that does the active run; the worker hears of it by the `directive`.

    Refused with RUN_NOT_ACTIVE when no worker has the run, it is to end, or somebody waits behind it whom this does not
    overtake; QUEUE_FULL when `most` directives are unheard; or MESSAGE_EXISTS.
    """

    run: Run
    message: Message
    directive: InboxMessage
    most: int
    overtakes: bool = False


@dataclass(frozen=True, slots=True)
class PassOn:
    """What no worker was told while it had an item is what a run begins with that the same unit starts.

    `message_ids` are the messages of the conversation that the `directives` brought. Refused with MESSAGE_EXISTS when
    one of them was passed on before, or a worker was handed it.
    """

    run_id: RunId
    item_id: WorkItemId
    directives: Sequence[str]
    message_ids: Sequence[MessageId]


@dataclass(frozen=True, slots=True)
class TellWorker:
    """Whoever works on an item is to hear something."""

    message: InboxMessage
