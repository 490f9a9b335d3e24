"""What a key counts for: one tenant, one path, one body, a day; and what it does not count for."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hosting.adapters.sql.database import open_database
from hosting.domain.identity import Role
from hosting.domain.keyed_request import KEPT, RequestPlace
from hosting.domain.scope import LOCAL_TENANT
from tests.edge.problem import problem
from tests.edge.wire import Wire
from tests.harness.client import Client
from tests.harness.databases import DATABASES, database_for
from tests.harness.process import ServerProcess
from tests.harness.raw_store import RawStore
from tests.identity.office import Office
from tests.keyed.sending import code_of, is_again, is_first, send


@pytest.fixture(scope="module", params=DATABASES)
def shared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server on a database of each kind; each test has keys of its own."""
    folder: Path = tmp_path_factory.mktemp("keyed")
    with ServerProcess(folder, database_for(request, folder)) as server:
        yield server


@pytest.fixture
async def client(shared: ServerProcess) -> AsyncIterator[Client]:
    """A client of it."""
    async with Client(shared.url) as client:
        yield client


async def test_a_key_counts_for_each_path_by_itself(client: Client) -> None:
    here, there = await client.session(), await client.session()

    answers = [await send(client.http, f"{client.path(each)}/inputs", {"text": "hi"}, "path") for each in (here, there)]

    assert [is_first(answer) for answer in answers] == [True, True]
    assert answers[0].json()["runtimeRunId"] != answers[1].json()["runtimeRunId"]


async def test_tenants_have_keys_of_their_own(shared: ServerProcess) -> None:
    office = Office(shared, shared.folder / "none")
    async with AsyncExitStack() as stack:
        ours, theirs = [
            await stack.enter_async_context(office.client(await office.key(tenant, Role.USER)))
            for tenant in ("ours", "theirs")
        ]
        first = await send(ours, "/sessions", {"sessionId": "mine"}, "tenants")
        other = await send(theirs, "/sessions", {"sessionId": "yours"}, "tenants")
        again = await send(ours, "/sessions", {"sessionId": "mine"}, "tenants")
        seen = [session["id"] for session in (await theirs.get("/sessions")).json()]

    assert (is_first(first), is_first(other), is_again(again, first)) == (True, True, True)
    assert seen == ["yours"]


async def test_what_was_refused_is_not_kept_and_may_be_asked_for_again(client: Client) -> None:
    taken = await client.session()
    path, wish = client.path(taken).removesuffix("/main"), {"branchId": "b"}
    await client.branch(taken, "b")

    refused = await send(client.http, path, wish, "refused")
    other = await send(client.http, path, {"branchId": "c"}, "refused")
    await client.http.delete(f"/sessions/{taken}/branches/c")
    again = await send(client.http, path, {"branchId": "c"}, "refused")

    assert code_of(refused) == "branch-exists"
    assert is_first(other)
    # It is given again though what it tells of is gone.
    assert is_again(again, other)


async def test_what_a_busy_branch_refuses_is_accepted_under_the_same_key_when_it_is_free(client: Client) -> None:
    session = await client.session()
    running = await client.accepted(session, "/tokens 100000 1")

    refused = await send(client.http, f"{client.path(session)}/inputs", {"text": "hi"}, "busy")
    await client.http.post(f"{client.path(session)}/interrupt")
    await client.ended(session, running["runtimeRunId"])
    accepted = await send(client.http, f"{client.path(session)}/inputs", {"text": "hi"}, "busy")

    assert code_of(refused) == "branch-run-active"
    assert is_first(accepted)
    assert (await client.ended(session, accepted.json()["runtimeRunId"]))["status"] == "completed"


async def test_an_answer_is_given_again_when_its_session_is_gone(client: Client) -> None:
    session = await client.session()
    first = await send(client.http, f"{client.path(session)}/inputs", {"text": "hi"}, "gone")
    await client.ended(session, first.json()["runtimeRunId"])
    await client.http.delete(f"/sessions/{session}")

    assert is_again(await send(client.http, f"{client.path(session)}/inputs", {"text": "hi"}, "gone"), first)


@pytest.mark.parametrize("given", ["", "two words", "a" * 256, '"', "ä", '"open', "a,\tb"])
async def test_a_header_that_is_no_key_is_refused(client: Client, given: str) -> None:
    headers = [(b"Idempotency-Key", given.encode()), (b"Content-Type", b"application/json")]

    response = await client.http.post("/sessions", content=b"{}", headers=headers)

    assert (response.status_code, problem(response)["code"]) == (400, "invalid-request")


async def test_two_keys_are_none(client: Client) -> None:
    async with Wire(client.base) as wire:
        both = await wire.request("POST", "/sessions", "Idempotency-Key: a", "Idempotency-Key: a", "Content-Length: 0")

    assert (both.status, both.json["code"]) == (400, "invalid-request")


async def test_a_key_in_quotes_is_the_same_as_without(client: Client) -> None:
    first = await send(client.http, "/sessions", {}, '"quoted"')

    assert is_again(await send(client.http, "/sessions", {}, "quoted"), first)


async def test_after_a_day_a_key_is_a_new_one(client: Client, shared: ServerProcess) -> None:
    first = await send(client.http, "/sessions", {}, "day")
    await age("day", shared.database_url, KEPT - timedelta(minutes=1))
    kept = await send(client.http, "/sessions", {}, "day")
    await age("day", shared.database_url, KEPT + timedelta(minutes=1))
    later = await send(client.http, "/sessions", {"metadata": {"of": "another day"}}, "day")

    assert is_again(kept, first)
    assert is_first(later)
    assert later.json()["id"] != first.json()["id"]


async def test_old_answers_are_forgotten_a_few_at_a_time_and_newer_ones_stay(database_url: str) -> None:
    now = datetime.now(UTC)
    store = RawStore(database_url)
    for number, hours in enumerate((1, 23, 25, 26, 27)):
        received = int((now - timedelta(hours=hours)).timestamp() * 1_000_000)
        await store.run(
            "INSERT INTO keyed_requests (tenant, path, method, key, fingerprint, received_at, body) "
            "VALUES ('local', '/sessions', 'POST', ?, 'x', ?, ?)",
            str(number),
            received,
            b"{}",
        )
    async with AsyncExitStack() as stack:
        database = await open_database(database_url, stack, lease_seconds=5)
        forgotten = [await database.keyed.forget(now, 2) for _ in range(3)]
        place = RequestPlace(LOCAL_TENANT, "POST", "/sessions", "1")
        still = await database.tenant(LOCAL_TENANT).given_answer(place)

    assert forgotten == [2, 1, 0]
    assert await store.run("SELECT key FROM keyed_requests ORDER BY key") == [("0",), ("1",)]
    assert still is not None


async def age(key: str, database_url: str, by: timedelta) -> None:
    """Let an answer be this old."""
    received = int((datetime.now(UTC) - by).timestamp() * 1_000_000)
    await RawStore(database_url).run("UPDATE keyed_requests SET received_at = ? WHERE key = ?", received, key)
