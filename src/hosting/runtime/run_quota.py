"""How many runs a node works on: of each tenant, and in all."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from hosting.domain.overload_errors import TooManyRuns, refuse_full
from hosting.domain.quota import Full, Quota
from hosting.domain.run import Run
from hosting.domain.scope import BranchScope, TenantId


class RunQuota(Quota[str]):
    """Refuses inputs whose runs would be too many.

    Runs that are there already, since they left the queue or another node, are counted and never refused.
    """

    def __init__(self, most: int, most_of_one: int) -> None:
        super().__init__(most, most_of_one)
        self._branches: Counter[BranchScope] = Counter()

    def began(self, run: Run) -> None:
        """Count a run that this node works on from now on."""
        self.add(run.scope.tenant)
        self._branches[run.scope] += 1

    def ended(self, run: Run) -> None:
        """Count no more one that began."""
        self.give_back(run.scope.tenant)
        self._branches[run.scope] -= 1
        if not self._branches[run.scope]:
            del self._branches[run.scope]

    def check(self, branch: BranchScope) -> None:
        """Make sure, before anything is read, that an input has a chance: it may also wait behind a run that is here.

        Raises:
            TooManyRuns, Overloaded: it has none.
        """
        if branch not in self._branches:
            self._refuse(self.full(branch.tenant))

    @contextmanager
    def reserved(self, tenant: TenantId) -> Iterator[None]:
        """Keep a place for a run while it is being stored; once it is begun, it is counted by who works on it.

        Raises:
            TooManyRuns, Overloaded: there is none.
        """
        self._refuse(self.take(tenant))
        try:
            yield
        finally:
            self.give_back(tenant)

    @property
    def room(self) -> int:
        """How many more runs may be taken up, whoever they belong to."""
        return max(0, self.most - self.taken)

    def _refuse(self, full: Full | None) -> None:
        refuse_full(full, partial(TooManyRuns, self.most_of_one))
