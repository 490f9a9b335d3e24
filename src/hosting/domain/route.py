"""Whom a run, or nested work in it, was given to, when it had candidates."""

from collections.abc import Iterable

import msgspec
from msgspec import Struct

from hosting.domain.arm import Arm
from hosting.domain.run import Run
from hosting.domain.scope import TenantId
from hosting.domain.step import Step, StepKind


class Route(Struct, frozen=True, rename="camel"):
    """A candidate that was chosen for a type of work, as the step of the choice keeps it."""

    provider: str
    work_type: str

    def arm(self, tenant: TenantId) -> Arm:
        """Return what learns of it."""
        return Arm(tenant, self.provider, self.work_type)


def routes_of(run: Run, steps: Iterable[Step]) -> tuple[Route, ...]:
    """Return what a run's own agent has chosen, not those that it nests; what a worker says it has chosen is not read.

    `steps` are the run's.
    """
    if run.work_item is not None:
        return ()
    own = (step for step in steps if step.key.kind is StepKind.ROUTE and "." not in step.key.place)
    return tuple(dict.fromkeys(read_route(step) for step in own if step.result is not None))


def read_route(step: Step) -> Route:
    """Return what a step has chosen, which must have a result."""
    return msgspec.json.decode(step.result or b"", type=Route)
