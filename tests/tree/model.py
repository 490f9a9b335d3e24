"""A small model of a session's tree: what forks, inputs and deletes make of it."""

from dataclasses import dataclass, field
from typing import Generic, TypeVar


@dataclass
class ModelBranch:
    """A branch: where it comes from, and the messages that it has."""

    source: str | None = None
    at: str | None = None
    ancestors: tuple[str, ...] = ()
    messages: list[str] = field(default_factory=list)

    @property
    def is_busy(self) -> bool:
        """Whether something runs on it, and it cannot be deleted."""
        return False


B = TypeVar("B", bound=ModelBranch)


class Model(Generic[B]):
    """Predicts what each request is answered with, and what the tree is then."""

    def __init__(self, kind: type[B]) -> None:
        self._kind = kind
        self.branches = {"main": kind()}

    def create(self, new: str) -> int:
        """Create a branch without messages."""
        if new in self.branches:
            return 409
        self.branches[new] = self._kind()
        return 201

    def fork(self, source: str, at: str, new: str) -> int:
        """Copy a branch up to a message."""
        origin = self.branches.get(source)
        if origin is None:
            return 404
        if at not in origin.messages:
            return 400
        if new in self.branches:
            return 409
        messages = origin.messages[: origin.messages.index(at) + 1]
        self.branches[new] = self._kind(source, at, (*origin.ancestors, source), messages)
        return 201

    def delete(self, branch: str, *, recursive: bool) -> int:
        """Delete a branch, with what stems from it."""
        if branch not in self.branches:
            return 404
        if branch == "main" or (self.children(branch) and not recursive):
            return 400
        doomed = [name for name, each in self.branches.items() if branch in (name, *each.ancestors)]
        if any(self.branches[name].is_busy for name in doomed):
            return 409
        for name in doomed:
            del self.branches[name]
        return 204

    def children(self, branch: str) -> list[str]:
        """Return the forks of a branch, in order of creation."""
        return [name for name, each in self.branches.items() if each.source == branch]

    def group(self, branch: str) -> list[str]:
        """Return a branch and its siblings."""
        own = self.branches[branch]
        if own.source is None:
            return [name for name, each in self.branches.items() if each.source is None]
        forks = [name for name, each in self.branches.items() if (each.source, each.at) == (own.source, own.at)]
        return [own.source, *forks]
