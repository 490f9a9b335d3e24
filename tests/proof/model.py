"""A small model of a session: what each request is answered with, and what state it leaves behind."""

from dataclasses import dataclass, field

QUICK, ASKING = "Hi", "/permission"


@dataclass
class ModelBranch:
    """A branch: where it stems from, its messages, how its runs have ended, who asks, and who waits."""

    source: str | None = None
    at: str | None = None
    ancestors: tuple[str, ...] = ()
    messages: list[str] = field(default_factory=list)
    runs: dict[str, str] = field(default_factory=dict)
    asking: str | None = None
    queue: list[tuple[str, str]] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

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


class Model:
    """A session: its branches in the order of their making."""

    def __init__(self) -> None:
        self.branches = {"main": ModelBranch()}

    def create(self, new: str) -> int:
        """Make a branch without messages."""
        if new in self.branches:
            return 409
        self.branches[new] = ModelBranch()
        return 201

    def fork(self, source: str, at: str, new: str) -> int:
        """Copy a branch up to a message that has ended."""
        origin = self.branches.get(source)
        if origin is None:
            return 404
        if at not in origin.messages:
            return 400
        if new in self.branches:
            return 409
        copied = origin.messages[: origin.messages.index(at) + 1]
        self.branches[new] = ModelBranch(source, at, (*origin.ancestors, source), copied)
        return 201

    def delete(self, branch: str, *, recursive: bool) -> int:
        """Delete a branch, with all that stems from it if so asked."""
        if branch not in self.branches:
            return 404
        doomed = [name for name, each in self.branches.items() if branch in (name, *each.ancestors)]
        if branch == "main" or (self.children(branch) and not recursive):
            return 400
        if any(self.branches[name].asking for name in doomed):
            return 409
        for name in doomed:
            del self.branches[name]
        return 204

    def children(self, branch: str) -> list[str]:
        """Return the forks of a branch."""
        return [name for name, each in self.branches.items() if each.source == branch]
