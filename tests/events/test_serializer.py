"""Events become bytes once, get their place, and come back as they were."""

import json
import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events.catalog import Catalog, NotAnEvent
from events.control import CloseReason, StreamClosing
from events.event import Channel, Direction, Envelope, Event, Kind
from events.ids import AgentId, BranchId, MessageId, RunId, SessionId
from events.inputs import UserMessagesInput, UserTextInput
from events.position import Position
from events.runs import BranchRunCompleted, RunStatus
from events.serializer import (
    MemberRefused,
    Serializer,
    Stamp,
    UnknownType,
    join,
    number,
    split,
    timestamp_text,
)
from events.text import Role, TextDelta
from tests.events.generated import EVENTS, INPUTS, JSON, OBJECTS, TEXT, TIMES, structs

NOW = datetime(2026, 3, 4, 5, 6, 7, 89, tzinfo=UTC)
FIRST = Position("3f9a1c07b2de", 41)
SERIALIZER = Serializer(Catalog.standard())
STAMP = Stamp(SessionId("ses_1"), BranchId("main"))
COMMON = {"version", "type", "eventId", "sequenceNumber", "timestamp", "sessionId", "branchId"}
TRACED = {"metadata", "traceId", "spanId", "parentSpanId", "eventFlowId"}

each_event = pytest.mark.parametrize("name", EVENTS)


def line_of(event: Event, *, serializer: Serializer = SERIALIZER) -> bytes:
    """Return an event's bytes at the place 41."""
    (line,) = number([serializer.encode(event, STAMP.at(NOW))], FIRST)
    return line


