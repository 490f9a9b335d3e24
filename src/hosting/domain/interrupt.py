"""An interrupt: somebody wants a run, or the nested work in it that has this flow, to end."""

from dataclasses import dataclass

from events.ids import RunId
from events.interruption import InterruptionSource


@dataclass(frozen=True, slots=True)
class Interrupt:
    """A wish as stored; without a `flow` it means the whole run."""

    run_id: RunId
    reason: str
    source: InterruptionSource
    flow: str | None = None
