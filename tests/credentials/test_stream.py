"""Who follows a session's credentials hears of every change that concerns it, from whichever server it is made."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hosting.adapters.files.key_file import ensure_key_file
from hosting.domain.identity import Role
from tests.credentials.safe import ROTATE, STREAM, Keeper, Safe, bearer
from tests.harness.process import ServerProcess


async def session_of(operator: Keeper) -> str:
    """Make a session."""
    return str((await operator.http.post("/sessions", json={})).json()["id"])


async def test_changes_come_with_names_and_without_values(safe: Safe, tenant: str) -> None:
    async with safe.operator(tenant) as operator, safe.holder(tenant) as holder:
        session = await session_of(operator)
        async with holder.following(session) as updates:
            shown = await operator.set("A", "canary")
            await operator.set("B", "canary", session=session)
            await operator.delete("A")
            told = await operator.rotate(tenant, "github")
            heard = [await updates.update() for _ in range(4)]

    assert [(each["kind"], each["names"]) for each in heard if each] == [
        ("set", ["A"]),
        ("set", ["B"]),
        ("deleted", ["A"]),
        ("github", []),
    ]
    assert heard[0] == {
        "type": "UPDATE",
        "sessionId": session,
        "kind": "set",
        "names": ["A"],
        "rotatedAt": shown["updatedAt"],
    }
    assert heard[3] is not None
    assert heard[3]["rotatedAt"] == told["rotatedAt"]
    assert "canary" not in repr(heard)


async def test_what_does_not_concern_a_session_is_not_told(safe: Safe, tenant: str) -> None:
    async with safe.operator(tenant) as operator, safe.operator(f"{tenant}-other") as other:
        async with safe.holder(tenant) as holder, safe.holder(tenant, "web"):
            session, another = await session_of(operator), await session_of(operator)
            where = {"projectId": "web", "envName": "staging"}
            async with holder.following(session, **where) as narrow, holder.following(session) as wide:
                await other.set("OTHER", "x")
                await operator.set("A", "x", session=another)
                await operator.set("B", "x", project="api")
                await operator.set("C", "x", environment="production")
                await operator.set("D", "x", project="web", environment="staging")
                await operator.set("LAST", "x")
                heard_narrow = [await narrow.update() for _ in range(2)]
                heard_wide = [await wide.update() for _ in range(2)]

    assert [each["names"] for each in heard_narrow if each] == [["D"], ["LAST"]]
    assert [each["names"] for each in heard_wide if each] == [["C"], ["LAST"]]


async def test_who_comes_back_hears_what_was_missed(safe: Safe, tenant: str) -> None:
    async with safe.operator(tenant) as operator, safe.holder(tenant) as holder:
        session = await session_of(operator)
        async with holder.following(session) as updates:
            await operator.set("A", "x")
            await updates.update()
            last = updates.last_id
        await operator.set("B", "x")
        await operator.set("C", "x", project="api")
        async with holder.following(session, last=last) as updates:
            missed = await updates.update()
            await operator.set("D", "x")
            new = await updates.update()
        async with holder.following(session, last="9999") as updates:
            foreign = await updates.update()
        async with holder.following(session, last="nonsense") as updates:
            nonsense = await updates.update()

    assert [each["names"] for each in (missed, new) if each] == [["B"], ["D"]]
    for each in (foreign, nonsense):
        assert each == {"type": "UPDATE", "sessionId": session, "kind": "unknown", "names": []}


async def test_who_is_cut_off_amid_what_was_missed_comes_back_to_the_rest_of_it(safe: Safe, tenant: str) -> None:
    async with safe.operator(tenant) as operator, safe.holder(tenant) as holder:
        session = await session_of(operator)
        async with holder.following(session) as updates:
            await operator.set("A", "x")
            await updates.update()
            last = updates.last_id
        for name in "BCD":
            await operator.set(name, "x")
        heard = []
        for _ in "BCD":
            async with holder.following(session, last=last) as updates:
                before_any = updates.last_id
                heard.append(await updates.update())
                last = updates.last_id

    assert before_any is None
    assert [each["names"] for each in heard if each] == [["B"], ["C"], ["D"]]


async def test_an_idle_stream_shows_that_it_lives(safe: Safe, tenant: str) -> None:
    async with safe.operator(tenant) as operator, safe.holder(tenant) as holder:
        session = await session_of(operator)
        async with holder.following(session) as updates:
            blocks = [await updates.block() for _ in range(3)]

    assert [each.comments for each in blocks if each] == [["heartbeat"]] * 3


async def test_it_ends_soon_after_its_key_was_revoked(safe: Safe, tenant: str) -> None:
    async with safe.operator(tenant) as operator, safe.holder(tenant) as holder:
        session = await session_of(operator)
        async with holder.following(session) as updates:
            async with safe.keys() as stored:
                await stored.revoke(holder.key_id, datetime.now(UTC))
            end = await updates.update()
        again = await holder.http.get(STREAM, params={"sessionId": session})

    assert end is None
    assert again.status_code == 401


async def test_it_is_for_a_workers_own_key_and_for_a_session_that_is_there(safe: Safe, tenant: str) -> None:
    async with safe.operator(tenant) as operator, safe.holder(f"{tenant}-other") as other, safe.client() as nobody:
        session = await session_of(operator)
        refused = [
            await http.get(STREAM, params={"sessionId": session}, headers=headers)
            for http, headers in ((operator.http, {}), (nobody, {}), (nobody, bearer("old")))
        ]
        foreign = await other.http.get(STREAM, params={"sessionId": session})
        unnamed = await other.http.get(STREAM)

    assert [(each.status_code, each.json()["code"]) for each in refused] == [(403, "forbidden")] * 3
    assert (foreign.status_code, foreign.json()["code"]) == (404, "work-session-not-found")
    assert (unnamed.status_code, unnamed.json()["code"]) == (400, "invalid-request")


async def test_only_an_operator_of_the_organization_rotates(safe: Safe, tenant: str) -> None:
    async with safe.operator(tenant) as operator, safe.holder(tenant) as holder:
        foreign = await operator.http.post(ROTATE, json={"orgId": "local", "kind": "github"})
        (entry,) = await operator.audit(1)
        by_worker = await holder.http.post(ROTATE, json={"orgId": tenant, "kind": "github"})
        empty = await operator.http.post(ROTATE, json={"orgId": tenant, "kind": ""})
        told = await operator.rotate(tenant, "github")

    assert (foreign.status_code, foreign.json()["code"]) == (403, "forbidden")
    assert (entry["action"], entry["asked"]) == ("refused", "local")
    assert (by_worker.status_code, empty.status_code) == (403, 400)
    assert set(told) == {"ok", "kind", "sessionCount", "rotatedAt"}
    assert (told["ok"], told["kind"], told["sessionCount"]) == (True, "github", 0)


async def test_a_server_that_is_told_to_stop_ends_its_streams(
    make_server: Callable[..., ServerProcess], sqlite_url: str, tmp_path: Path
) -> None:
    server = make_server(sqlite_url).start()
    safe = Safe(server, tmp_path / "none")
    async with safe.operator("local") as operator, safe.holder("local") as holder:
        session = await session_of(operator)
        async with holder.following(session) as updates:
            status = asyncio.create_task(asyncio.to_thread(server.terminate))
            end = await updates.update()

    assert end is None
    assert await status == 0


@pytest.mark.parametrize("kind", ["set", "rotate"])
async def test_what_changes_at_one_server_is_told_at_another(
    make_server: Callable[..., ServerProcess], postgres_url: str, tmp_path: Path, tenant: str, kind: str
) -> None:
    keys = tmp_path / "keys"
    ensure_key_file(keys)
    one, two = (Safe(make_server(postgres_url, key_file=keys, sweep_seconds=0.1).start(), keys) for _ in range(2))
    async with one.operator(tenant) as operator, two.client(await two.key(tenant, Role.WORKER)) as http:
        session = await session_of(operator)
        async with two.holder(tenant) as holder, holder.following(session) as updates:
            if kind == "set":
                await operator.set("KEY", "value")
            else:
                await operator.rotate(tenant, "github")
            heard = await updates.update()
            env = await holder.env(sessionId=session)
        assert http.base_url != operator.http.base_url

    assert heard is not None
    assert (heard["kind"], env) == (("set", {"KEY": "value"}) if kind == "set" else ("github", {}))
