"""The conversation in a request, in one form for all wires."""

import json
from collections.abc import Iterator
from typing import Any

from tests.harness.providers.request import Request

Said = tuple[Any, ...]
"""`("user", text)`, `("assistant", text)`, `("thought", text, signature)`, `("call", id, name, arguments)` or
`("result", id, text)`; what of it is no text is named by its type."""


def said_in(request: Request) -> list[Said]:
    """Return what was said, by whom, without the instructions."""
    return [each for message in request.messages() for each in _said(message)]


def _said(message: dict[str, Any]) -> Iterator[Said]:
    kind = message.get("type", "message")
    if kind == "function_call":
        yield "call", message["call_id"], message["name"], json.loads(message["arguments"])
    elif kind == "function_call_output":
        yield "result", message["call_id"], message["output"]
    elif kind == "reasoning":
        text = "".join(part["text"] for part in message["summary"])
        yield "thought", text, message.get("encrypted_content")
    elif message["role"] == "tool":
        yield "result", message["tool_call_id"], message["content"]
    elif message["role"] in ("user", "assistant"):
        if message.get("reasoning_content"):
            yield "thought", message["reasoning_content"], None
        yield from _contents(message["role"], message.get("content"))
        for call in message.get("tool_calls") or ():
            function = call["function"]
            yield "call", call["id"], function["name"], json.loads(function["arguments"])


def _contents(role: str, content: str | list[dict[str, Any]] | None) -> Iterator[Said]:
    if isinstance(content, str):
        yield role, content
        return
    for block in content or ():
        match block["type"]:
            case "text" | "input_text" | "output_text":
                yield role, block["text"]
            case "thinking":
                yield "thought", block["thinking"], block["signature"]
            case "tool_use":
                yield "call", block["id"], block["name"], block["input"]
            case "tool_result":
                yield "result", block["tool_use_id"], _text_of(block["content"])
            case kind:
                yield role, kind


def _text_of(content: str | list[dict[str, Any]]) -> str:
    return content if isinstance(content, str) else "".join(block.get("text", block["type"]) for block in content)
