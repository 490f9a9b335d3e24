"""Everything that is measured, by the ids of the goals."""

from collections.abc import Callable
from typing import Final

from benchmarks.plan import Plan
from benchmarks.row import Row
from benchmarks.scenarios.appends import group_commit, paced_appends
from benchmarks.scenarios.codec import codec
from benchmarks.scenarios.fan_out import against_stock, in_bursts, one_by_one, to_a_thousand
from benchmarks.scenarios.fan_out_latency import to_a_hundred, to_a_thousand_in_time
from benchmarks.scenarios.first_event import first_event
from benchmarks.scenarios.idle import idle
from benchmarks.scenarios.joiners import joiners
from benchmarks.scenarios.many_branches import ten_thousand_a_second, twenty_thousand_a_second
from benchmarks.scenarios.many_runs import many_runs
from benchmarks.scenarios.model_agent import first_token, model_stream
from benchmarks.scenarios.one_run import one_run
from benchmarks.scenarios.paced_runs import paced_runs
from benchmarks.scenarios.relay import relay
from benchmarks.scenarios.routing_select import routing_select
from benchmarks.scenarios.stuck import stuck_reader

SCENARIOS: Final[dict[str, Callable[[Plan], list[Row]]]] = {
    "P1": first_event,
    "P2": one_run,
    "P3": many_runs,
    "P3B": paced_runs,
    "P5": joiners,
    "A1": in_bursts,
    "A2": one_by_one,
    "A3": to_a_thousand,
    "A4": to_a_hundred,
    "A5": to_a_thousand_in_time,
    "A6": against_stock,
    "B1": ten_thousand_a_second,
    "B2": twenty_thousand_a_second,
    "B3": idle,
    "B4": stuck_reader,
    "C1": codec,
    "D1": group_commit,
    "D2": paced_appends,
    "M1": first_token,
    "M2": model_stream,
    "W1": relay,
    "R1": routing_select,
}