def pairs(line: bytes) -> list[tuple[str, Any]]:
    """Return the members of a JSON object in order, twice those that are there twice."""
    members: list[tuple[str, Any]] = []

    def keep(found: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal members
        members = found
        return dict(found)

    json.loads(line, object_pairs_hook=keep)
    return members


@each_event
@given(data=st.data())
@settings(max_examples=25, deadline=None)
def test_an_event_comes_back_as_it_was_with_the_place_that_the_log_gave(name: str, data: st.DataObject) -> None:
    event = data.draw(structs(EVENTS[name]))
    now, session, branch = data.draw(TIMES), SessionId(data.draw(TEXT)), BranchId(data.draw(TEXT))

    encoded = SERIALIZER.encode(event, Stamp(session, branch).at(now))
    (line,) = number([encoded], FIRST)

    placed = {
        "event_id": "3f9a1c07b2de.41",
        "sequence_number": 41,
        "timestamp": now,
        "session_id": session,
        "branch_id": branch,
    }
    assert msgspec.structs.replace(event, **placed) == SERIALIZER.decode(line)


@each_event
@given(data=st.data())
@settings(max_examples=25, deadline=None)
def test_an_event_is_one_line_of_json_whose_head_comes_first(name: str, data: st.DataObject) -> None:
    event = data.draw(structs(EVENTS[name]))

    line = line_of(event)

    members = [member for member, _ in pairs(line)]
    head = ["version", "type", "eventId", "sequenceNumber", "timestamp", "sessionId", "branchId"]
    assert head == members[: len(head)]
    assert len(set(members)) == len(members)
    assert (b"\n" not in line, b"\r" not in line, b"\x00" not in line) == (True, True, True)


@each_event
@given(data=st.data())
@settings(max_examples=25, deadline=None)
def test_nulls_are_omitted_and_everything_else_of_the_payload_is_written(name: str, data: st.DataObject) -> None:
    event = data.draw(structs(EVENTS[name]))

    written = dict(pairs(line_of(event)))

    fields = {field.encode_name: getattr(event, field.name) for field in msgspec.structs.fields(event)}
    given = {member for member, value in fields.items() if value is not None}
    assert given - COMMON == written.keys() - COMMON - envelope_members(EVENTS[name])
    assert None not in written.values()


@each_event
def test_booleans_and_numbers_have_no_default_that_would_be_left_out(name: str) -> None:
    left_out = [
        field.name
        for field in msgspec.structs.fields(EVENTS[name])
        if not field.required and isinstance(field.default, bool | int | float)
    ]

    assert left_out == []


def envelope_members(cls: type[Event]) -> set[str]:
    """Return the common members that differ from their default in this class."""
    usual, own = Envelope(), cls.envelope
    written = {
        "channel": own.channel is not usual.channel,
        "kind": own.kind is not usual.kind,
        "direction": own.direction is not usual.direction,
        "canInterrupt": own.can_interrupt is not usual.can_interrupt,
    }
    return {member for member, differs in written.items() if differs}


def test_the_envelope_is_written_where_it_differs_from_the_usual() -> None:
    class Answered(Event, frozen=True, kw_only=True):
        envelope = Envelope(Channel.INTERACTIVE, Kind.CONTROL, Direction.UPSTREAM, can_interrupt=False)

    catalog = Catalog.standard()
    catalog.register(Answered)

    written = dict(pairs(line_of(Answered(), serializer=Serializer(catalog))))

    assert {member: value for member, value in written.items() if member not in COMMON} == {
        "channel": "interactive",
        "kind": "control",
        "direction": "upstream",
        "canInterrupt": False,
    }


@pytest.mark.parametrize(
    "claimed",
    [
        {"event_id": "3f9a1c07b2de.7"},
        {"event_id": ""},
        {"sequence_number": 7},
        {"sequence_number": 0},
        {"timestamp": NOW - timedelta(days=1)},
        {"session_id": SessionId("")},
        {"branch_id": BranchId("")},
    ],
)
def test_a_place_that_an_emitter_claims_is_not_written(claimed: dict[str, Any]) -> None:
    plain = TextDelta(text="hi", message_id=MessageId("msg_1"))

    claiming = msgspec.structs.replace(plain, **claimed)

    assert line_of(plain) == line_of(claiming)


def test_a_raw_member_cannot_end_the_line() -> None:
    class Wrapped(Event, frozen=True, kw_only=True):
        raw: msgspec.Raw

    catalog = Catalog.standard()
    catalog.register(Wrapped)
    event = Wrapped(raw=msgspec.Raw(b'{\n  "a": "b\\nc",\r\n  "d": 1\n}'), metadata={"m": msgspec.Raw(b"[\n1]")})

    line = line_of(event, serializer=Serializer(catalog))

    assert (b"\n" not in line, b"\r" not in line) == (True, True)
    assert json.loads(line)["raw"] == {"a": "b\nc", "d": 1}
    assert json.loads(line)["metadata"] == {"m": [1]}


def test_an_event_that_the_catalog_does_not_know_cannot_be_encoded() -> None:
    class Stranger(Event, frozen=True, kw_only=True):
        pass

    with pytest.raises(NotAnEvent):
        SERIALIZER.encode(Stranger(), STAMP.at(NOW))


def test_a_logged_event_of_an_unknown_type_is_none() -> None:
    assert SERIALIZER.decode(b'{"version":"1.0","type":"FROM_THE_FUTURE","x":1}') is None


def test_an_input_in_the_log_is_no_event() -> None:
    assert SERIALIZER.decode(b'{"type":"USER_TEXT_INPUT","text":"hi"}') is None


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"nonsense",
        b"[]",
        b"{}",
        b'{"type":7}',
        b'{"type":null}',
        b'{"type":"TEXT_DELTA"}',
        b'{"type":"TEXT_DELTA","text":1,"messageId":"m"}',
        b'{"type":"TEXT_DELTA","text":"a","messageId":null}',
        b'{"type":"TEXT_DELTA","text":"a","messageId":"m"',
        b'{"type":"TEXT_DELTA","text":"\xff","messageId":"m"}',
    ],
)
def test_bytes_that_do_not_fit_their_class_are_refused(line: bytes) -> None:
    with pytest.raises(MemberRefused):
        SERIALIZER.decode(line)


