"""Bodies of requests, which the routes decode from raw bytes by themselves."""

from typing import Final

import msgspec

from events.branches import DataContent, TextContent, UriContent
from events.catalog import Catalog
from events.client_tools import ClientToolInput
from events.event import Event
from events.inputs import ChatMessage, Input, UserMessagesInput, UserTextInput
from events.interactions import Response as Answer
from events.interruption import InterruptionRequest
from events.permissions import PermissionChoice, PermissionResponse
from hosting.api.openapi_schemas import NULL, TEXT, Json, Schemas, one_of, record, reference
from hosting.domain.compaction_options import RunCompaction
from hosting.domain.definition import AgentConfig
from hosting.domain.model_config import MODEL_MEMBERS, ChatOptions, StructuredOutput

Envelopes = dict[str, type[msgspec.Struct]]

RUN_CONFIG: Final = "RunConfig"
ENVELOPES: Final = "SocketEnvelope"

_INPUTS: Final = "SentInput"
_ANSWERS: Final = "SentResponse"
_TEXT_INPUT: Final = "TextInput"
_INTERRUPTION: Final = "Interruption"
_CUSTOM_ANSWER: Final = "CustomResponse"
_GIVEN_BY_LOG: Final = frozenset(field.name for field in msgspec.structs.fields(Event))
_SHAPES: Final = ("text", "content", "contents")
_FILE: Final = "SentFileContent"
_FILES: Final = ("hpd:image", "hpd:audio", "hpd:video", "hpd:document")
_BASE64: Final = "(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{4}|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{2}==)"
_UPLOADED: Final = "hpd-content://"
_MEDIA_TYPE: Final = "[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}"
_DURATION: Final[Json] = {
    "type": ["string", "null"],
    "description": "ISO 8601, or `hh:mm:ss`.",
    "examples": ["PT5M", "00:05:00"],
}


def request_body(schemas: Schemas, body: type[msgspec.Struct], *, is_strict: bool) -> Json:
    """Return the description of the body that a route takes; a strict route refuses members that it does not know."""
    if body is Input:
        return _body({"anyOf": [reference(_TEXT_INPUT), reference(_INPUTS)]}, required=True)
    if body is Answer:
        return _body({"anyOf": [reference(_ANSWERS), reference(_CUSTOM_ANSWER)]}, required=True)
    if body is InterruptionRequest:
        envelope = reference(_sent_name(InterruptionRequest))
        return _body({"anyOf": [reference(_INTERRUPTION), envelope]}, required=False)
    schema = schemas.sent(body)
    described = schemas.named[body.__name__]
    if is_strict:
        described["additionalProperties"] = False
    return _body(schema, required=bool(described["required"]))


def describe_bodies(schemas: Schemas) -> None:
    """Name the schemas of everything that has an envelope when it comes in, and of what goes without one."""
    inputs: Envelopes = {name: cls for name, cls in Catalog.standard() if issubclass(cls, Input)}
    inputs |= {InterruptionRequest.wire_type: InterruptionRequest}
    answers: Envelopes = {name: cls for name, cls in Catalog.standard() if issubclass(cls, Answer)}
    for name, cls in (*inputs.items(), *answers.items()):
        schemas.named[_sent_name(cls)] = _envelope(schemas, name, cls)
    _name_choice(schemas, _INPUTS, "An input or interrupt as an envelope.", inputs)
    _name_choice(schemas, _ANSWERS, "An answer to a question of the server's own.", answers)
    schemas.named[_CUSTOM_ANSWER] = _custom_answer([name for name, _ in Catalog.standard()])
    schemas.named[_TEXT_INPUT] = _closed(
        schemas, UserTextInput, _TEXT_INPUT, "A user says something, without envelope."
    )
    schemas.named[_INTERRUPTION] = _closed(schemas, InterruptionRequest, _INTERRUPTION, "What is to end, and why.")
    schemas.named[RUN_CONFIG] = _run_config(schemas)
    schemas.sent(AgentConfig)
    schemas.named[ENVELOPES] = {
        "title": ENVELOPES,
        "description": "What a client sends on a WebSocket: an envelope with a `type` in each text frame.",
        "anyOf": [reference(name) for name in (_INPUTS, _ANSWERS, _CUSTOM_ANSWER)],
    }
    _narrow(schemas)


def _envelope(schemas: Schemas, name: str, cls: type[msgspec.Struct]) -> Json:
    """Describe an envelope: its `type` and its payload; members that nobody knows are ignored."""
    described = schemas.sent_members(cls, _GIVEN_BY_LOG if issubclass(cls, Event) else frozenset())
    members = {"type": {"const": name}, **described["properties"]}
    return record(name, described["description"], members, ["type", *described["required"]])


def _closed(schemas: Schemas, cls: type[msgspec.Struct], title: str, description: str) -> Json:
    described = schemas.sent_members(cls)
    return described | {"title": title, "description": description, "additionalProperties": False}


