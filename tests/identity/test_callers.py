"""Who is asking, and what of the server is theirs."""

from typing import Any

import httpx
import pytest

from hosting.domain.identity import Role
from tests.edge.problem import problem
from tests.harness.client import Client
from tests.identity.office import SHARED_KEY, Office

NOT_KNOWN = {
    "another word": "Token {key}",
    "the word in small letters": "bearer {key}",
    "the word in capitals": "BEARER {key}",
    "no word": "{key}",
    "two spaces": "Bearer  {key}",
    "a tab": "Bearer\t{key}",
    "no key": "Bearer",
    "a letter more": "Bearer {key}x",
    "a letter less": "Bearer {cut}",
    "a key of nobody": "Bearer rsk_live_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "only its beginning": "Bearer rsk_live_",
    "another beginning": "Bearer {project}",
    "a name and a password": "Basic dXNlcjpwYXNz",
    "two keys": "Bearer {key}, Bearer {key}",
    "a key that is very long": "Bearer rsk_live_{long}",
    "letters that are no ASCII": "Bearer rsk_live_\u00e9",
}


async def test_a_key_opens_what_is_its_tenants_and_nothing_else(office: Office) -> None:
    blue, red = await office.key("blue", Role.USER), await office.key("red", Role.OPERATOR)
    async with office.client(blue) as of_blue, office.client(red) as of_red, office.client() as local:
        made = await of_blue.post("/sessions", json={"sessionId": "shared-name"})

        seen_by_red = await of_red.get("/sessions/shared-name")
        made_by_red = await of_red.post("/sessions", json={"sessionId": "shared-name"})
        deleted_by_red = await of_red.delete("/sessions/shared-name")
        listed_locally = await local.get("/sessions?limit=200")
        seen_by_blue = await of_blue.get("/sessions/shared-name")

    assert (made.status_code, made_by_red.status_code, deleted_by_red.status_code) == (201, 201, 204)
    assert problem(seen_by_red)["code"] == "session-not-found"
    assert "shared-name" not in {each["id"] for each in listed_locally.json()}
    assert seen_by_blue.status_code == 200


async def test_a_run_is_its_tenants_from_the_input_to_its_last_event(office: Office) -> None:
    key, other = await office.key("runner", Role.USER), await office.key("watcher", Role.USER)
    async with Client(office.server.url) as client, office.client(other) as watcher:
        client.http.headers["Authorization"] = f"Bearer {key}"
        session = await client.session()
        accepted = await client.accepted(session, "hello")
        run = await client.ended(session, accepted["runtimeRunId"])

        log = await client.log(session)
        of_other = await watcher.get(f"/sessions/{session}/branches/main/events")

    assert run["status"] == "completed"
    assert log[-1]["type"] == "BRANCH_RUN_COMPLETED"
    assert problem(of_other)["code"] == "session-not-found"


async def test_a_revoked_key_opens_nothing_from_the_next_request_on(office: Office) -> None:
    known, key = await office.known_key("leaving", Role.USER)
    async with office.client(key) as client:
        before = await client.get("/sessions")
        async with office.keys() as stored:
            await stored.revoke(known.id, known.created_at)

        after = await client.get("/sessions")

    assert (before.status_code, after.status_code) == (200, 401)
    assert problem(after)["code"] == "unauthenticated"


@pytest.mark.parametrize("shown", NOT_KNOWN.values(), ids=NOT_KNOWN)
async def test_what_opens_nothing_is_told_nothing_more(
    sqlite_office: Office, anyone: httpx.AsyncClient, shown: str
) -> None:
    key = await sqlite_office.key("local", Role.USER)
    project = key.replace("rsk_", "rsp_")
    value = shown.format(key=key, cut=key[:-1], project=project, long="x" * 9000)

    answer = await anyone.get("/sessions", headers={"Authorization": value.encode()})

    assert problem(answer) == problem(await anyone.get("/sessions", headers={"Authorization": "Bearer x"}))
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")


