"""Choosing among candidates inside of a run: once, whatever happens to the server, and learnt from in the end."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec

from events.ids import is_name
from hosting.domain.errors import RunDiverged
from hosting.domain.route import Route, read_route
from hosting.domain.run_observation import WorkEnd, observe_end
from hosting.domain.step import StepKind
from hosting.ports.results import Observe
from hosting.ports.units import BeginStep, FinishStep
from hosting.runtime.bench import Bench
from hosting.runtime.hand import Hand
from hosting.runtime.steps import Steps

_MOST_CANDIDATES: Final = 100
_LONGEST_NAME: Final = 200


async def choose_route(bench: Bench, steps: Steps, candidates: Sequence[str], work_type: str | None) -> str:
    """Return the candidate that is to do the work of a turn; see RunContext.route."""
    _check(candidates, work_type)
    router, hand = bench.runtime.router, bench.hand
    if router is None:
        return candidates[0]
    run = hand.lease.run
    # Without arguments: an operator who adds a candidate must not break the runs that are under way.
    key = steps.next_key(StepKind.ROUTE, "route", None)
    logged = steps.logged(key)
    if logged is None:
        work_type = work_type or hand.turn.agent_id
        route = Route(await router.choose(run.scope.tenant, work_type, candidates), work_type)
        hand.record(BeginStep(run.id, key), FinishStep(run.id, key.place, msgspec.json.encode(route)))
        await hand.settle()
    elif (route := read_route(logged)).provider not in candidates:
        raise RunDiverged(key.place, f"route to {route.provider}", f"route to one of {', '.join(candidates)}"[:500])
    hand.work_by(route.arm(run.scope.tenant))
    return route.provider


def observed(hand: Hand, key: str, *, succeeded: bool, began: datetime, ended: datetime) -> tuple[Observe, ...]:
    """Return what is learnt of whoever a turn was given to, now that it has ended by itself."""
    cost = None if hand.usage is None else hand.usage.cost_usd
    end = WorkEnd(succeeded, began, ended, cost)
    session_id = hand.lease.run.scope.session_id
    return tuple(Observe(observe_end(arm, session_id, key, end)) for arm in hand.arms)


def _check(candidates: Sequence[str], work_type: str | None) -> None:
    if isinstance(candidates, str) or not all(isinstance(name, str) for name in candidates):
        raise TypeError("The candidates must be a list of their names.")
    if not 1 <= len(candidates) <= _MOST_CANDIDATES:
        raise ValueError(f"There must be 1 to {_MOST_CANDIDATES} candidates.")
    for name in (*candidates, *([] if work_type is None else [work_type])):
        if not 1 <= len(name) <= _LONGEST_NAME or not is_name(name):
            raise ValueError(f"{name!r:.100} must have 1 to {_LONGEST_NAME} characters, each of which can be stored.")
