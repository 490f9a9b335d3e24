"""A trial of a server: thousands of requests that its description inspires, and a judge who knows it by heart."""

from collections import Counter
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.schemas import APIOperation

from tests.fuzz.scene import Scenes
from tests.fuzz.twists import STRANGE_IDS, Twist, put_real_ids, twist
from tests.harness.contract import Answer, Contract, Json, Operation

STREAMS: Final = ("getLive", "getSocket")
"""They have tables of their own: test_streams.py."""

_REQUESTS, _DELETES = 60, 10
_SHARE_WITH_BODY, _SHARE_WITH_QUERY, _SHARE = 5, 3, 1
_TIMEOUT_SECONDS: Final = 10
_SHOWN: Final = 300
_SETTINGS = settings(
    database=None, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck), print_blob=False
)

Described = APIOperation[Any, Any, Any, Any]


@dataclass
class Verdict:
    """What a trial has seen: how many requests, which answers by route and status, and what was wrong."""

    requests: int = 0
    answers: Counter[tuple[str, int]] = field(default_factory=Counter)
    faults: dict[tuple[str, str], str] = field(default_factory=dict)

    def told(self) -> str:
        """Return every fault once, with a request that shows it."""
        return "\n".join(f"{name} {fault}\n    {how}" for (name, fault), how in self.faults.items())


class Trial:
    """Asks a server for everything that a document describes; the same seed makes up the same requests."""

    def __init__(self, base: str, document: Json, seed_: int) -> None:
        self._base = base
        self._seed = seed_
        self._chance = Random(seed_)
        self._contract = Contract(document)
        self._schema = schemathesis.openapi.from_dict(_with_strange_ids(document))
        self._http = requests.Session()
        # It would look for a proxy before each request.
        self._http.trust_env = False
        self._scenes = Scenes(self._http, base, lasts=_REQUESTS)
        self._worn = Scenes(self._http, base, lasts=_DELETES)
        self.verdict = Verdict()

    def run(self, total: int, only: frozenset[str] = frozenset()) -> Verdict:
        """Send at least so many requests; routes that take more get more of them."""
        asked = [pair for pair in self._pairs() if not only or pair[0].id in only]
        shares = sum(_share(described) for _, described in asked)
        with self._http:
            for operation, described in asked:
                self._ask(operation, described, max(1, -(-total * _share(described) // shares)))
        return self.verdict

    def _pairs(self) -> Iterator[tuple[Operation, Described]]:
        known = {operation.id: operation for operation in self._contract.operations}
        for result in self._schema.get_all_operations():
            described = result.ok()
            name = described.definition.raw["operationId"]
            if name not in STREAMS:
                yield known[name], described

    def _ask(self, operation: Operation, described: Described, times: int) -> None:
        scenes = self._worn if operation.method == "DELETE" else self._scenes

        # Without shrinking: what a request meets depends on those before it, and the first sight is kept.
        @seed(self._seed)
        @settings(parent=_SETTINGS, max_examples=times)
        @given(_cases(described))
        def ask(case: Case) -> None:
            put_real_ids(case, scenes.current(), self._chance)
            self._judge(operation, case, twist(self._chance))

        ask()

    def _judge(self, operation: Operation, case: Case, twisted: Twist) -> None:
        request = self._prepared(case, twisted)
        response = self._http.send(request, timeout=_TIMEOUT_SECONDS, allow_redirects=False)
        headers = {name.lower(): value for name, value in response.headers.items()}
        answer = Answer(response.status_code, headers, response.content)
        self.verdict.requests += 1
        self.verdict.answers[operation.id, answer.status] += 1
        fault = "breaks" if answer.status >= 500 else self._contract.fault(operation, answer)
        if fault is not None:
            shown = f"{request.method} {request.url} {dict(twisted.headers)} {request.body!r:.{_SHOWN}}"
            self.verdict.faults.setdefault((operation.id, fault.partition(":")[0]), f"{shown}\n    {fault}")

    def _prepared(self, case: Case, twisted: Twist) -> requests.PreparedRequest:
        request = self._http.prepare_request(requests.Request(**case.as_transport_kwargs(base_url=self._base)))
        if isinstance(request.body, bytes) and twisted.keeps_of_body < 1:
            request.body = request.body[: int(len(request.body) * twisted.keeps_of_body)]
            request.headers["Content-Length"] = str(len(request.body))
        request.headers.update(twisted.headers)
        return request


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
