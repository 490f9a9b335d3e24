"""Bodies that no route may take, and what each must be answered with."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

JSON = {"content-type": "application/json"}


@dataclass(frozen=True)
class Hostile:
    """A body, the code it must be refused with, and what the sentence must name."""

    name: str
    body: bytes
    code: str
    names: str = ""
    headers: dict[str, str] = field(default_factory=lambda: dict(JSON))


def anywhere(invalid: str, within: Callable[[bytes], bytes], limit: int) -> Iterator[Hostile]:
    """Yield what every write route refuses; `within` makes a body that is whole but for the value it is given."""
    for name, body in _NOT_JSON.items():
        yield Hostile(name, body, invalid)
    for name, value in _BAD_VALUES.items():
        yield Hostile(name, within(value), invalid)
    for name, value in _TOO_DEEP.items():
        yield Hostile(name, within(value), "payload-too-large", "64 levels")
        yield Hostile(f"{name}, unclosed", value.rstrip(b"]}1"), "payload-too-large", "64 levels")
    for name, value in _NO_OBJECT.items():
        yield Hostile(f"{name} as the body", value, invalid, "`$`")
    yield Hostile("an unknown member", b'{"zebra":1}', "unknown-member", "'zebra'")
    yield Hostile("a member of a wrong case", b'{"SessionID":"a"}', "unknown-member", "'SessionID'")
    yield Hostile("a long unknown member", b'{"%b":1}' % (b"z" * 5000), "unknown-member", "z" * 90)
    for wrong in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "x" * 500):
        yield Hostile(wrong[:30], within(b'"a"'), "unsupported-media-type", headers={"content-type": wrong})
    yield Hostile("gzip", within(b'"a"'), "unsupported-media-type", headers={**JSON, "content-encoding": "gzip"})
    yield Hostile("one byte too many", b" " * (limit - 1) + b"{}", "payload-too-large")
    yield Hostile("30 MB", within(b'"%b"' % (b"x" * 30_000_000)), "payload-too-large")


_NOT_JSON = {
    "white space": b" \r\n\t ",
    "a BOM": b"\xef\xbb\xbf{}",
    "UTF-16": '{"text":"a"}'.encode("utf-16"),
    "no JSON": b"text=hello",
    "cut off": b'{"text":"a',
    "a trailing comma": b'{"text":"a",}',
    "two documents": b"{}{}",
    "trailing garbage": b'{"text":"a"} x',
    "a comment": b'{/* a */"text":"a"}',
    "single quotes": b"{'text':'a'}",
    "a lone NUL": b"\x00",
    "a NUL behind the end": b'{"text":"a"}\x00',
}

_BAD_VALUES = {
    "bad UTF-8": b'"\xff\xfe"',
    "a surrogate in UTF-8": b'"\xed\xa0\x80"',
    "overlong UTF-8": b'"\xc0\xaf"',
    "a raw NUL": b'"a\x00b"',
    "an escaped NUL": b'"a\\u0000b"',
    "a NUL behind a backslash": b'"a\\\\\\u0000b"',
    "a raw line feed": b'"a\nb"',
    "an unpaired high surrogate": b'"\\ud800"',
    "an unpaired low surrogate": b'"\\udc00 and more"',
    "surrogates the wrong way round": b'"\\udc00\\ud800"',
    "a bad escape": b'"\\x41"',
    "NaN": b"NaN",
    "Infinity": b"Infinity",
    "-Infinity": b"-Infinity",
    "1e400": b"1e400",
    "-1e400": b"-1e400",
    "5 000 digits": b"9" * 5000,
    "a leading zero": b"007",
    "a hexadecimal number": b"0x10",
    "True": b"True",
}

_TOO_DEEP = {
    "65 levels": b"[" * 65 + b"]" * 65,
    "100 000 arrays": b"[" * 100_000 + b"]" * 100_000,
    "100 000 objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
}

_NO_OBJECT = {
    "an array": b'[{"text":"a"}]',
    "a string": b'"{}"',
    "null": b"null",
    "true": b"true",
    "a number": b"17",
}

BAD_IDS: tuple[str, ...] = ("", ".", "..", "a/b", "a b", "x" * 129, "é", "\N{GRINNING FACE}", "a\n", "a%20", "../x")
_NO_TEXTS: tuple[Any, ...] = (1, True, 1.5, [], {})


def sessions() -> Iterator[Hostile]:
    """Yield what POST /sessions refuses."""
    yield from anywhere("invalid-request", lambda value: b'{"metadata":{"a":%b}}' % value, 1 << 20)
    for wrong in (*_NO_TEXTS, *BAD_IDS):
        yield _body(f"sessionId {wrong!r:.20}", "invalid-request", "sessionId", sessionId=wrong)
    for wrong in ("a", 1, [], True):
        yield _body(f"metadata {wrong!r}", "invalid-request", "`$.metadata`", metadata=wrong)


def branches() -> Iterator[Hostile]:
    """Yield what POST branches refuses."""
    yield from anywhere("invalid-request", lambda value: b'{"metadata":{"a":%b}}' % value, 1 << 20)
    for wrong in (*_NO_TEXTS, *BAD_IDS):
        yield _body(f"branchId {wrong!r:.20}", "invalid-request", "branchId", branchId=wrong)
    for member in ("name", "description"):
        for wrong in _NO_TEXTS:
            yield _body(f"{member} {wrong!r}", "invalid-request", f"`$.{member}`", **{member: wrong})
    for wrong in ("a", 1, {}, [1], [None], ["a", ["b"]]):
        yield _body(f"tags {wrong!r}", "invalid-request", "`$.tags", tags=wrong)
    for wrong in ("a", 1, [], True):
        yield _body(f"metadata {wrong!r}", "invalid-request", "`$.metadata`", metadata=wrong)


def inputs() -> Iterator[Hostile]:
    """Yield what POST inputs refuses."""
    yield from anywhere("invalid-input", lambda value: b'{"text":%b}' % value, 16 << 20)
    yield Hostile("nothing", b"", "invalid-input", "empty")
    yield Hostile("a repeated text whose last is wrong", b'{"text":"a","text":1}', "invalid-input", "`$.text`")
    yield Hostile("a repeated type whose last is wrong", b'{"type":"USER_TEXT_INPUT","type":1}', "invalid-input")
    yield _body("no text", "invalid-input", "`text`")
    for wrong in (None, *_NO_TEXTS):
        yield _body(f"text {wrong!r}", "invalid-input", "`$.text`", text=wrong)
    yield _body("an empty text", "invalid-input", "`text`", text="")
    for member in ("agentId", "sessionId", "branchId", "clientInputId"):
        yield _body(f"{member} a number", "invalid-input", f"`$.{member}`", text="a", **{member: 1})
    yield from _types()
    yield from _messages()
    yield from _configurations()


def _types() -> Iterator[Hostile]:
    for wrong in (None, 1, True, [], {}, ["USER_TEXT_INPUT"]):
        yield _body(f"type {wrong!r}", "invalid-input", "`$.type`", type=wrong, text="a")
    unknown = ("", "NOPE", "USER_TEXT_INPUT ", "UserTextInput", "x" * 5000)
    for wrong in (*unknown, "TEXT_DELTA", "BRANCH_CREATED", "BRANCH_RUN_COMPLETED", "STREAM_CLOSING", "stream_reset"):
        yield _body(f"type {wrong[:20]!r}", "invalid-input", wrong[:90], type=wrong, text="a", messageId="m")
    for answer in ("PERMISSION_RESPONSE", "CLIENT_TOOL_INVOKE_RESPONSE"):
        yield _body(answer, "invalid-input", f"{answer} is not an input", type=answer, requestId="r")
    yield _body("an interruption", "invalid-input", "`$.reason`", type="Interruption_Request", reason=1)
    yield _body("an envelope without its text", "invalid-input", "`text`", type="USER_TEXT_INPUT")
    yield _body("an envelope with an empty text", "invalid-input", "`text`", type="user_text_input", text="")


def _messages() -> Iterator[Hostile]:
    user = {"role": "user", "text": "a"}
    wrong: dict[str, Any] = {
        "none": [],
        "no array": {"text": "a"},
        "null": None,
        "a string in it": ["a"],
        "the assistant last": [user, {"role": "assistant", "text": "b"}],
        "the system last": [{"role": "system", "text": "b"}],
        "an unknown role": [{"role": "tool", "text": "b"}],
        "a role that is long": [{"role": "r" * 5000, "text": "b"}],
        "no text": [{"role": "user"}],
        "an empty text": [{"role": "user", "text": ""}],
        "two shapes at once": [{"text": "a", "content": "b"}],
        "no contents": [{"contents": []}],
        "contents of another type": [{"contents": [{"$type": "image", "uri": "a"}]}],
        "contents that are text": [{"contents": ["a"]}],
        "no text but an empty one": [{"contents": [{"$type": "text", "text": ""}]}],
        "an uploaded file": [{"contents": [{"$type": "uri", "uri": "hpd-content://a", "mediaType": "image/png"}]}],
        "bytes that are no base64": [{"contents": [{"$type": "data", "uri": "data:image/png;base64,A"}]}],
        "a file of a system": [
            {"role": "system", "contents": [{"$type": "data", "uri": "data:image/png;base64,AAAA"}]},
            user,
        ],
        "a content that is a number": [{"content": 1}],
        "one id twice": [{"messageId": "m1", "text": "a"}, {"messageId": "m1", "text": "b"}],
    }
    for name, messages in wrong.items():
        yield _body(f"messages: {name}", "invalid-input", "messages", type="USER_MESSAGES_INPUT", messages=messages)
    yield _body("no messages", "invalid-input", "`messages`", type="USER_MESSAGES_INPUT")
    for bad in (*BAD_IDS, "sum_of_all"):
        messages = [{"messageId": bad, "text": "a"}]
        yield _body(
            f"messageId {bad!r:.20}", "invalid-input", "messageId", type="USER_MESSAGES_INPUT", messages=messages
        )


def _configurations() -> Iterator[Hostile]:
    for config in ("a", 1, [], True):
        yield _body(f"runConfig {config!r}", "invalid-input", "`runConfig`", text="a", runConfig=config)
    for timeout in (1, "", "soon", "PT0S", "-PT5M", "PT169H", "99:99:99", "5", [], "9" * 5000):
        yield _body(
            f"runTimeout {timeout!r:.20}", "invalid-input", "runTimeout", text="a", runConfig={"runTimeout": timeout}
        )
    for member in ("permissionTimeout", "clientToolTimeout"):
        yield _body(f"{member} 1", "invalid-input", member, text="a", runConfig={member: 1})
    for overrides in ([], {"delete_file": "yes"}, {"delete_file": None}, 1):
        config = {"permissionOverrides": overrides}
        yield _body(f"overrides {overrides!r}", "invalid-input", "permissionOverrides", text="a", runConfig=config)
    for tools in ([], 1, {"clientToolHarnesses": [{"name": ""}]}, {"clientToolHarnesses": {}}):
        config = {"clientToolInput": tools}
        yield _body(f"client tools {tools!r}", "invalid-input", "clientToolInput", text="a", runConfig=config)
    for member in ("apiKey", "providerEndpoint", "customHeaders", "zebra", "RunTimeout", "z" * 5000):
        yield _body(f"runConfig.{member[:20]}", "run-config-refused", member[:90], text="a", runConfig={member: "x"})
    for behavior in ("", "queued", "nope", 1, None, "b" * 5000):
        name = f"runningRunBehavior {behavior!r:.20}"
        yield _body(name, "invalid-input", "`$.runningRunBehavior`", text="a", runningRunBehavior=behavior)


def _body(name: str, code: str, names: str, /, **members: Any) -> Hostile:
    return Hostile(name, json.dumps(members).encode(), code, names)
