"""OpenAI's responses as they stream; pydantic-ai's `openai:` speaks this one."""

from typing import Any

from tests.harness.providers.steps import Broken, Call, Finish, Reason, Spent, Status, Text
from tests.harness.providers.wire import sse


class ResponsesWire:
    """One answer of `POST /v1/responses`: items, each added, told in deltas, and done."""

    def __init__(self, request: dict[str, Any], number: int) -> None:
        self._model = str(request.get("model"))
        self._number = number
        self._sequence = -1
        self._items: list[dict[str, Any]] = []
        self._open: str | None = None
        self._said = ""
        self._signature: str | None = None

    def begin(self) -> bytes:
        """See Wire."""
        return self._events({"type": "response.created", "response": self._response("in_progress")})

    def text(self, step: Text) -> bytes:
        """See Wire."""
        message = {"type": "message", "role": "assistant", "status": "in_progress", "content": []}
        opened = self._item("message", message)
        self._said += step.piece
        return opened + self._delta("response.output_text.delta", step.piece, content_index=0, logprobs=[])

    def reason(self, step: Reason) -> bytes:
        """See Wire."""
        opened = self._item("reasoning", {"type": "reasoning", "summary": []})
        self._said += step.piece
        self._signature = step.signature or self._signature
        return opened + self._delta("response.reasoning_summary_text.delta", step.piece, summary_index=0)

    def call(self, step: Call) -> bytes:
        """See Wire."""
        ended = self._stop()
        chosen = step.id or f"call_{self._number}_{len(self._items)}"
        call = {"type": "function_call", "call_id": chosen, "name": step.name, "arguments": ""}
        return ended + self._item("function_call", call | {"status": "in_progress"})

    def fragment(self, piece: str) -> bytes:
        """See Wire."""
        self._said += piece
        return self._delta("response.function_call_arguments.delta", piece)

    def end_call(self) -> bytes:
        """See Wire."""
        return self._stop()

    def end(self, spent: Spent | None, finish: Finish | None) -> bytes:
        """See Wire."""
        ended = self._stop()
        status = finish.reason if finish else "completed"
        response = self._response(status) | {"output": self._items, "usage": _usage(spent)}
        if status == "incomplete":
            response["incomplete_details"] = {"reason": "max_output_tokens"}
        return ended + self._events({"type": f"response.{status}", "response": response})

    def broken(self, step: Broken) -> bytes:
        """See Wire."""
        return self._events({"type": "error", "code": step.type, "message": step.message, "param": None})

    def error(self, step: Status) -> dict[str, Any]:
        """See Wire."""
        code = "model_not_found" if step.code == 404 else None
        return {"error": {"message": step.message, "type": "invalid_request_error", "param": None, "code": code}}

    def _item(self, kind: str, item: dict[str, Any]) -> bytes:
        if self._open == kind:
            return b""
        ended = self._stop()
        item = {"id": f"item_{self._number}_{len(self._items)}", **item}
        self._items.append(item)
        self._open, self._said = kind, ""
        place = {"output_index": len(self._items) - 1, "item": item}
        return ended + self._events({"type": "response.output_item.added", **place})

    def _delta(self, kind: str, piece: str, **more: object) -> bytes:
        place = {"item_id": self._items[-1]["id"], "output_index": len(self._items) - 1}
        return self._events({"type": kind, **place, "delta": piece, **more})

    def _stop(self) -> bytes:
        if self._open is None:
            return b""
        item, said = self._items[-1], self._said
        if self._open == "message":
            item |= {"status": "completed", "content": [{"type": "output_text", "text": said, "annotations": []}]}
        elif self._open == "reasoning":
            item |= {"summary": [{"type": "summary_text", "text": said}], "encrypted_content": self._signature}
        else:
            item |= {"status": "completed", "arguments": said}
        self._open = self._signature = None
        place = {"output_index": len(self._items) - 1, "item": item}
        return self._events({"type": "response.output_item.done", **place})

    def _events(self, *datas: dict[str, Any]) -> bytes:
        told = []
        for data in datas:
            self._sequence += 1
            told.append(data | {"sequence_number": self._sequence})
        return sse(*told, named=True)

    def _response(self, status: str) -> dict[str, Any]:
        return {
            "id": f"resp_{self._number}",
            "object": "response",
            "created_at": 1_700_000_000,
            "model": self._model,
            "status": status,
            "output": [],
            "parallel_tool_calls": True,
            "tool_choice": "auto",
            "tools": [],
        }


def _usage(spent: Spent | None) -> dict[str, Any] | None:
    if spent is None:
        return None
    return {
        "input_tokens": spent.input,
        "input_tokens_details": {"cached_tokens": spent.cached},
        "output_tokens": spent.output,
        "output_tokens_details": {"reasoning_tokens": spent.reasoning},
        "total_tokens": spent.input + spent.output,
    }
