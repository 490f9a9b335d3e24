"""A unit is one batch on the wire, and several when it is too large for one."""

from datetime import UTC, datetime

from events.ids import AgentId, BranchId, MessageId, RunId, SessionId
from events.serializer import Encoded
from events.text import Role
from hosting.adapters.remote.batches import batches_of
from hosting.domain.interaction import Interaction, InteractionState
from hosting.domain.message import Message, MessageState
from hosting.domain.remote_batch import (
    MessageClosed,
    MessageOpened,
    QuestionOpened,
    StepBegun,
    StepFinished,
)
from hosting.domain.scope import BranchKey, BranchScope, TenantId
from hosting.domain.step import StepKey, StepKind
from hosting.ports.units import BeginStep, CloseMessage, FinishStep, OpenInteraction, OpenMessage, Unit

_RUN, _MESSAGE, _BRANCH = RunId("run_1"), MessageId("msg_1"), BranchKey(1)
_NOW = datetime(2026, 1, 1, tzinfo=UTC)


def _event(number: int) -> Encoded:
    return Encoded(b'{"version":"1.0","type":"TEXT_DELTA","eventId":"', b'"text":"%d"}' % number)


def _asks(event: Encoded) -> OpenInteraction:
    scope = BranchScope(TenantId("t"), SessionId("s"), BranchId("main"))
    interaction = Interaction(
        id="req_1",
        branch_key=_BRANCH,
        scope=scope,
        run_id=_RUN,
        agent_id=AgentId("a"),
        place="9",
        request_type="PERMISSION_REQUEST",
        response_type="PERMISSION_RESPONSE",
        source_name="s",
        state=InteractionState.OPEN,
        seq=0,
        requested_at=_NOW,
    )
    return OpenInteraction(interaction, event, None)


def test_a_small_unit_is_one_batch_in_its_own_order() -> None:
    event = _event(0)
    changes = [OpenMessage(_RUN, _MESSAGE), _asks(event)]
    unit = Unit(TenantId("t"), _BRANCH, _RUN, 1, changes, [event])

    batches = batches_of(unit, claim=2, first=5, worker_id="wkr")

    assert [(each.claim, each.batch, len(each.changes), len(each.events)) for each in batches] == [(2, 5, 2, 1)]


def test_a_large_unit_is_cut_so_that_what_begins_comes_first_and_what_ends_comes_last() -> None:
    events = [_event(number) for number in range(4_001)]
    keys = [StepKey(str(number), StepKind.WORK, "look", "h") for number in range(2_001)]
    closed = Message(_MESSAGE, Role.ASSISTANT, (), MessageState.COMPLETE, _RUN)
    changes = [
        OpenMessage(_RUN, _MESSAGE),
        *(change for key in keys for change in (BeginStep(_RUN, key), FinishStep(_RUN, key.place, b"1"))),
        _asks(events[2_500]),
        CloseMessage(closed),
    ]

    batches = batches_of(Unit(TenantId("t"), _BRANCH, _RUN, 1, changes, events), claim=1, first=3, worker_id="wkr")

    assert [each.batch for each in batches] == list(range(3, 10))
    assert [(len(each.changes), len(each.events)) for each in batches] == [
        (2_000, 0), (2, 0), (0, 2_000), (1, 2_000), (0, 1), (2_000, 0), (2, 0),
    ]  # fmt: skip
    said = [change for each in batches for change in each.changes]
    kinds = [MessageOpened, *[StepBegun] * 2_001, QuestionOpened, *[StepFinished] * 2_001, MessageClosed]
    assert [type(change) for change in said] == kinds
    assert [change.event for change in said if isinstance(change, QuestionOpened)] == [500]
    assert [bytes(raw)[-7:] for each in batches for raw in each.events][2_500] == b'"2500"}'
