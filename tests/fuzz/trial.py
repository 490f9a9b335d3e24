"""A trial of servers: thousands of requests that their description inspires, and a judge who knows it by heart."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from copy import deepcopy
from typing import Any, Final

import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.schemas import APIOperation

from tests.fuzz.hearing import Hearing, Verdict
from tests.fuzz.twists import STRANGE_IDS
from tests.harness.contract import Contract, Json, Operation

STREAMS: Final = ("getLive", "getSocket", "getInterviewStream", "getRotateStream")
"""They have tests of their own: test_streams.py here, and those of tests/fleet and tests/credentials."""

_SHARE_WITH_BODY, _SHARE_WITH_QUERY, _SHARE = 5, 3, 2
_SETTINGS = settings(
    database=None, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck), print_blob=False
)

Described = APIOperation[Any, Any, Any, Any]


class Trial:
    """Asks servers for everything that a document describes; the same seed makes up the same requests.

    Each request goes to every server, since to make it up takes longer than to answer it.
    """

    def __init__(self, bases: Sequence[str], document: Json, seed_: int) -> None:
        self._bases = bases
        self._seed = seed_
        self._contract = Contract(document)
        self._schema = schemathesis.openapi.from_dict(_with_strange_ids(document))

    def run(self, total: int, only: frozenset[str] = frozenset()) -> list[Verdict]:
        """Send at least so many requests to each server; routes that take more get more of them."""
        asked = [pair for pair in self._pairs() if not only or pair[0].id in only]
        shares = sum(_share(described) for _, described in asked)
        with ExitStack() as stack:
            hearings = [stack.enter_context(Hearing(base, self._contract, self._seed)) for base in self._bases]
            for operation, described in asked:
                self._ask(hearings, operation, described, max(1, -(-total * _share(described) // shares)))
        return [hearing.verdict for hearing in hearings]

    def _pairs(self) -> Iterator[tuple[Operation, Described]]:
        known = {operation.id: operation for operation in self._contract.operations}
        for result in self._schema.get_all_operations():
            described = result.ok()
            name = described.definition.raw["operationId"]
            if name not in STREAMS:
                yield known[name], described

    def _ask(self, hearings: list[Hearing], operation: Operation, described: Described, times: int) -> None:
        # Without shrinking: what a request meets depends on those before it, and the first sight is kept.
        @seed(self._seed)
        @settings(parent=_SETTINGS, max_examples=times)
        @given(_cases(described))
        def ask(case: Case) -> None:
            for hearing, same in zip(hearings, _copies(case), strict=False):
                hearing.ask(operation, same)

        ask()


def _copies(case: Case) -> Iterator[Case]:
    """Give a request again and again as it was made up, whatever became of it: each server has other ids."""
    parts = {name: getattr(case, name) for name in ("path_parameters", "query", "body")}
    while True:
        for name, part in parts.items():
            setattr(case, name, deepcopy(part) if isinstance(part, (dict, list)) else part)
        yield case


def _with_strange_ids(document: Json) -> Json:
    """Return the description with a few ids to choose from in paths, since to make up each one takes its time."""
    quicker = deepcopy(document)
    operations = (operation for item in quicker["paths"].values() for operation in item.values())
    for parameter in (one for operation in operations for one in operation.get("parameters", ())):
        if parameter["in"] == "path":
            parameter["schema"] = {"enum": list(STRANGE_IDS)}
    return quicker


def _cases(described: Described) -> st.SearchStrategy[Case]:
    """Return what makes up requests for a route: some fit what it takes, some do not."""
    fitting = described.as_strategy(generation_mode=GenerationMode.POSITIVE)
    if not described.body and not described.query:
        return fitting
    misfits = described.as_strategy(generation_mode=GenerationMode.NEGATIVE)
    # More seldom, since they take several times as long to be made up.
    return st.sampled_from([fitting] * 4 + [misfits]).flatmap(lambda chosen: chosen)


def _share(described: Described) -> int:
    if described.body:
        return _SHARE_WITH_BODY
    if not described.query and not described.path_parameters:
        return 0
    return _SHARE_WITH_QUERY if described.query else _SHARE
