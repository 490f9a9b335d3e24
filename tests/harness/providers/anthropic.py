"""Anthropic's messages as they stream."""

from typing import Any

from tests.harness.providers.steps import Broken, Call, Finish, Reason, Spent, Status, Text
from tests.harness.providers.wire import sse

_ERRORS = {400: "invalid_request_error", 401: "authentication_error", 404: "not_found_error", 429: "rate_limit_error"}


class AnthropicWire:
    """One answer of `POST /v1/messages`: blocks, each with a start, deltas and a stop."""

    def __init__(self, request: dict[str, Any], number: int) -> None:
        self._model = str(request.get("model"))
        self._id = f"msg_fake_{number}"
        self._index = -1
        self._open: str | None = None
        self._signature: str | None = None
        self._called = False

    def begin(self) -> bytes:
        """See Wire."""
        message: dict[str, Any] = {
            "id": self._id,
            "type": "message",
            "role": "assistant",
            "model": self._model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": {"input_tokens": 0, "output_tokens": 0},
        }
        return _events({"type": "message_start", "message": message}, {"type": "ping"})

    def text(self, step: Text) -> bytes:
        """See Wire."""
        opened = self._block("text", {"type": "text", "text": ""})
        return opened + self._delta({"type": "text_delta", "text": step.piece})

    def reason(self, step: Reason) -> bytes:
        """See Wire."""
        opened = self._block("thinking", {"type": "thinking", "thinking": "", "signature": ""})
        self._signature = step.signature or self._signature
        return opened + self._delta({"type": "thinking_delta", "thinking": step.piece})

    def call(self, step: Call) -> bytes:
        """See Wire."""
        self._called = True
        ended = self._stop()
        chosen = step.id or f"toolu_{self._id}_{self._index + 1}"
        return ended + self._block("tool_use", {"type": "tool_use", "id": chosen, "name": step.name, "input": {}})

    def fragment(self, piece: str) -> bytes:
        """See Wire."""
        return self._delta({"type": "input_json_delta", "partial_json": piece})

    def end_call(self) -> bytes:
        """See Wire."""
        return self._stop()

    def end(self, spent: Spent | None, finish: Finish | None) -> bytes:
        """See Wire."""
        reason = finish.reason if finish else "tool_use" if self._called else "end_turn"
        ended = self._stop()
        delta = {"stop_reason": reason, "stop_sequence": None}
        told = {"type": "message_delta", "delta": delta, "usage": _usage(spent or Spent(0, 0))}
        return ended + _events(told, {"type": "message_stop"})

    def broken(self, step: Broken) -> bytes:
        """See Wire."""
        return _events({"type": "error", "error": {"type": step.type, "message": step.message}})

    def error(self, step: Status) -> dict[str, Any]:
        """See Wire."""
        return {"type": "error", "error": {"type": _ERRORS.get(step.code, "api_error"), "message": step.message}}

    def _block(self, kind: str, block: dict[str, Any]) -> bytes:
        if self._open == kind:
            return b""
        ended = self._stop()
        self._index, self._open = self._index + 1, kind
        return ended + _events({"type": "content_block_start", "index": self._index, "content_block": block})

    def _stop(self) -> bytes:
        if self._open is None:
            return b""
        signed = b""
        if self._open == "thinking" and self._signature is not None:
            signed = self._delta({"type": "signature_delta", "signature": self._signature})
        self._open = self._signature = None
        return signed + _events({"type": "content_block_stop", "index": self._index})

    def _delta(self, delta: dict[str, Any]) -> bytes:
        return _events({"type": "content_block_delta", "index": self._index, "delta": delta})


def _events(*datas: dict[str, Any]) -> bytes:
    return sse(*datas, named=True)


def _usage(spent: Spent) -> dict[str, Any]:
    # Here input_tokens leaves out what was cached; a script's Spent counts it in, as on the other wires.
    fresh = spent.input - spent.cached
    return {"input_tokens": fresh, "cache_read_input_tokens": spent.cached, "output_tokens": spent.output}
