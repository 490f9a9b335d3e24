"""The streams of branches, which OpenAPI has no words for: server-sent events, WebSocket, and a log line by line.

The extensions `x-event-stream` and `x-websocket` say in a form that programs can read what docs/reference/wire.md says.
"""

from typing import Final

from hosting.api.openapi_bodies import ENVELOPES
from hosting.api.openapi_events import LOGGED, STREAMED, TOLD
from hosting.api.openapi_schemas import POSITION, TEXT, Json, reference

FEED: Final = "getLive"
SOCKET: Final = "getSocket"
INTERVIEW: Final = "getInterviewStream"
CREDENTIALS: Final = "getRotateStream"
LINES: Final = "getRunLog"

POSITION_PARAMETERS: Final[list[Json]] = [
    {
        "name": "after",
        "in": "query",
        "required": False,
        "description": "Follow from behind this position, `epoch.seq`; an empty one is none.",
        "schema": TEXT,
    },
    {
        "name": "Last-Event-ID",
        "in": "header",
        "required": False,
        "description": "The same, as a browser sends it when it comes back; it wins over `after`.",
        "schema": TEXT,
    },
]

_FEED_HEADERS: Final[Json] = {
    "Cache-Control": {"required": True, "schema": {"const": "no-cache"}},
    "X-Accel-Buffering": {"required": True, "schema": {"const": "no"}},
}
_FRAMES: Final[Json] = {
    "lineEnd": "LF",
    "frames": [
        {
            "when": "once, at the beginning",
            "lines": {"retry": {"type": "integer", "description": "Milliseconds."}, "id": POSITION},
        },
        {"when": "for each event of the log", "lines": {"id": POSITION, "data": reference("LoggedEvent")}},
        {
            "when": "first, for a position that cannot be followed from; its `id` is the head",
            "lines": {"id": POSITION, "data": reference("StreamReset")},
        },
        {
            "when": "every BRANCHLINE_HEARTBEAT_SECONDS in which nothing else is sent; a comment goes before",
            "lines": {"id": POSITION},
        },
        {"when": "the stream broke on the server", "lines": {"data": reference("StreamError")}},
        {
            "when": "last, when the server ends the stream; `retry` says what `retryMs` does",
            "lines": {"data": reference("StreamClosing"), "retry": {"type": "integer"}},
        },
    ],
}
_CLOSE_CODES: Final[list[tuple[int, list[str], str]]] = [
    (1000, [], "The client closed; it has its own code back."),
    (1001, ["drain"], "The server is shutting down; STREAM_CLOSING came before."),
    (1002, [], "What came is no WebSocket frame, or a compressed one."),
    (1003, ["Only text frames hold envelopes"], "A binary frame came."),
    (1007, ["Invalid agent input or response event envelope"], "The frame is no envelope that can be carried out."),
    (1007, ["Session or branch not found"], "The branch is gone; STREAM_CLOSING came before."),
    (
        1008,
        ["branch-run-active", "branch-run-not-active", "queue-full", "message-exists"],
        "The envelope does not fit the state of the branch, as the problem with that code says.",
    ),
    (
        1009,
        ["payload-too-large", "message too big"],
        "The message is too large, nested too deep, or in too many fragments.",
    ),
    (
        1011,
        ["storage-unavailable", "internal-error", "keepalive ping timeout"],
        "The connection broke on the server, or the client did not answer a ping.",
    ),
    (1013, ["slow"], "The client took too little for too long; it may come back from its last event."),
]


def describe_feed(response: Json) -> None:
    """Complete the answer that streams server-sent events."""
    response["description"] = (
        f"The branch's events, as they happen; the data of a frame is one {STREAMED}. It ends only by STREAM_CLOSING."
    )
    response["headers"] = _FEED_HEADERS
    response["content"] = {
        "text/event-stream": {
            "schema": {"type": "string", "contentMediaType": "text/event-stream"},
            "x-event-stream": {**_FRAMES, "data": reference(STREAMED)},
        }
    }


def describe_interview(responses: Json) -> None:
    """Complete the answers of the route that streams an interview's chunks."""
    responses["200"] = {
        "description": "What the agent says, as chunks of a user interface (docs/reference/worker-protocol.md).",
        "content": {"text/event-stream": {"schema": {"type": "string", "contentMediaType": "text/event-stream"}}},
    }
    responses["204"] = {"description": "The interview is over."}


def describe_credentials(response: Json) -> None:
    """Complete the answer that streams what changes among credentials."""
    response["description"] = (
        "`UPDATE` events with names, without values, until the client leaves (docs/reference/worker-protocol.md)."
    )
    response["content"] = {"text/event-stream": {"schema": {"type": "string", "contentMediaType": "text/event-stream"}}}


def describe_lines(response: Json) -> None:
    """Complete the answer that is events, one a line."""
    line = {"type": "string", "contentMediaType": "application/x-ndjson", "x-line": reference(LOGGED)}
    response["content"] = {"application/x-ndjson": {"schema": line}}


def describe_socket(operation: Json) -> None:
    """Complete the route that a WebSocket is opened by."""
    operation["responses"]["101"]["description"] = "The WebSocket is open; `x-websocket` says what goes over it."
    operation["x-websocket"] = {
        "send": {"frame": "text", "schema": reference(ENVELOPES)},
        "receive": {"frame": "text", "schema": reference(TOLD)},
        "closeCodes": [{"code": code, "reasons": reasons, "means": means} for code, reasons, means in _CLOSE_CODES],
    }
