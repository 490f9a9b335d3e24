"""A server that is tried: what is there to ask it about, and what its answers are worth."""

from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Final, Self

import requests
from schemathesis import Case

from tests.fuzz.fleet_scene import prepare_fleet
from tests.fuzz.scene import Scenes, prepare_scene
from tests.fuzz.twists import Twist, put_a_report, put_real_ids, twist
from tests.harness.contract import Answer, Contract, Operation

_REQUESTS, _DELETES, _REPORTS = 60, 10, 25
_BY_TOKEN: Final = 0.3
_REPORTS_RIGHT: Final = 0.4
_TIMEOUT_SECONDS: Final = 10
_SHOWN: Final = 300


BY_TOKEN_ALONE: Final = ("beatDaemon",)
"""What takes the token of a worker, and nothing else."""


@dataclass
class Verdict:
    """What a trial has seen: how many requests, which answers by route and status, and what was wrong."""

    requests: int = 0
    answers: Counter[tuple[str, int]] = field(default_factory=Counter)
    faults: dict[tuple[str, str], str] = field(default_factory=dict)

    def told(self) -> str:
        """Return every fault once, with a request that shows it."""
        return "\n".join(f"{name} {fault}\n    {how}" for (name, fault), how in self.faults.items())


class Hearing:
    """Asks one server and judges its answers; those with the same seed change a request in the same way."""

    def __init__(self, base: str, contract: Contract, seed: int) -> None:
        self._base = base
        self._contract = contract
        self._chance = Random(seed)
        self._http = requests.Session()
        # It would look for a proxy before each request.
        self._http.trust_env = False
        self._scenes = Scenes(partial(prepare_scene, self._http, base), lasts=_REQUESTS)
        self._worn = Scenes(partial(prepare_scene, self._http, base), lasts=_DELETES)
        self._fleet = Scenes(partial(prepare_fleet, self._http, base), lasts=_REPORTS)
        self.verdict = Verdict()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._http.close()

    def ask(self, operation: Operation, case: Case) -> None:
        """Let a request be about what is there, send it and judge the answer."""
        scene = self._scenes_of(operation).current()
        put_real_ids(case, scene, self._chance)
        if scene.token and self._chance.random() < _REPORTS_RIGHT:
            put_a_report(case, operation.path, scene)
        request = self._prepared(case, twisted := twist(self._chance))
        if scene.token and (operation.id in BY_TOKEN_ALONE or self._chance.random() < _BY_TOKEN):
            request.headers["Authorization"] = f"Bearer {scene.token}"
        response = self._http.send(request, timeout=_TIMEOUT_SECONDS, allow_redirects=False)
        headers = {name.lower(): value for name, value in response.headers.items()}
        answer = Answer(response.status_code, headers, response.content)
        self.verdict.requests += 1
        self.verdict.answers[operation.id, answer.status] += 1
        fault = "breaks" if answer.status >= 500 else self._contract.fault(operation, answer)
        if fault is not None:
            shown = f"{request.method} {request.url} {dict(twisted.headers)} {request.body!r:.{_SHOWN}}"
            self.verdict.faults.setdefault((operation.id, fault.partition(":")[0]), f"{shown}\n    {fault}")

    def _scenes_of(self, operation: Operation) -> Scenes:
        if operation.path.startswith(("/api/", "/v1/")):
            return self._fleet
        return self._worn if operation.method == "DELETE" else self._scenes

    def _prepared(self, case: Case, twisted: Twist) -> requests.PreparedRequest:
        request = self._http.prepare_request(requests.Request(**case.as_transport_kwargs(base_url=self._base)))
        if isinstance(request.body, bytes) and twisted.keeps_of_body < 1:
            request.body = request.body[: int(len(request.body) * twisted.keeps_of_body)]
            request.headers["Content-Length"] = str(len(request.body))
        request.headers.update(twisted.headers)
        return request
