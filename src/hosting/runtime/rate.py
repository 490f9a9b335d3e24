"""Rating a run that has ended: once, and whoever it was given to learns of it."""

from hosting.domain.branch import Branch
from hosting.domain.errors import BranchMissing, RunMissing
from hosting.domain.rating_errors import RunNotEnded, RunRated
from hosting.domain.route import routes_of
from hosting.domain.run import Run
from hosting.domain.run_observation import observe_rating
from hosting.ports.results import Observe, RateRun
from hosting.ports.units import Committed, Refusal, Unit
from hosting.runtime.core import Runtime


async def rate_run(runtime: Runtime, branch: Branch, run: Run, rating: float) -> Run:
    """Keep how a client rates a run, from 0 to 1, and return the run as it is then; the same rating changes nothing.

    Raises:
        RunNotEnded: it can still become better.
        RunRated: it is rated otherwise.
        RunMissing, BranchMissing: it is gone meanwhile.
        StorageUnavailable: nothing was stored.
    """
    if run.rating is None:
        outcome = await _rated(runtime, run, rating)
        if not isinstance(outcome, Committed) and outcome is not Refusal.RUN_NOT_RATABLE:
            raise BranchMissing(branch.scope.session_id, branch.scope.branch_id)
        now = await runtime.tenant(branch.scope.tenant).run(branch.key, run.id)
        if now is None:
            raise RunMissing(run.id)
        run = now
    if run.rating is None:
        raise RunNotEnded(run.id, run.status)
    if run.rating != rating:
        raise RunRated(run.id)
    return run


async def _rated(runtime: Runtime, run: Run, rating: float) -> object:
    now, scope = runtime.clock(), run.scope
    unit = Unit(scope.tenant, run.branch_key, changes=[RateRun(run.id, rating)])
    arms = [route.arm(scope.tenant) for route in routes_of(run, await runtime.run_reads.steps(run.id))]
    unit.changes += [Observe(observe_rating(arm, scope.session_id, run.id, rating, now)) for arm in arms]
    outcome = await runtime.writer.append_to(unit)
    if runtime.router is not None:
        runtime.router.learnt(arms)
    return outcome
