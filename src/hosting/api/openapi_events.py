"""Events as the API's description has them: each by its class, all of them as one union, told apart by `type`."""

from collections.abc import Mapping
from typing import Final

from events.catalog import Catalog
from events.control import StreamClosing, StreamReset
from events.event import Envelope, Event
from events.interactions import AgentResponseRejected
from events.turns import MessageTurnError
from hosting.api.openapi_schemas import POSITION, TEXT, Json, Schemas, one_of, record, reference

LOGGED: Final = "LoggedEvent"
STREAMED: Final = "StreamedEvent"
TOLD: Final = "SocketEvent"

_STANDARD: Final = "StandardEvent"
_CUSTOM: Final = "CustomEvent"
_BROKEN: Final = "StreamError"
_OF_A_CONNECTION: Final = (StreamReset, StreamClosing, AgentResponseRejected)
_HEAD: Final[Mapping[str, Json]] = {
    "version": {"const": "1.0"},
    "type": TEXT,
    "eventId": POSITION,
    "sequenceNumber": {"type": "integer", "minimum": 1},
    "timestamp": {"type": "string", "format": "date-time"},
    "sessionId": TEXT,
    "branchId": TEXT,
}
_PLACE: Final = ("eventId", "sequenceNumber")


def describe_events(schemas: Schemas) -> None:
    """Name the schema of every event, and the unions of what is in a log, on a live feed and on a WebSocket."""
    known = {name: cls for name, cls in Catalog.standard() if issubclass(cls, Event)}
    for name, cls in known.items():
        schemas.named[cls.__name__] = _event(schemas, name, cls, placed=cls not in _OF_A_CONNECTION)
    logged = {name: cls.__name__ for name, cls in known.items() if cls not in _OF_A_CONNECTION}
    told_apart = one_of(logged, "type")
    schemas.named[_STANDARD] = {"title": _STANDARD, "description": "An event of the server's own.", **told_apart}
    schemas.named[_CUSTOM] = _custom([name for name, _ in Catalog.standard()])
    schemas.named[_BROKEN] = _broken(schemas)
    _name_union(schemas, LOGGED, "An event as it is in a branch's log, always with the same bytes.", _STANDARD, _CUSTOM)
    _name_union(
        schemas,
        STREAMED,
        "An event on a live feed: one of the log's, or one about this connection, which is in no log and has no place.",
        LOGGED,
        StreamReset.__name__,
        StreamClosing.__name__,
        _BROKEN,
    )
    _name_union(
        schemas,
        TOLD,
        "An event on a WebSocket, as on a live feed; or that an answer was not taken.",
        STREAMED,
        AgentResponseRejected.__name__,
    )


def _event(schemas: Schemas, name: str, cls: type[Event], *, placed: bool) -> Json:
    described = schemas.written_members(cls)
    head = {member: schema for member, schema in _HEAD.items() if placed or member not in _PLACE}
    head |= {"type": {"const": name}, **_differing(cls.envelope)}
    payload = {member: schema for member, schema in described["properties"].items() if member not in _HEAD}
    required = [*head, *(member for member in described["required"] if member not in _HEAD)]
    return record(name, described["description"], {**head, **payload}, required)


def _differing(envelope: Envelope) -> dict[str, Json]:
    """Return the common members that are written, since they differ from what is usual."""
    usual = Envelope()
    told = {
        "channel": (envelope.channel, usual.channel),
        "kind": (envelope.kind, usual.kind),
        "direction": (envelope.direction, usual.direction),
        "canInterrupt": (envelope.can_interrupt, usual.can_interrupt),
    }
    return {name: {"const": value} for name, (value, default) in told.items() if value != default}


def _custom(standard: list[str]) -> Json:
    members = {**_HEAD, "type": {**TEXT, "not": {"enum": standard}}}
    said = "An event that the server's operator has registered, or one of another version: with members of its own."
    return {**record(_CUSTOM, said, members, list(_HEAD)), "additionalProperties": True}


def _broken(schemas: Schemas) -> Json:
    described = _event(schemas, MessageTurnError.wire_type, MessageTurnError, placed=False)
    described["properties"]["errorType"] = {"const": "StreamError"}
    described["required"].append("errorType")
    return described | {"title": _BROKEN, "description": "The stream broke on the server; STREAM_CLOSING follows."}


def _name_union(schemas: Schemas, name: str, description: str, *choices: str) -> None:
    among = [reference(choice) for choice in choices]
    schemas.named[name] = {"title": name, "description": description, "oneOf": among}
