"""A reply that keeps a model's reasoning to itself."""

from collections.abc import Mapping
from typing import Any

from events.tools import CallType
from events.turns import Usage
from hosting.ports.agents import Reply


class Unreasoned:
    """Writes everything into another reply but the reasoning; see Reply."""

    def __init__(self, reply: Reply) -> None:
        self._reply = reply

    async def text(self, piece: str) -> None:
        """See Reply.text."""
        await self._reply.text(piece)

    async def reason(self, piece: str) -> None:
        """Say nothing: the run has asked for no reasoning."""

    async def call(
        self,
        name: str,
        arguments: Mapping[str, Any] | None = None,
        *,
        call_id: str | None = None,
        call_type: CallType = CallType.FUNCTION,
        harness: str | None = None,
    ) -> str:
        """See Reply.call."""
        return await self._reply.call(name, arguments, call_id=call_id, call_type=call_type, harness=harness)

    def spend(self, usage: Usage) -> None:
        """See Reply.spend."""
        self._reply.spend(usage)

    def attach(self, value: Any) -> None:
        """See Reply.attach."""
        self._reply.attach(value)
