"""Where in a run something happens: in its own turn, or in that of an agent inside of it."""

from dataclasses import dataclass
from typing import Any

from hosting.cli.legible import cut, one_line

_LONGEST_NAME = 40
_DEEPEST_SHOWN = 16


@dataclass(frozen=True, slots=True)
class Nesting:
    """How many turns something is inside of, and whose turn that is; the run's own has no name here."""

    depth: int = 0
    agent: str = ""

    @classmethod
    def of(cls, metadata: dict[str, Any] | None) -> "Nesting":
        """Read the `metadata` of an event."""
        depth = (metadata or {}).get("depth")
        if metadata is None or not isinstance(depth, int) or depth <= 0:
            return cls()
        return cls(min(depth, _DEEPEST_SHOWN), cut(one_line(str(metadata.get("agentName") or "agent")), _LONGEST_NAME))

    def line(self, text: str) -> str:
        """Return a line at its place, with the name of the agent in front: `  Scout -> search()`."""
        return self.margin + (f"{self.agent} {text}" if self.agent else text)

    @property
    def subject(self) -> str:
        """Who it is that does something."""
        return self.agent or "The run"

    @property
    def margin(self) -> str:
        """The space that a line of it begins with."""
        return "  " * self.depth
