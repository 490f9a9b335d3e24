"""Bodies that are no answer, and what each must be told."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

JSON = {"content-type": "application/json"}
LIMIT = 16 << 20


@dataclass(frozen=True)
class Hostile:
    """A body, the status and code it must be refused with, and what the sentence must name."""

    name: str
    body: bytes
    status: int = 400
    code: str = "invalid-response"
    names: str = ""
    headers: dict[str, str] = field(default_factory=lambda: dict(JSON))


def hostile_answers(permission_id: str) -> Iterator[Hostile]:
    """Yield bodies that must be refused while a permission of this id is waited for."""
    allow = {"type": "PERMISSION_RESPONSE", "permissionId": permission_id, "approved": True}
    for name, body in _NO_OBJECTS.items():
        yield Hostile(name, body)
    for name, value in _NO_TEXTS.items():
        yield Hostile(f"a reason of {name}", _spliced(allow, b'"reason":%b' % value))
        yield Hostile(f"an unknown member of {name}", _spliced(allow, b'"zebra":%b' % value))
    yield from _too_much(allow)
    yield from _types(allow)
    yield from _missing(allow)
    yield from _wrong_types(allow)
    yield from _choices(allow)
    yield from _other_kinds(permission_id)
    for wrong in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        body = json.dumps(allow).encode()
        yield Hostile(wrong, body, 415, "unsupported-media-type", headers={"content-type": wrong})
    packed = {**JSON, "content-encoding": "gzip"}
    yield Hostile("gzip", json.dumps(allow).encode(), 415, "unsupported-media-type", headers=packed)


_NO_OBJECTS = {
    "nothing": b"",
    "white space": b" \r\n\t ",
    "no JSON": b"approved=true",
    "a BOM": b"\xef\xbb\xbf{}",
    "cut off": b'{"type":"PERMISSION_RESPONSE","permissionId":"a',
    "two documents": b"{}{}",
    "a trailing comma": b'{"type":"PERMISSION_RESPONSE",}',
    "single quotes": b"{'type':'PERMISSION_RESPONSE'}",
    "an array": b'[{"type":"PERMISSION_RESPONSE"}]',
    "a string": b'"PERMISSION_RESPONSE"',
    "a number": b"17",
    "null": b"null",
    "true": b"true",
    "an empty object": b"{}",
    "a lone NUL": b"\x00",
}

_NO_TEXTS = {
    "bad UTF-8": b'"\xff\xfe"',
    "a surrogate in UTF-8": b'"\xed\xa0\x80"',
    "a raw NUL": b'"a\x00b"',
    "an escaped NUL": b'"a\\u0000b"',
    "half a surrogate pair": b'"\\ud800"',
    "surrogates the wrong way round": b'"\\udc00\\ud800"',
    "a bad escape": b'"\\x41"',
    "NaN": b"NaN",
    "a leading zero": b"007",
}


def _too_much(allow: dict[str, Any]) -> Iterator[Hostile]:
    deep = {"65 levels": b"[" * 65 + b"]" * 65, "100 000 objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000}
    for name, value in deep.items():
        yield Hostile(name, _spliced(allow, b'"zebra":%b' % value), 413, "payload-too-large", "64 levels")
    whole = json.dumps(allow).encode()
    yield Hostile("one byte too many", whole + b" " * (LIMIT + 1 - len(whole)), 413, "payload-too-large")
    yield Hostile("30 MB", _spliced(allow, b'"reason":"%b"' % (b"x" * 30_000_000)), 413, "payload-too-large")


def _types(allow: dict[str, Any]) -> Iterator[Hostile]:
    no_type = {name: value for name, value in allow.items() if name != "type"}
    yield Hostile("no type", json.dumps(no_type).encode(), names="`type`")
    yield Hostile("a type of another case", _with(no_type, Type="PERMISSION_RESPONSE"), names="`type`")
    for wrong in (None, 1, True, [], {}, ["PERMISSION_RESPONSE"]):
        yield Hostile(f"type {wrong!r}", _with(allow, type=wrong), names="`$.type`")
    for wrong in ("", "NOPE", "PERMISSION_RESPONSE ", "PermissionResponse", "RESPONSE", "x" * 5000):
        yield Hostile(f"type {wrong!r:.30}", _with(allow, type=wrong), names=wrong[:90])
    events = ("TEXT_DELTA", "PERMISSION_REQUEST", "PERMISSION_APPROVED", "BRANCH_RUN_COMPLETED", "STREAM_CLOSING")
    for wrong in (*events, "AGENT_RESPONSE_REJECTED", "USER_TEXT_INPUT", "USER_MESSAGES_INPUT"):
        members = {"text": "a", "messageId": "m", "requestId": "r"}
        yield Hostile(wrong, _with(allow, type=wrong, **members), names=f"{wrong} is not a response")
    yield Hostile("an interruption", _with(allow, type="INTERRUPTION_REQUEST"), names="INTERRUPTION_REQUEST")
    repeated = json.dumps(allow).encode()[:-1] + b',"type":"TEXT_DELTA"}'
    yield Hostile("a repeated type whose last is wrong", repeated, names="TEXT_DELTA")


def _missing(allow: dict[str, Any]) -> Iterator[Hostile]:
    for member in ("permissionId", "approved"):
        left = {name: value for name, value in allow.items() if name != member}
        yield Hostile(f"no {member}", json.dumps(left).encode(), names=f"`{member}`")
        other_case = {**left, member.upper(): allow[member]}
        yield Hostile(f"{member} in another case", json.dumps(other_case).encode(), names=f"`{member}`")
    yield Hostile("another id", _with({"type": allow["type"], "approved": True}, requestId="r"), names="`permissionId`")


def _wrong_types(allow: dict[str, Any]) -> Iterator[Hostile]:
    for wrong in ("true", 1, 0, None, [], {}):
        yield Hostile(f"approved {wrong!r}", _with(allow, approved=wrong), names="`$.approved`")
    for wrong in (1, None, True, [], {}, [allow["permissionId"]]):
        yield Hostile(f"permissionId {wrong!r:.20}", _with(allow, permissionId=wrong), names="`$.permissionId`")
    for wrong in (1, True, [], {"text": "no"}):
        yield Hostile(f"reason {wrong!r}", _with(allow, reason=wrong), names="`$.reason`")
        yield Hostile(f"sourceName {wrong!r}", _with(allow, sourceName=wrong), names="`$.sourceName`")
    for member, wrong in {"timestamp": "now", "sequenceNumber": "1", "metadata": [], "sessionId": 1}.items():
        yield Hostile(f"{member} {wrong!r}", _with(allow, **{member: wrong}), names=f"`$.{member}`")


def _choices(allow: dict[str, Any]) -> Iterator[Hostile]:
    for wrong in (
        7,
        3,
        -1,
        10**30,
        1.5,
        True,
        None,
        "",
        "7",
        "always",
        "ALLOW_ALWAYS",
        "allow-always",
        [],
        {},
        ["ask"],
    ):
        yield Hostile(f"choice {wrong!r}", _with(allow, choice=wrong), names="choice")
    yield Hostile("deny always and approved", _with(allow, choice="deny_always"), names="contradicts")
    yield Hostile("allow always and denied", _with(allow, approved=False, choice=1), names="contradicts")


def _other_kinds(request_id: str) -> Iterator[Hostile]:
    continuation = {"type": "CONTINUATION_RESPONSE", "continuationId": request_id, "approved": True}
    for wrong in ("3", 1.5, True, None, [], {}):
        body = _with(continuation, extensionAmount=wrong)
        yield Hostile(f"extensionAmount {wrong!r}", body, names="`$.extensionAmount`")
    digits = _spliced(continuation, b'"extensionAmount":%b' % (b"9" * 5000))
    yield Hostile("extensionAmount of 5 000 digits", digits, names="`$.extensionAmount`")
    clarification = {"type": "CLARIFICATION_RESPONSE", "requestId": request_id}
    yield Hostile("no answer", json.dumps(clarification).encode(), names="`answer`")
    for wrong in (1, None, True, [], {}):
        yield Hostile(f"answer {wrong!r}", _with(clarification, answer=wrong), names="`$.answer`")
    invoked = {"type": "CLIENT_TOOL_INVOKE_RESPONSE", "requestId": request_id}
    contents = (
        "text",
        1,
        None,
        {},
        ["text"],
        [{}],
        [{"type": "image"}],
        [{"type": "text"}],
        [{"type": "text", "text": 1}],
    )
    for wrong in contents:
        yield Hostile(f"content {wrong!r}", _with(invoked, content=wrong), names="`$.content")
    for wrong in ("true", 1, None):
        yield Hostile(f"success {wrong!r}", _with(invoked, success=wrong), names="`$.success`")
    for wrong in ("a", 1, [], {"hideTools": "a"}, {"injectToolHarnesses": [{"tools": []}]}):
        yield Hostile(f"augmentation {wrong!r}", _with(invoked, augmentation=wrong), names="`$.augmentation")
    payment = {"type": "PAYMENT_RESPONSE", "requestId": request_id}
    yield Hostile("a payment of nothing", json.dumps(payment).encode(), names="`paid`")
    yield Hostile("a payment in words", _with(payment, paid="seven"), names="`$.paid`")


def _with(members: dict[str, Any], **more: Any) -> bytes:
    return json.dumps({**members, **more}).encode()


def _spliced(members: dict[str, Any], member: bytes) -> bytes:
    return json.dumps(members).encode()[:-1] + b"," + member + b"}"