def test_the_type_of_a_logged_event_is_found_in_any_case_and_unknown_members_are_ignored() -> None:
    line = b'{"extra":{"deep":[1]},"text":"a","type":"text_delta","messageId":"m"}'

    event = SERIALIZER.decode(line)

    assert TextDelta(text="a", message_id=MessageId("m")) == event


@pytest.mark.parametrize("name", INPUTS)
@given(data=st.data())
@settings(max_examples=25, deadline=None)
def test_an_input_comes_back_as_it_was(name: str, data: st.DataObject) -> None:
    given_input = data.draw(structs(INPUTS[name]))
    body = msgspec.json.encode(given_input)

    assert given_input == SERIALIZER.decode_input(body, name.lower())


@pytest.mark.parametrize("wire_type", ["NO_SUCH_THING", "TEXT_DELTA", "", "x" * 5000])
def test_what_is_no_input_is_refused_in_a_short_sentence(wire_type: str) -> None:
    with pytest.raises(UnknownType) as refused:
        SERIALIZER.decode_input(b'{"text":"hi"}', wire_type)

    assert len(str(refused.value)) < 200


@pytest.mark.parametrize(
    ("body", "wire_type", "pointer"),
    [
        (b"{}", "USER_TEXT_INPUT", "text"),
        (b'{"text":1}', "USER_TEXT_INPUT", "$.text"),
        (b'{"text":"a","clientInputId":7}', "USER_TEXT_INPUT", "$.clientInputId"),
        (b'{"text":"a","runningRunBehavior":"dance"}', "USER_TEXT_INPUT", "$.runningRunBehavior"),
        (b'{"messages":[{"role":"tool"}]}', "USER_MESSAGES_INPUT", "$.messages[0].role"),
        (b'{"messages":{}}', "USER_MESSAGES_INPUT", "$.messages"),
    ],
)
def test_a_wrong_member_of_an_input_is_pointed_to(body: bytes, wire_type: str, pointer: str) -> None:
    with pytest.raises(MemberRefused) as refused:
        SERIALIZER.decode_input(body, wire_type)

    assert pointer in str(refused.value)


def test_the_three_shapes_of_a_message_are_read() -> None:
    body = b"""{"messages":[{"text":"a"},{"role":"assistant","content":"b"},
               {"role":"user","contents":[{"$type":"text","text":"c"}],"messageId":"m3"}]}"""

    read = SERIALIZER.decode_input(body, "USER_MESSAGES_INPUT")

    assert isinstance(read, UserMessagesInput)
    assert [message.text for message in read.messages] == ["a", None, None]
    assert [message.content for message in read.messages] == [None, "b", None]
    assert read.messages[2].contents == (msgspec.Raw(b'{"$type":"text","text":"c"}'),)


def test_the_run_config_of_an_input_is_kept_as_it_came() -> None:
    read = SERIALIZER.decode_input(b'{"text":"a","runConfig":{"runTimeout" : "PT5M"}}', "USER_TEXT_INPUT")

    assert isinstance(read, UserTextInput)
    assert bytes(read.run_config) == b'{"runTimeout" : "PT5M"}'


@given(st.lists(JSON, min_size=1, max_size=8), st.integers(1, 10**9))
@settings(max_examples=60, deadline=None)
def test_numbers_count_up_and_joined_lines_come_apart_again(texts: list[Any], first: int) -> None:
    deltas = [TextDelta(text=json.dumps(text), message_id=MessageId("m")) for text in texts]
    encoded = [SERIALIZER.encode(delta, STAMP.at(NOW)) for delta in deltas]

    lines = number(encoded, Position("3f9a1c07b2de", first))

    wanted = list(range(first, first + len(texts)))
    assert wanted == [json.loads(line)["sequenceNumber"] for line in lines]
    assert [f"3f9a1c07b2de.{seq}" for seq in wanted] == [json.loads(line)["eventId"] for line in lines]
    assert lines == split(join(lines))
    assert all(event.size <= len(line) for event, line in zip(encoded, lines, strict=True))


