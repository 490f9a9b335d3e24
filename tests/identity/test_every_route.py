"""Every route, asked by whoever may not: refused, and without an effect."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from hosting.domain.identity import Role
from tests.harness.client import Client
from tests.harness.fleet_report import fleet_report
from tests.harness.worker import FleetWorker, define_worker_agent
from tests.identity.every_route import Route, each_route
from tests.identity.office import SHARED_KEY, Office
from tests.identity.tokens import worker_of

ROUTES = each_route()
# These have no name of a thing in their path: another tenant's caller is let in, and sees and changes its own.
OF_ONES_OWN = {
    "GET /api/public/routing-metrics",
    "GET /agents",
    "POST /agents",
    "GET /sessions",
    "POST /sessions",
    "POST /sessions/search",
}


# What a definition has to say for the agent to be looked for.
CONFIG = {"config": {"model": "openai:none"}}
_DOTS_OF_TOKEN = 2
# These are answered with 200 whatever comes of them.
_IN_VAIN = {
    '{"claimed":false,"reason":"Worker not found"}',
    '{"claimed":false,"reason":"Work not available or already claimed"}',
    '{"transferred":false,"reason":"Session not found"}',
}


@dataclass(frozen=True)
class Asked:
    """What a route was asked, and what came of it; what it said is without the names of things."""

    route: str
    status: int
    code: str
    said: str


@dataclass(frozen=True)
class Places:
    """Names of things as paths have them: of who uses agents, and of the fleet."""

    native: dict[str, str]
    agent: str
    fleet: dict[str, str]

    def of(self, route: Route) -> dict[str, str]:
        """Return the names that fit a route."""
        if route.path.startswith(("/api/", "/v1/")):
            return self.fleet
        if "{session_id" in route.path:
            return self.native
        return {"agent_id": self.agent, "name": self.native["name"]}


NOTHING = Places(
    {"session_id": "nothing", "branch_id": "main", "run_id": "nothing", "agent_id": "demo", "name": "NO_VERSE_KEY"}
    | {"content_id": "nothing"},
    "nothing",
    {"session_id": "nothing", "worker_id": "nothing"},
)


@pytest.fixture
async def client(office: Office) -> AsyncIterator[httpx.AsyncClient]:
    """A client that shows nothing by itself."""
    async with office.client() as client:
        yield client


@pytest.fixture
async def places(office: Office) -> Places:
    """Things of tenant `local`: an agent, a session with a run, a worker, and an item that it works on."""
    return await places_of(office)


async def places_of(office: Office, project: str | None = None) -> Places:
    """Make such things; the worker and its item are those of a project, if one is named."""
    async with Client(office.server.url) as client:
        session = await client.session()
        accepted = await client.accepted(session, "hello")
        await client.ended(session, accepted["runtimeRunId"])
        client.agent = await define_worker_agent(client.http, **({} if project is None else {"projectName": project}))
        await client.accepted(await client.session(), "hello")
        key = await office.key("local", Role.WORKER, project)
        worker = await FleetWorker.register(client.http, key=key, agentIds=[client.agent])
        item = await worker.claimed()
        assert (await client.http.put("/credentials/VERSE_KEY", json={"value": "x"})).status_code == 200
        native = {"session_id": session, "branch_id": "main", "run_id": accepted["runtimeRunId"], "agent_id": "demo"}
        native["name"] = "VERSE_KEY"
        uploaded = await client.http.post(f"/sessions/{session}/content", files={"file": ("a.txt", b"hello")})
        native["content_id"] = uploaded.json()["contentId"]
        return Places(native, client.agent, {"session_id": str(item["sessionId"]), "worker_id": worker.id})


def test_every_route_says_whom_it_takes() -> None:
    open_to_all = [str(route) for route in ROUTES if not route.roles]

    assert open_to_all == []
    assert len(ROUTES) > 40
    assert [route.is_socket for route in ROUTES].count(True) >= 1


async def test_no_route_takes_a_caller_whose_role_is_another(
    office: Office, client: httpx.AsyncClient, places: Places
) -> None:
    keys, token = {role: await office.key("local", role) for role in Role}, await office.token()
    before = await office.everything(audit=False)

    refused = [
        await ask(client, route, places, keys[role]) for route in ROUTES for role in Role if role not in route.roles
    ]
    tokens = [await ask(client, route, places, token) for route in ROUTES if Role.WORKER not in route.roles]
    shared = [await ask(client, route, places, SHARED_KEY) for route in ROUTES if Role.WORKER not in route.roles]

    asked = [*refused, *tokens, *shared]
    assert [each for each in asked if (each.status, each.code) != (403, "forbidden")] == []
    assert len(asked) > len(ROUTES)
    assert await office.everything(audit=False) == before


async def test_no_route_takes_what_was_revoked_or_forged_or_is_too_old(
    office: Office, client: httpx.AsyncClient, places: Places
) -> None:
    revoked = [await office.revoked_key("local", role) for role in Role]
    expired, forged = office.expired_token(), f"{(await office.token())[:-4]}AAAA"
    before = await office.everything(audit=False)

    asked = [await ask(client, route, places, shown) for route in ROUTES for shown in (*revoked, forged)]
    too_old = [await ask(client, route, places, expired) for route in ROUTES]

    assert [each for each in asked if (each.status, each.code) != (401, "unauthenticated")] == []
    assert [each for each in too_old if (each.status, each.code) != (401, "token-expired")] == []
    assert await office.everything(audit=False) == before


async def test_another_tenants_things_are_answered_as_things_that_are_not_there(
    office: Office, client: httpx.AsyncClient, places: Places
) -> None:
    keys = {role: await office.key("stranger", role) for role in Role}
    shown = [*keys.items(), (Role.WORKER, await office.token("stranger"))]
    theirs = [
        (route, each)
        for route in ROUTES
        # A name of a credential is everybody's own, to set; see tests/credentials/test_keeping.py.
        if "{" in route.path and str(route) != "PUT /credentials/{name:str}"
        for role, each in shown
        if role in route.roles
    ]
    before = await office.everything(audit=False)

    real = [await ask(client, route, places, each) for route, each in theirs]
    unreal = [await ask(client, route, NOTHING, each) for route, each in theirs]

    assert real == unreal
    assert [each for each in real if each.status != 404 and not is_said_without_looking(each)] == []
    assert await office.everything(audit=False) == before


async def test_a_key_of_one_project_reaches_nothing_that_is_another_projects(
    office: Office, client: httpx.AsyncClient
) -> None:
    places = await places_of(office, project="verse")
    keys = {role: await office.key("local", role, "prose") for role in (Role.WORKER, Role.OPERATOR)}
    before = await office.everything(audit=False)

    routes = [each for each in ROUTES if each.is_of_the_fleet and each.names & places.fleet.keys()]

    asked = [
        await ask(client, route, places, key)
        for route in routes
        # Who follows an interview is a user of the agent, as on the routes that are not the fleet's.
        if "/interview/" not in route.path
        for role, key in keys.items()
        if role in (route.roles or ())
    ]

    assert [each for each in asked if each.status not in {403, 404} and not is_said_without_looking(each)] == []
    assert len(asked) > 40
    assert await office.everything(audit=False) == before


async def test_a_route_without_a_name_in_its_path_shows_another_tenant_nothing(office: Office, places: Places) -> None:
    own = [route for route in ROUTES if "{" not in route.path and Role.USER in (route.roles or ())]
    key = await office.key("newcomer", Role.USER)

    async with office.client(key) as client:
        seen = [(await client.request(route.method, route.path, json={})).text for route in own]

    assert {str(route) for route in own} == OF_ONES_OWN
    names = (places.agent, places.native["session_id"], places.native["run_id"])
    assert [text for text in seen for name in names if name in text] == []


async def ask(client: httpx.AsyncClient, route: Route, places: Places, shown: str) -> Asked:
    """Ask a route for things by their names."""
    named = places.of(route)
    # Who has a token speaks for itself; to name another worker is wrong whichever that is.
    worker = worker_of(shown) if shown.count(".") == _DOTS_OF_TOKEN else places.fleet["worker_id"]
    body = None if route.method == "GET" else _body(route, worker)
    headers = {**route.headers, "Authorization": f"Bearer {shown}"}
    params = {"worker": worker, "workerId": worker, "filePaths": "a.txt"} if "/api/" in route.path else {}
    answer = await client.request(route.method, route.at(named), json=body, headers=headers, params=params)
    told = answer.json() if answer.status_code >= 400 else {}
    said = str(told.get("detail", answer.text))
    for name, value in named.items():
        said = said.replace(value, name)
    return Asked(str(route), answer.status_code, told.get("code", ""), said)


def is_said_without_looking(asked: Asked) -> bool:
    """Say whether a route answers so whatever it is asked for."""
    is_no_more = asked.status == 410 and asked.route.endswith("/prompts")
    return is_no_more or (asked.status == 200 and asked.said in _IN_VAIN)


def _body(route: Route, worker: str) -> dict[str, Any]:
    if route.path.startswith(("/api/", "/v1/")):
        return fleet_report(route.path, worker)
    return CONFIG if route.method == "PUT" else {}
