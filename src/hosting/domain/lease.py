"""A lease: the right of one node to write for one run, until a moment of the database's clock."""

from dataclasses import dataclass

from hosting.domain.interrupt import Interrupt
from hosting.domain.message import Message
from hosting.domain.run import Run
from hosting.domain.scope import NodeId


@dataclass(frozen=True, slots=True)
class Holder:
    """A node that takes runs, and for how many seconds at a time."""

    node: NodeId
    seconds: float


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to write for a run; `fence` grows with every grant on the branch, and an older one is refused.

    `input` are the messages that started the run, the last one a user's; `interrupts` are the wishes for its end, or
    the end of something in it, that had come before the lease was granted. A run that workers do is given up when it
    was lost with `worker_attempts` of them.
    """

    run: Run
    input: tuple[Message, ...]
    node: NodeId
    fence: int
    attempt: int
    interrupts: tuple[Interrupt, ...] = ()
    worker_attempts: int | None = None
