"""Every route, asked by whoever may not: refused, and without an effect."""

from dataclasses import dataclass

import pytest

from hosting.domain.identity import Role
from tests.harness.client import Client
from tests.identity.every_route import Route, each_route
from tests.identity.office import SHARED_KEY, Office

ROUTES = each_route()
# These have no name of a thing in their path: another tenant's caller is let in, and sees and changes its own.
OF_ONES_OWN = {
    "GET /agents",
    "POST /agents",
    "GET /sessions",
    "POST /sessions",
    "POST /sessions/search",
}


@dataclass(frozen=True)
class Asked:
    """What a route was asked, and what came of it."""

    route: str
    status: int
    code: str


@pytest.fixture
async def places(office: Office) -> dict[str, str]:
    """The names of things of tenant `local`, as routes have them in their paths."""
    async with Client(office.server.url) as client:
        session = await client.session()
        accepted = await client.accepted(session, "hello")
        await client.ended(session, accepted["runtimeRunId"])
        agent = await client.http.post("/agents", json={"name": "Mine", "config": {"model": "openai:none"}})
        return {
            "session_id": session,
            "branch_id": "main",
            "run_id": accepted["runtimeRunId"],
            "agent_id": agent.json().get("id", "demo"),
        }


def test_every_route_says_whom_it_takes() -> None:
    open_to_all = [str(route) for route in ROUTES if not route.roles]

    assert open_to_all == []
    assert len(ROUTES) > 40
    assert [route.is_socket for route in ROUTES].count(True) >= 1


async def test_no_route_takes_a_caller_whose_role_is_another(office: Office, places: dict[str, str]) -> None:
    keys = {role: await office.key("local", role) for role in Role}
    before = await office.everything()

    refused = [
        await ask(office, route, places, keys[role]) for route in ROUTES for role in Role if role not in route.roles
    ]
    tokens = [await ask(office, route, places, office.token()) for route in ROUTES if Role.WORKER not in route.roles]
    shared = [await ask(office, route, places, SHARED_KEY) for route in ROUTES if Role.WORKER not in route.roles]

    asked = [*refused, *tokens, *shared]
    assert [each for each in asked if (each.status, each.code) != (403, "forbidden")] == []
    assert len(asked) > len(ROUTES)
    assert await office.everything() == before


async def test_no_route_takes_what_was_revoked_or_forged_or_is_too_old(office: Office, places: dict[str, str]) -> None:
    revoked = [await office.revoked_key("local", role) for role in Role]
    expired, forged = office.expired_token(), f"{office.token()[:-4]}AAAA"
    before = await office.everything()

    asked = [await ask(office, route, places, shown) for route in ROUTES for shown in (*revoked, forged)]
    too_old = [await ask(office, route, places, expired) for route in ROUTES]

    assert [each for each in asked if (each.status, each.code) != (401, "unauthenticated")] == []
    assert [each for each in too_old if (each.status, each.code) != (401, "token-expired")] == []
    assert await office.everything() == before


async def test_no_route_shows_or_changes_what_is_another_tenants(office: Office, places: dict[str, str]) -> None:
    keys = {role: await office.key("stranger", role) for role in Role}
    token = office.token("stranger")
    theirs = [route for route in ROUTES if "{" in route.path]
    before = await office.everything()

    asked = [await ask(office, route, places, keys[role]) for route in theirs for role in Role if role in route.roles]
    asked += [await ask(office, route, places, token) for route in theirs if Role.WORKER in route.roles]

    assert [each for each in asked if each.status != 404] == [], "\n".join(str(e) for e in asked if e.status!=404)
    assert await office.everything() == before


async def test_a_route_without_a_name_in_its_path_shows_another_tenant_nothing(
    office: Office, places: dict[str, str]
) -> None:
    own = [route for route in ROUTES if "{" not in route.path and Role.USER in (route.roles or ())]
    key = await office.key("newcomer", Role.USER)

    async with office.client(key) as client:
        seen = [(await client.request(route.method, route.path, json={})).text for route in own]

    assert {str(route) for route in own} == OF_ONES_OWN
    assert [text for text in seen for name in (places["session_id"], places["run_id"]) if name in text] == []


async def ask(office: Office, route: Route, places: dict[str, str], shown: str) -> Asked:
    """Ask a route for things by their names, with a body that says nothing."""
    async with office.client(shown) as client:
        body = None if route.method == "GET" else {}
        answer = await client.request(route.method, route.at(places), json=body, headers=route.headers)
        code = answer.json().get("code", "") if answer.status_code >= 400 else ""
        return Asked(str(route), answer.status_code, code)
