"""The tool calls that are open, by the message that made them."""

from dataclasses import dataclass, field

from events.tools import ToolCallStart


@dataclass(slots=True)
class _Batch:
    size: int = 0
    names: dict[str, str] = field(default_factory=dict)


class Batches:
    """Remembers open calls: their names, and which were made together."""

    def __init__(self) -> None:
        self._batches: dict[str, _Batch] = {}
        self._message_ids: dict[str, str] = {}

    def start(self, event: ToolCallStart) -> None:
        """Take a call in."""
        batch = self._batches.setdefault(event.message_id, _Batch())
        batch.size += 1
        batch.names[event.call_id] = event.name
        self._message_ids[event.call_id] = event.message_id

    def name(self, call_id: str) -> str | None:
        """Return the name of an open call."""
        batch = self._batches.get(self._message_ids.get(call_id, ""))
        return None if batch is None else batch.names.get(call_id)

    def is_one_of_several(self, call_id: str) -> bool:
        """Say whether an open call was made together with others."""
        batch = self._batches.get(self._message_ids.get(call_id, ""))
        return batch is not None and batch.size > 1

    def end(self, call_id: str) -> None:
        """Forget a call."""
        message_id = self._message_ids.pop(call_id, "")
        batch = self._batches.get(message_id)
        if batch is not None:
            batch.names.pop(call_id, None)
            if not batch.names:
                del self._batches[message_id]
