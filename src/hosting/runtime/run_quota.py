"""How many runs a node works on: of each tenant, and in all."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from hosting.domain.overload_errors import TooManyRuns, refuse_full
from hosting.domain.quota import Quota
from hosting.domain.run import Run
from hosting.domain.scope import TenantId


class RunQuota(Quota[str]):
    """Refuses inputs whose runs would be too many.

    Runs that are there already, since they left the queue or another node, are counted and never refused.
    """

    def began(self, run: Run) -> None:
        """Count a run that this node works on from now on."""
        self.add(run.scope.tenant)

    def ended(self, run: Run) -> None:
        """Count no more one that began."""
        self.give_back(run.scope.tenant)

    @contextmanager
    def reserved(self, tenant: TenantId) -> Iterator[None]:
        """Keep a place for a run while it is being stored; once it is begun, it is counted by who works on it.

        Raises:
            TooManyRuns, Overloaded: there is none.
        """
        refuse_full(self.take(tenant), partial(TooManyRuns, self.most_of_one))
        try:
            yield
        finally:
            self.give_back(tenant)

    @property
    def room(self) -> int:
        """How many more runs may be taken up, whoever they belong to."""
        return max(0, self.most - self.taken)
