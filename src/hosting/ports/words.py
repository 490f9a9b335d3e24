"""What a unit says to the worker that does its run."""

from dataclasses import dataclass

from hosting.domain.inbox_message import InboxMessage
from hosting.domain.message import Message
from hosting.domain.run import Run


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
class TellWorker:
    """Whoever works on an item is to hear something."""

    message: InboxMessage
