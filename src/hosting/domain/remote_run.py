"""A run as a worker of our own takes it (docs/reference/worker-protocol.md, Our own worker's routes)."""

from datetime import datetime

import msgspec
from msgspec import UNSET, Raw, Struct

from events.branches import Content
from events.ids import AgentId, BranchId, MessageId, RunId, SessionId
from events.interruption import InterruptionSource
from events.runs import RunStatus
from events.text import Role
from hosting.domain.interaction import Interaction, InteractionState
from hosting.domain.interrupt import Interrupt
from hosting.domain.lease import Lease
from hosting.domain.message import Message, MessageState
from hosting.domain.remote_batch import Member, bytes_of, raw_of
from hosting.domain.run import Run
from hosting.domain.scope import BranchKey, BranchScope, NodeId, TenantId
from hosting.domain.step import Step, StepKey, StepKind

_contents = msgspec.json.Decoder(tuple[Content, ...]).decode


class _Wire(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """Members in the case of the wire."""


class KnownMessage(_Wire, frozen=True, kw_only=True):
    """A message as stored; `contents` are those of the event CONTENT_ADDED, in a JSON array."""

    id: MessageId
    role: Role
    contents: Raw
    state: MessageState = MessageState.COMPLETE
    run_id: RunId | None = None

    @classmethod
    def of(cls, message: Message) -> "KnownMessage":
        """Show a message."""
        return cls(
            id=message.id,
            role=message.role,
            contents=Raw(msgspec.json.encode(message.contents)),
            state=message.state,
            run_id=message.run_id,
        )

    @property
    def message(self) -> Message:
        """The message."""
        return Message(self.id, self.role, _contents(self.contents), self.state, self.run_id)


class KnownStep(_Wire, frozen=True, kw_only=True):
    """A step of the run that was begun before; one without a result was cut."""

    place: str
    kind: StepKind
    name: str
    arguments_hash: str
    result: Member = UNSET
    flow: str | None = None

    @classmethod
    def of(cls, step: Step) -> "KnownStep":
        """Show a step."""
        key = step.key
        return cls(
            place=key.place,
            kind=key.kind,
            name=key.name,
            arguments_hash=key.arguments_hash,
            result=raw_of(step.result),
            flow=step.flow,
        )

    @property
    def step(self) -> Step:
        """The step."""
        key = StepKey(self.place, self.kind, self.name, self.arguments_hash)
        return Step(key, bytes_of(self.result), self.flow)


class KnownQuestion(_Wire, frozen=True, kw_only=True):
    """A question that the run has asked; `response` is the accepted answer's envelope."""

    request_id: str
    place: str
    request_type: str
    response_type: str
    source_name: str
    state: InteractionState
    requested_at: datetime
    expires_at: datetime | None = None
    response: Member = UNSET

    @classmethod
    def of(cls, asked: Interaction) -> "KnownQuestion":
        """Show a question."""
        return cls(
            request_id=asked.id,
            place=asked.place,
            request_type=asked.request_type,
            response_type=asked.response_type,
            source_name=asked.source_name,
            state=asked.state,
            requested_at=asked.requested_at,
            expires_at=asked.expires_at,
            response=raw_of(asked.response),
        )

    def interaction(self, run: Run) -> Interaction:
        """Return the question, of this run."""
        return Interaction(
            id=self.request_id,
            branch_key=run.branch_key,
            scope=run.scope,
            run_id=run.id,
            agent_id=run.agent_id,
            place=self.place,
            request_type=self.request_type,
            response_type=self.response_type,
            source_name=self.source_name,
            state=self.state,
            seq=0,
            requested_at=self.requested_at,
            expires_at=self.expires_at,
            response=bytes_of(self.response),
        )


class KnownPast(_Wire, frozen=True, kw_only=True):
    """What a run had done before it was taken."""

    steps: list[KnownStep] = []
    questions: list[KnownQuestion] = []
    open_messages: list[KnownMessage] = []


class KnownWish(_Wire, frozen=True, kw_only=True):
    """Somebody wants the run to end, or the flow in it that is named."""

    session_id: str
    reason: str
    source: InterruptionSource
    flow: str | None = None

    @classmethod
    def of(cls, session_id: str, wish: Interrupt) -> "KnownWish":
        """Show a wish for the run of a session."""
        return cls(session_id=session_id, reason=wish.reason, source=wish.source, flow=wish.flow)

    def interrupt(self, run_id: RunId) -> Interrupt:
        """Return the wish, of this run."""
        return Interrupt(run_id, self.reason, self.source, self.flow)


class TakenRun(_Wire, frozen=True, kw_only=True):
    """A run that is a worker's to do; `config` is the `runConfig` of its input.

    `batch` is the last of this claim's batches that is stored, 0 before the first.
    A lease ends `lease_seconds` after the last heartbeat. `attempt` says how often the run was begun, this time too;
    after `max_attempts` it is given up.
    """

    claim: int
    batch: int
    run_id: RunId
    tenant: TenantId
    session_id: SessionId
    branch_id: BranchId
    agent_id: AgentId
    agent_name: str
    message_id: MessageId
    started_at: datetime | None
    input: list[KnownMessage]
    config: Raw
    turn_id: str | None = None
    trace_id: str | None = None
    attempt: int
    max_attempts: int
    lease_seconds: float
    interrupts: list[KnownWish] = []

    def lease(self, key: BranchKey, node: NodeId) -> Lease:
        """Return the lease of a node elsewhere, which knows the branch by a key of its own."""
        run = Run(
            id=self.run_id,
            branch_key=key,
            scope=BranchScope(self.tenant, self.session_id, self.branch_id),
            agent_id=self.agent_id,
            message_id=self.message_id,
            status=RunStatus.ACTIVE,
            started_at=self.started_at,
            input=b"[]",
            config=bytes(self.config),
            turn_id=self.turn_id,
            trace_id=self.trace_id,
        )
        return Lease(
            run=run,
            input=tuple(each.message for each in self.input),
            node=node,
            fence=self.claim,
            attempt=self.attempt,
            interrupts=tuple(wish.interrupt(self.run_id) for wish in self.interrupts),
            worker_attempts=self.max_attempts,
        )


class Watched(_Wire, frozen=True, kw_only=True):
    """A session that a worker has, under this claim, and the questions that it waits for."""

    session_id: str
    claim: int
    questions: list[str] = []


class Settled(_Wire, frozen=True, kw_only=True):
    """A question that is open no more."""

    session_id: str
    request_id: str


class Seen(_Wire, frozen=True, kw_only=True):
    """What became of sessions: those that are `lost` are not the worker's any more; `held` are all that are."""

    lost: list[str] = []
    held: list[str] = []
    interrupts: list[KnownWish] = []
    settled: list[Settled] = []
