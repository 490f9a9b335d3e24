"""OpenAI's chat completions as they stream."""

from itertools import count
from typing import Any

from tests.harness.providers.steps import Broken, Call, Finish, Reason, Spent, Status, Text
from tests.harness.providers.wire import sse


class ChatWire:
    """One answer of `POST /v1/chat/completions`; reasoning is told as compatible servers do, as `reasoning_content`."""

    def __init__(self, request: dict[str, Any], number: int) -> None:
        self._model = str(request.get("model"))
        self._id = f"chatcmpl-{number}"
        self._indexes = count()
        self._index = -1
        self._call: Call | None = None

    def begin(self) -> bytes:
        """See Wire."""
        return self._delta({"role": "assistant", "content": ""})

    def text(self, step: Text) -> bytes:
        """See Wire."""
        return self._delta({"content": step.piece})

    def reason(self, step: Reason) -> bytes:
        """See Wire."""
        return self._delta({"reasoning_content": step.piece})

    def call(self, step: Call) -> bytes:
        """See Wire."""
        self._index, self._call = next(self._indexes), step
        chosen = step.id or f"call_{self._id}_{self._index}"
        return self._called({"id": chosen, "type": "function", "function": {"name": step.name, "arguments": ""}})

    def fragment(self, piece: str) -> bytes:
        """See Wire."""
        assert self._call is not None
        repeated = {"name": self._call.name} if self._call.repeats_name else {}
        return self._called({"function": {**repeated, "arguments": piece}})

    def end_call(self) -> bytes:
        """See Wire."""
        return b""

    def end(self, spent: Spent | None, finish: Finish | None) -> bytes:
        """See Wire."""
        reason = finish.reason if finish else "stop" if self._call is None else "tool_calls"
        ended = sse(self._chunk([{"index": 0, "delta": {}, "finish_reason": reason}]))
        told = b"" if spent is None else sse(self._chunk([]) | {"usage": _usage(spent)})
        return ended + told + b"data: [DONE]\n\n"

    def broken(self, step: Broken) -> bytes:
        """See Wire."""
        return sse({"error": {"message": step.message, "type": step.type, "code": step.type, "param": None}})

    def error(self, step: Status) -> dict[str, Any]:
        """See Wire."""
        code = "model_not_found" if step.code == 404 else None
        return {"error": {"message": step.message, "type": "invalid_request_error", "param": None, "code": code}}

    def _called(self, what: dict[str, Any]) -> bytes:
        return self._delta({"tool_calls": [{"index": self._index, **what}]})

    def _delta(self, delta: dict[str, Any]) -> bytes:
        return sse(self._chunk([{"index": 0, "delta": delta, "finish_reason": None}]))

    def _chunk(self, choices: list[dict[str, Any]]) -> dict[str, Any]:
        head = {"id": self._id, "object": "chat.completion.chunk", "created": 1_700_000_000, "model": self._model}
        return {**head, "choices": choices}


def _usage(spent: Spent) -> dict[str, Any]:
    return {
        "prompt_tokens": spent.input,
        "completion_tokens": spent.output,
        "total_tokens": spent.input + spent.output,
        "prompt_tokens_details": {"cached_tokens": spent.cached},
        "completion_tokens_details": {"reasoning_tokens": spent.reasoning},
    }