@given(TIMES, st.integers(-14 * 60, 14 * 60))
@settings(max_examples=60, deadline=None)
def test_times_are_written_in_utc_with_six_digits_and_sort_as_texts(now: datetime, minutes: int) -> None:
    text = timestamp_text(now.astimezone(timezone(timedelta(minutes=minutes))))

    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", text)
    assert now == datetime.fromisoformat(text)
    assert text < timestamp_text(now + timedelta(microseconds=1))


@given(OBJECTS)
@settings(max_examples=40, deadline=None)
def test_metadata_is_carried_as_it_is(metadata: dict[str, Any]) -> None:
    event = TextDelta(text="", message_id=MessageId("m"), metadata=metadata)

    assert metadata == json.loads(line_of(event))["metadata"]


SNAPSHOTS = [
    (
        TextDelta(text='tok0 "ü"\n\u2028🌿', message_id=MessageId("msg_1")),
        '{"version":"1.0","type":"TEXT_DELTA","eventId":"3f9a1c07b2de.41","sequenceNumber":41,'
        '"timestamp":"2026-03-04T05:06:07.000089Z","sessionId":"ses_1","branchId":"main",'
        '"text":"tok0 \\"ü\\"\\n\u2028🌿","messageId":"msg_1"}',
    ),
    (
        BranchRunCompleted(
            runtime_run_id=RunId("run_1"),
            agent_id=AgentId("demo"),
            status=RunStatus.FAILED,
            completed_at=NOW,
            error_type="RunTimedOut",
            error_message="Too slow.",
        ),
        '{"version":"1.0","type":"BRANCH_RUN_COMPLETED","eventId":"3f9a1c07b2de.41","sequenceNumber":41,'
        '"timestamp":"2026-03-04T05:06:07.000089Z","sessionId":"ses_1","branchId":"main","kind":"lifecycle",'
        '"runtimeRunId":"run_1","agentId":"demo","status":"failed","cancelled":false,'
        '"completedAt":"2026-03-04T05:06:07.000089Z","errorType":"RunTimedOut","errorMessage":"Too slow."}',
    ),
]


@pytest.mark.parametrize(("event", "text"), SNAPSHOTS)
def test_the_bytes_on_the_wire_are_these(event: Event, text: str) -> None:
    assert text.encode() == line_of(event)


def test_the_bytes_of_a_control_frame_have_no_place() -> None:
    closing = StreamClosing(reason=CloseReason.DRAIN, retry_ms=0)

    frame = SERIALIZER.encode_unplaced(closing, STAMP.at(NOW))

    assert frame == (
        b'{"version":"1.0","type":"STREAM_CLOSING","timestamp":"2026-03-04T05:06:07.000089Z","sessionId":"ses_1",'
        b'"branchId":"main","channel":"control","kind":"control","reason":"drain","retryMs":0}'
    )


@pytest.mark.parametrize("written", ["user", "User"])
def test_enums_are_read_in_snake_case_and_in_pascal_case(written: str) -> None:
    body = b'{"messages":[{"role":"%b","text":"hello"}]}' % written.encode()

    read = SERIALIZER.decode_input(body, "USER_MESSAGES_INPUT")

    assert isinstance(read, UserMessagesInput)
    assert read.messages[0].role is Role.USER


@pytest.mark.parametrize("written", ["USER", "uSER", "3", "Nobody"])
def test_other_spellings_of_an_enum_are_refused(written: str) -> None:
    body = b'{"messages":[{"role":"%b","text":"hello"}]}' % written.encode()

    with pytest.raises(MemberRefused):
        SERIALIZER.decode_input(body, "USER_MESSAGES_INPUT")