def _name_choice(schemas: Schemas, name: str, description: str, among: Envelopes) -> None:
    names = {wire_type: _sent_name(cls) for wire_type, cls in among.items()}
    schemas.named[name] = {"title": name, "description": f"{description} Case does not count in `type`."}
    schemas.named[name] |= one_of(names, "type")


def _custom_answer(standard: list[str]) -> Json:
    members = {"type": {**TEXT, "not": {"enum": standard}}, "requestId": TEXT}
    said = "An answer to a question that the server's operator has registered, with members of its own."
    return {**record(_CUSTOM_ANSWER, said, members, list(members)), "additionalProperties": True}


def _run_config(schemas: Schemas) -> Json:
    waits = ("permissionTimeout", "continuationTimeout", "clarificationTimeout", "clientToolTimeout")
    members: dict[str, Json] = dict.fromkeys(("runTimeout", *waits), _DURATION)
    members["permissionOverrides"] = {"type": ["object", "null"], "additionalProperties": {"type": "boolean"}}
    members["clientToolInput"] = {"anyOf": [schemas.sent(ClientToolInput), NULL]}
    flags = ("coalesceDeltas", "skipTools", "triggerCompaction", "skipCompaction")
    members |= {name: {"type": ["boolean", "null"]} for name in flags}
    members["compaction"] = {"anyOf": [schemas.sent(RunCompaction), NULL]}
    members["chat"] = {"anyOf": [schemas.sent(ChatOptions), NULL]}
    members["structuredOutput"] = {"anyOf": [schemas.sent(StructuredOutput), NULL]}
    members["providerOptionsJson"] = {"type": ["string", "null"], "contentMediaType": "application/json"}
    members["customHeaders"] = {"type": ["object", "null"], "additionalProperties": TEXT}
    members |= {name: {"type": ["string", "null"]} for name in MODEL_MEMBERS if name not in members}
    described = record(RUN_CONFIG, "How one run is to be done.", members, ())
    return described | {"type": ["object", "null"], "additionalProperties": False}


def _narrow(schemas: Schemas) -> None:
    """Say of some members what their types do not say."""
    message = schemas.named[_sent_name(ChatMessage)]
    message["oneOf"] = [{"required": [shape]} for shape in _SHAPES]
    message["properties"] |= {
        "text": {**TEXT, "minLength": 1},
        "content": {**TEXT, "minLength": 1},
        "contents": {"type": "array", "minItems": 1, "items": _content(schemas)},
    }
    schemas.named[_sent_name(UserMessagesInput)]["properties"]["messages"]["minItems"] = 1
    choice = schemas.named[_sent_name(PermissionResponse)]["properties"]["choice"]
    choice["anyOf"][1] |= {"minimum": 0, "maximum": len(PermissionChoice) - 1}
    for name in (_sent_name(UserTextInput), _TEXT_INPUT):
        schemas.named[name]["properties"]["text"] = {**TEXT, "minLength": 1}


def _content(schemas: Schemas) -> Json:
    """Describe what a message is made of: a file's bytes say their type themselves, and older words are taken too."""
    described = schemas.sent(TextContent | DataContent | UriContent)
    media_type = {**TEXT, "pattern": f"^{_MEDIA_TYPE}$"}
    data, elsewhere = (schemas.named[_sent_name(cls)] for cls in (DataContent, UriContent))
    data["required"] = ["$type", "uri"]
    data["properties"] |= {
        "uri": {**TEXT, "pattern": f"^data:{_MEDIA_TYPE}(?:;[^;,]+)*;base64,{_BASE64}$"},
        "mediaType": {"anyOf": [media_type, NULL]},
    }
    addresses = {**TEXT, "pattern": f"^(?:https?://[^ ]+|{_UPLOADED}[A-Za-z0-9._~-]{{1,128}})$"}
    elsewhere["properties"] |= {"uri": addresses, "mediaType": media_type}
    elsewhere["required"] = ["$type", "uri"]
    # What was uploaded has a type already.
    elsewhere["anyOf"] = [{"required": ["mediaType"]}, {"properties": {"uri": {"pattern": f"^{_UPLOADED}"}}}]
    members: dict[str, Json] = {"$type": {**TEXT, "enum": list(_FILES)}, "uri": TEXT}
    members["mediaType"] = data["properties"]["mediaType"]
    said = "A file by its kind: `data` or `uri`, whichever its URI is."
    schemas.named[_FILE] = record(_FILE, said, members, ("$type", "uri"))
    return {"anyOf": [described, reference(_FILE)]}


def _body(schema: Json, *, required: bool) -> Json:
    return {"required": required, "content": {"application/json": {"schema": schema}}}


def _sent_name(cls: type[msgspec.Struct]) -> str:
    return f"Sent{cls.__name__}"
