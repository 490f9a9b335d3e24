"""What holds for the body of one route of the fleet holds for all, those included that are yet to come.

Which members there are, and of which types, is read from the API's description.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from hosting.domain.identity import Role
from tests.fleet.gate import Gate, bearer
from tests.harness.client import Client
from tests.harness.contract import Contract, Operation
from tests.harness.fleet_report import LANE_WORK, fleet_report
from tests.harness.worker import FleetWorker, Json, define_worker_agent

NO_OBJECTS = (b"{", b"[]", b"1", b"null", b'"text"', b'{"a": 1} {}', b"{'a': 1}", b"\xff", b'{"a": NaN}')
OF_ANOTHER_TYPE: tuple[object, ...] = ({}, [], "no such thing", True, -1, 0.5)
RESULTS = {"postBatchResult": "batchWork", "postExtractionResult": "kgExtractWork"}


@dataclass(frozen=True)
class Place:
    """What there is to report on, and who may."""

    ids: dict[str, str]
    key: str
    shown: dict[str, str]
    """What opens a route that somebody on the server's machine is not let in to as such, by its name."""

    def usual(self, operation: Operation) -> Json:
        """Return a body that the route takes."""
        return fleet_report(operation.path, self.ids["worker_id"], self.key)


@pytest.fixture
async def place(client: Client, gate: Gate) -> Place:
    """A worker that has a session, and something to do of each lane."""
    for lane in ("batch", "kg-extract"):
        assert (await client.http.post(f"/api/work/lanes/{lane}", json=LANE_WORK)).status_code == 201
    client.agent = await define_worker_agent(client.http)
    await client.accepted(await client.session(), "Do it.")
    worker = await FleetWorker.register(client.http, capabilities=["code-survival-scan", "kg-extract-v1"])
    polled = await worker.poll()
    key = await gate.key("local", Role.WORKER)
    shown = {name: polled[lane][0]["resultAuth"] for name, lane in RESULTS.items()} | {"postSnapshot": key}
    ids = {"worker_id": worker.id, "session_id": polled["work"][0]["sessionId"], "lane": "batch"}
    return Place(ids, key, {**shown, "beatDaemon": str(worker.token)})


async def test_no_route_takes_a_body_that_is_not_what_it_says_and_each_takes_one_that_is(
    client: Client, gate: Gate, place: Place
) -> None:
    document = (await client.http.get("/openapi.json")).json()
    contract = Contract(document)
    routes = [each for each in contract.operations if _is_asked(each)]
    before = await gate.everything()

    taken, asked = [], 0
    for operation in routes:
        members = _members(document, operation)
        for body in (*NO_OBJECTS, *_wrong(contract, members, place.usual(operation))):
            asked += 1
            status, told = await _send(client, place, operation, body)
            if status != 400 or not told.get("error") or not isinstance(told.get("message"), str):
                taken.append((operation.id, body, status, told))
    after = await gate.everything()
    usual = [(await _send(client, place, each, json.dumps(place.usual(each)).encode()))[0] for each in routes]

    assert taken == []
    assert len(routes) > 30
    assert asked > 10 * len(routes)
    assert after == before
    assert {400, 413, 415}.isdisjoint(usual)


def _is_asked(operation: Operation) -> bool:
    return operation.path.startswith(("/api/", "/v1/")) and "requestBody" in operation.described


def _members(document: Json, operation: Operation) -> Json:
    schema = operation.described["requestBody"]["content"]["application/json"]["schema"]
    name = schema["$ref"].rpartition("/")[2]
    found: Json = document["components"]["schemas"][name]
    return found


def _wrong(contract: Contract, schema: Json, usual: Json) -> Iterator[bytes]:
    """Yield bodies with one member of another type than it is to have, and without one that must be there."""
    for name, member in schema["properties"].items():
        for value in OF_ANOTHER_TYPE:
            if contract.misfit(member, value) is not None:
                yield json.dumps(usual | {name: value}).encode()
    for name in schema["required"]:
        yield json.dumps({known: value for known, value in usual.items() if known != name}).encode()
    if schema["required"]:
        yield b""


async def _send(client: Client, place: Place, operation: Operation, body: bytes) -> tuple[int, dict[str, Any]]:
    headers = {"Content-Type": "application/json"}
    if operation.id in place.shown:
        headers |= bearer(place.shown[operation.id])
    path = operation.path.format(**place.ids)
    response = await client.http.request(operation.method, path, content=body, headers=headers)
    return response.status_code, response.json()
