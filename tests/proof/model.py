"""A small model of a branch that things run on: what each request is answered with, and what state it leaves behind."""

from dataclasses import dataclass, field

from tests.tree.model import ModelBranch

QUICK, ASKING = "Hi", "/permission"


@dataclass
class RunningBranch(ModelBranch):
    """How its runs have ended, who asks, and who waits."""

    runs: dict[str, str] = field(default_factory=dict)
    asking: str | None = None
    queue: list[tuple[str, str]] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

    @property
    def is_busy(self) -> bool:
        """Whether a run asks; all others end by themselves before anybody looks."""
        return self.asking is not None

    def submit(self, text: str, *, queues: bool) -> int:
        """Foresee the answer to an input."""
        return 202 if self.asking is None or queues else 409

    def begin(self, run_id: str, text: str) -> None:
        """Know that an input was accepted."""
        self.queue.append((run_id, text))
        self.runs[run_id] = "queued"
        self.go_on()

    def go_on(self) -> None:
        """Let those that wait have their turn, up to the first that asks."""
        while self.queue and self.asking is None:
            run_id, text = self.queue.pop(0)
            if text.startswith(ASKING):
                self.asking, self.runs[run_id] = run_id, "active"
            else:
                self.runs[run_id] = "completed"

    def end(self, status: str) -> int:
        """Foresee what ends the run that asks, by an answer or an interrupt; 409 when none does."""
        if self.asking is None:
            return 409
        self.runs[self.asking], self.asking = status, None
        self.go_on()
        return 200 if status == "completed" else 202

    def remove(self, index: int) -> tuple[str, int]:
        """Take a run out of the queue, or try to with one that does not wait; return it and the answer."""
        if not self.runs:
            return "run_none", 404
        run_id = list(self.runs)[index % len(self.runs)]
        waits = [each for each in self.queue if each[0] == run_id]
        if not waits:
            return run_id, 409
        self.queue.remove(waits[0])
        self.runs[run_id] = "cancelled"
        return run_id, 204
