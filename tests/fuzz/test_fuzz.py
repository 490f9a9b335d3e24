"""D10: whatever a server is sent, it answers what its description says, and never with a status of 500 or more.

The description is the one in docs/reference: a route that changes without it is found out.
"""

import json
import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from docs.generate.pages import REFERENCE

from tests.fuzz.trial import STREAMS, Trial, Verdict
from tests.harness.contract import Json
from tests.harness.process import ServerProcess

ALTERED = Path(__file__).with_name("altered.py")
REQUESTS = 1000
"""On each of two databases."""
REQUESTS_OF_A_CAMPAIGN = 25_000
MAY_HAVE_NO_LUCK = 5


@pytest.fixture
def document() -> Json:
    """The description that clients have been given."""
    described: Json = json.loads((REFERENCE / "openapi.json").read_text("utf-8"))
    return described


def fuzz(server: ServerProcess, document: Json, requests: int, seed: int) -> Verdict:
    """Try a server; SEED in the environment has it tried in another way, or again in the same."""
    seed = int(os.environ.get("SEED", seed))
    verdict = Trial(server.url, document, seed).run(requests)
    print(f"D10 seed {seed}: {verdict.requests} requests, {len(verdict.answers)} kinds of answers")
    assert verdict.faults == {}, f"SEED={seed}\n{verdict.told()}"
    errors = [line for line in server.errors.read_text().splitlines() if '"level": "info"' not in line]
    assert errors == [], f"SEED={seed}"
    return verdict


@pytest.mark.timeout(300)
def test_a_thousand_requests_are_answered_as_described(server: ServerProcess, document: Json) -> None:
    verdict = fuzz(server, document, REQUESTS, seed=1)

    assert verdict.requests >= REQUESTS
    succeeded = {name for name, status in verdict.answers if status < 300}
    asked = {operation["operationId"] for item in document["paths"].values() for operation in item.values()}
    # What a request meets is a matter of time too, so one or the other may have had no luck.
    assert len(asked - set(STREAMS) - succeeded) <= MAY_HAVE_NO_LUCK


def test_a_status_that_is_not_described_is_found(
    make_server: Callable[..., ServerProcess], sqlite_url: str, document: Json
) -> None:
    server = make_server(sqlite_url, str(ALTERED)).start()

    verdict = Trial(server.url, document, 1).run(20, only=frozenset({"postSession"}))

    assert "postSession answers 200, which is not documented" in verdict.told()


@pytest.mark.campaign
@pytest.mark.timeout(3600)
def test_d10_tens_of_thousands_of_requests_are_answered_as_described(server: ServerProcess, document: Json) -> None:
    requests = int(os.environ.get("ROUNDS", REQUESTS_OF_A_CAMPAIGN))

    fuzz(server, document, requests, seed=random.randrange(10**6))
