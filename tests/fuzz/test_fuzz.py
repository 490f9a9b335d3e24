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

from hosting.adapters.files.key_file import ensure_key_file
from tests.fuzz.hearing import Verdict
from tests.fuzz.trial import STREAMS, Trial
from tests.harness.contract import Json
from tests.harness.postgres import PostgresCluster
from tests.harness.process import ServerProcess

ALTERED = Path(__file__).with_name("altered.py")
REQUESTS = 1000
"""On each of two databases."""
REQUESTS_OF_A_CAMPAIGN = 25_000
MAY_HAVE_NO_LUCK = 8
CANNOT_SUCCEED = {
    *("getPrompts", "postPrompts"),
    *("registerDaemon", "postBatchResult", "postExtractionResult", "requeue", "postSnapshot"),
}
"""What is gone, and what takes a key, a secret or a dead letter, which nobody has here."""


@pytest.fixture
def document() -> Json:
    """The description that clients have been given."""
    described: Json = json.loads((REFERENCE / "openapi.json").read_text("utf-8"))
    return described


@pytest.fixture
def servers(
    make_server: Callable[..., ServerProcess], sqlite_url: str, postgres: PostgresCluster, tmp_path: Path
) -> list[ServerProcess]:
    """A running server on each database, which signs the tokens of workers and outlasts them."""
    ensure_key_file(key_file := tmp_path / "keys")
    return [
        make_server(url, key_file=key_file, worker_lease_seconds=3600).start()
        for url in (sqlite_url, postgres.create_database())
    ]


def fuzz(servers: list[ServerProcess], document: Json, requests: int, seed: int) -> list[Verdict]:
    """Try servers; SEED in the environment has them tried in another way, or again in the same."""
    seed = int(os.environ.get("SEED", seed))
    verdicts = Trial([server.url for server in servers], document, seed).run(requests)
    for server, verdict in zip(servers, verdicts, strict=True):
        database = server.database_url.partition("+")[0]
        print(f"D10 seed {seed}: {verdict.requests} requests, {len(verdict.answers)} kinds of answers on {database}")
        assert verdict.faults == {}, f"SEED={seed} on {database}\n{verdict.told()}"
        errors = [line for line in server.errors.read_text().splitlines() if '"level": "info"' not in line]
        assert errors == [], f"SEED={seed}"
    return verdicts


@pytest.mark.timeout(300)
def test_a_thousand_requests_are_answered_as_described_on_each_database(
    servers: list[ServerProcess], document: Json
) -> None:
    verdicts = fuzz(servers, document, REQUESTS, seed=1)

    asked = {operation["operationId"] for item in document["paths"].values() for operation in item.values()}
    for verdict in verdicts:
        assert verdict.requests >= REQUESTS
        succeeded = {name for name, status in verdict.answers if status < 300}
        # What a request meets is a matter of time too, so one or the other may have had no luck.
        unlucky = asked - {*STREAMS, *CANNOT_SUCCEED} - succeeded
        assert len(unlucky) <= MAY_HAVE_NO_LUCK, unlucky


def test_a_status_that_is_not_described_is_found(
    make_server: Callable[..., ServerProcess], sqlite_url: str, document: Json
) -> None:
    server = make_server(sqlite_url, str(ALTERED)).start()

    (verdict,) = Trial([server.url], document, 1).run(20, only=frozenset({"postSession"}))

    assert "postSession answers 200, which is not documented" in verdict.told()


@pytest.mark.campaign
@pytest.mark.timeout(3600)
def test_d10_tens_of_thousands_of_requests_are_answered_as_described(
    servers: list[ServerProcess], document: Json
) -> None:
    requests = int(os.environ.get("ROUNDS", REQUESTS_OF_A_CAMPAIGN))

    fuzz(servers, document, requests, seed=random.randrange(10**6))
