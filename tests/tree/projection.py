"""The messages of a conversation, as its log tells them to a reader who knows nothing else."""

import json
from dataclasses import dataclass, field
from typing import Any

Event = dict[str, Any]
Log = list[Event]


@dataclass
class Told:
    """A message: what it thinks, says and calls, or its contents as they came."""

    id: str
    role: str
    contents: list[dict[str, Any]] = field(default_factory=list)
    thought: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    calls: dict[str, dict[str, Any]] = field(default_factory=dict)
    results: dict[str, dict[str, Any]] = field(default_factory=dict)
    has_spoken: bool = False

    @property
    def whole(self) -> list[dict[str, Any]]:
        """The contents that a copy has: what was thought, said and called, and then what came of the calls."""
        if self.contents:
            return self.contents
        thought = [{"$type": "reasoning", "text": "".join(self.thought)}] if self.thought else []
        said = [{"$type": "text", "text": "".join(self.said)}] if self.has_spoken or not self.calls else []
        results = [{"$type": "functionResult", "callId": call, "result": self.results.get(call)} for call in self.calls]
        return [*thought, *said, *self.calls.values(), *results]


def messages(log: Log) -> list[Told]:
    """Return the messages in order, those of nested work left out."""
    told: dict[str, Told] = {}
    owners: dict[str, Told] = {}
    for event in log:
        if "metadata" in event:
            continue
        kind = event["type"]
        if kind in {"MESSAGE_STARTED", "TEXT_MESSAGE_START", "REASONING_MESSAGE_START"}:
            told.setdefault(event["messageId"], Told(event["messageId"], event["role"]))
        if kind == "CONTENT_ADDED":
            told[event["messageId"]].contents.append(event["content"])
        elif kind == "REASONING_DELTA":
            told[event["messageId"]].thought.append(event["text"])
        elif kind == "TEXT_MESSAGE_START":
            told[event["messageId"]].has_spoken = True
        elif kind == "TEXT_DELTA":
            told[event["messageId"]].said.append(event["text"])
        elif kind == "TOOL_CALL_START":
            owner = owners[event["callId"]] = told.setdefault(event["messageId"], Told(event["messageId"], "assistant"))
            owner.calls[event["callId"]] = {"$type": "functionCall", "callId": event["callId"], "name": event["name"]}
        elif kind == "TOOL_CALL_ARGS":
            owners[event["callId"]].calls[event["callId"]]["arguments"] = json.loads(event["argsJson"])
        elif kind == "TOOL_CALL_RESULT":
            owners[event["callId"]].results[event["callId"]] = event["result"]
    return list(told.values())


def copies(log: Log) -> list[tuple[str, str, list[dict[str, Any]]]]:
    """Return the messages that a fork's log begins with: id, role and contents of each."""
    found: list[tuple[str, str, list[dict[str, Any]]]] = []
    for event in log[2:]:
        if event["type"] == "MESSAGE_STARTED":
            found.append((event["messageId"], event["role"], []))
        elif event["type"] == "CONTENT_ADDED":
            found[-1][2].append(event["content"])
        elif event["type"] != "MESSAGE_COMPLETED":
            break
    return found
