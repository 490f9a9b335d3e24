"""What the user has said of tools for the whole session, as a batch of calls finds it."""

from collections.abc import Iterable

import msgspec

from hosting.domain.scope import BranchKey, BranchScope
from hosting.ports.store import RunReads
from hosting.ports.units import KeepState
from hosting.runtime.bench import Bench


class Choices:
    """The choices about the tools of one batch.

    Read once for all of them: reading one while another question of the batch is asked already would part the two, and
    a quick answer would come between them.
    """

    def __init__(self, bench: Bench, tools: Iterable[str]) -> None:
        self._bench = bench
        self._names = [_kept_as(tool) for tool in tools]
        self._kept: dict[str, bytes] | None = None

    async def of(self, tool: str) -> bool | None:
        """Return whether all calls of a tool are allowed, or denied; None when nobody has said so."""
        if self._kept is None:
            self._kept = await self._bench.states(self._names, of_branch=False)
        kept = self._kept.get(_kept_as(tool))
        return None if kept is None else msgspec.json.decode(kept, type=bool)


async def choice_of(reads: RunReads, branch: BranchKey, scope: BranchScope, tool: str) -> bool | None:
    """Return what was said of all calls of one tool in a session, as Choices.of does."""
    kept = await reads.state(branch, scope, [_kept_as(tool)], of_branch=False)
    return None if _kept_as(tool) not in kept else msgspec.json.decode(kept[_kept_as(tool)], type=bool)


def keep_choice(scope: BranchScope, tool: str, *, approved: bool) -> KeepState:
    """Return the change that keeps a choice about a tool."""
    return KeepState(scope, of_branch=False, name=_kept_as(tool), value=msgspec.json.encode(approved))


def _kept_as(tool: str) -> str:
    return f"permission:{tool}"