async def test_two_headers_are_no_proof_even_when_both_are_good(
    sqlite_office: Office, anyone: httpx.AsyncClient
) -> None:
    key = await sqlite_office.key("local", Role.USER)
    twice = [("Authorization", f"Bearer {key}"), ("Authorization", f"Bearer {key}")]

    assert problem(await anyone.get("/sessions", headers=twice))["code"] == "unauthenticated"


async def test_the_key_that_workers_share_makes_a_worker_of_the_local_tenant(anyone: httpx.AsyncClient) -> None:
    shared = await anyone.get("/sessions", headers={"Authorization": f"Bearer {SHARED_KEY}"})
    in_small = await anyone.get("/sessions", headers={"Authorization": f"bearer {SHARED_KEY}"})
    nearly = await anyone.get("/sessions", headers={"Authorization": f"Bearer {SHARED_KEY}!"})

    assert (shared.status_code, in_small.status_code, nearly.status_code) == (403, 401, 401)
    assert problem(shared)["detail"] == "This is for callers with the role operator or user; yours is worker."


async def test_who_is_asking_does_not_matter_to_who_looks_after_the_server(
    sqlite_office: Office, anyone: httpx.AsyncClient
) -> None:
    revoked = await sqlite_office.revoked_key("local", Role.USER)

    answers = [
        await anyone.get(path, headers={"Authorization": f"Bearer {revoked}"})
        for path in ("/healthz", "/readyz", "/openapi.json")
    ]

    assert [answer.status_code for answer in answers] == [200, 200, 200]


async def test_head_and_options_and_paths_that_are_not_there_are_judged_too(
    sqlite_office: Office, anyone: httpx.AsyncClient
) -> None:
    revoked = {"Authorization": f"Bearer {await sqlite_office.revoked_key('local', Role.USER)}"}
    worker = {"Authorization": f"Bearer {await sqlite_office.key('local', Role.WORKER)}"}

    head = await anyone.head("/sessions", headers=revoked)
    options = await anyone.options("/sessions", headers=revoked)
    nowhere = await anyone.get("/nowhere", headers=revoked)
    head_of_worker = await anyone.head("/sessions", headers=worker)
    options_of_worker = await anyone.options("/sessions", headers=worker)

    assert (head.status_code, head.content, head.headers["www-authenticate"]) == (401, b"", "Bearer")
    assert (options.status_code, nowhere.status_code) == (401, 401)
    assert (head_of_worker.status_code, options_of_worker.status_code) == (403, 204)


async def test_a_body_that_comes_with_a_refused_request_is_not_taken_for_the_next_one(
    sqlite_office: Office, anyone: httpx.AsyncClient
) -> None:
    revoked = {"Authorization": f"Bearer {await sqlite_office.revoked_key('local', Role.USER)}"}

    answers = [await anyone.post("/sessions", json={"metadata": {"x": "y" * 100_000}}, headers=revoked) for _ in "123"]

    assert [answer.status_code for answer in answers] == [401, 401, 401]


async def test_the_fleets_paths_speak_to_older_clients_as_well(
    sqlite_office: Office, anyone: httpx.AsyncClient
) -> None:
    nobody = {"Authorization": "Bearer x"}

    api, daemon, native = [
        (await anyone.get(path, headers=nobody)).json() for path in ("/api/x", "/v1/daemon/x", "/sessions")
    ]

    expected: dict[str, Any] = {"error": "Unauthorized", "message": "Invalid or missing API key"}
    assert {name: api[name] for name in expected} == {name: daemon[name] for name in expected} == expected
    assert native.keys().isdisjoint(expected)


async def test_a_database_that_is_away_is_no_proof_that_a_key_is_bad(
    sqlite_office: Office, anyone: httpx.AsyncClient
) -> None:
    key = await sqlite_office.key("local", Role.USER)
    async with sqlite_office.without_table_of_keys():
        answer = await anyone.get("/agents", headers={"Authorization": f"Bearer {key}"})

    assert problem(answer)["code"] == "storage-unavailable"
    assert (await anyone.get("/agents", headers={"Authorization": f"Bearer {key}"})).status_code == 200
