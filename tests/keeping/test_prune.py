"""`branchline prune`, beside a server: what is idle goes, what is in use stays, and readers are told."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.harness.client import Client
from tests.harness.feed import completed
from tests.harness.process import ServerProcess
from tests.harness.raw_store import RawStore
from tests.keeping.kept import command, faults
from tests.sockets.talk import Talk

_MICROSECONDS_A_DAY = 86_400_000_000


_AGED = (
    "UPDATE sessions SET last_activity = last_activity - CAST(? AS BIGINT) WHERE id = ?",
    "UPDATE branches SET created_at = created_at - CAST(? AS BIGINT) WHERE session_id = ?",
    "UPDATE branches SET last_activity = last_activity - CAST(? AS BIGINT) WHERE session_id = ?",
    "UPDATE runs SET completed_at = completed_at - CAST(? AS BIGINT)"
    " WHERE branch_key IN (SELECT key FROM branches WHERE session_id = ?)",
    "UPDATE contents SET touched_at = touched_at - CAST(? AS BIGINT) / 1000000 WHERE session_id = ?",
)


async def _idle(store: RawStore, *sessions: str, days: int) -> None:
    for session in sessions:
        for statement in _AGED:
            await store.run(statement, days * _MICROSECONDS_A_DAY, session)


async def _rows(store: RawStore) -> list[int]:
    tables = ("sessions", "branches", "runs", "messages", "events")
    return [(await store.run(f"SELECT count(*) FROM {table}"))[0][0] for table in tables]


async def test_idle_sessions_go_with_all_they_have_and_their_readers_are_told(
    make_server: Callable[..., ServerProcess], database_url: str, tmp_path: Path
) -> None:
    server, store = make_server(database_url, tops_seconds=0.1).start(), RawStore(database_url)

    async def prune(*options: str) -> list[str]:
        pruned = await command("prune", *options, folder=tmp_path, database=database_url)
        assert pruned.status == 0, pruned.errors
        return pruned.out.split()

    async with Client(server.url) as client:
        for session in ("busy", "fresh", "old", "older"):
            await client.session(session)
            ended = await client.accepted(session, "Hello")
            await client.ended(session, ended["runtimeRunId"])
        forked = await client.http.post(
            f"{client.path('older')}/fork", json={"newBranchId": "copy", "fromMessageId": ended["messageId"]}
        )
        before = await _rows(store)
        asking = await client.accepted("busy", "/permission")
        await _idle(store, "busy", "old", "older", days=31)
        async with client.feed("older") as feed:
            await feed.frame()
            dry = await prune("--older-than", "30d", "--dry-run")
            other = await prune("--older-than", "30d", "--tenant", "somebody")
            gone = await prune("--older-than", "30d")
            again = await prune("--older-than", "30d")
            last = (await feed.to_end())[-1].json
        statuses = [
            (await client.http.get(f"/sessions/{session}/branches/main")).status_code
            for session in ("busy", "fresh", "old", "older")
        ]
        run = await client.run("busy", asking["runtimeRunId"])

    assert await faults(database_url, tmp_path) == ""
    assert forked.status_code == 201, forked.text
    assert (dry, other, gone, again) == (["old", "older"], [], ["old", "older"], [])
    assert (last["type"], last["reason"]) == ("STREAM_CLOSING", "deleted")
    assert "retryMs" not in last
    assert statuses == [200, 200, 404, 404]
    assert run["status"] == "active"
    assert before[0] - (await _rows(store))[0] == 2


async def test_a_session_is_in_use_whatever_has_happened_there(
    make_server: Callable[..., ServerProcess], database_url: str, tmp_path: Path
) -> None:
    (keys := tmp_path / "keys").write_text("first QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE\n")
    keys.chmod(0o600)
    server, store = make_server(database_url, key_file=keys).start(), RawStore(database_url)
    uses = ("answered", "branched", "idle", "patched", "sealed", "uploaded")

    async with Client(server.url) as client:
        for session in uses:
            await client.session(session)
        asking = await client.accepted("answered", "/permission")
        async with client.feed("answered", after=asking["position"]) as feed:
            asked = (await feed.until(lambda event: event["type"] == "PERMISSION_REQUEST"))[-1].json
        await _idle(store, *uses, days=31)
        answer = {"type": "PERMISSION_RESPONSE", "permissionId": asked["permissionId"], "approved": False}
        happened = [
            await client.http.post(f"{client.path('answered')}/responses", json=answer),
            await client.http.post("/agents/demo/sessions/branched/branches", json={"branchId": "west"}),
            await client.http.patch("/sessions/patched/branches/main", json={"name": "new"}),
            await client.http.put("/credentials/TOKEN?session=sealed", json={"value": "x"}),
            await client.http.post("/sessions/uploaded/content", files={"file": ("a.txt", b"text", "text/plain")}),
        ]
        await client.ended("answered", asking["runtimeRunId"])
        gone = await command("prune", "--older-than", "30d", folder=tmp_path, database=database_url)

    assert [each.status_code for each in happened if not each.is_success] == []
    assert gone.out.split() == ["idle"]


async def test_the_beginnings_of_logs_go_and_so_many_events_stay(
    make_server: Callable[..., ServerProcess], database_url: str, tmp_path: Path
) -> None:
    server = make_server(database_url).start()
    async with Client(server.url) as client:
        session = await client.session("kept")
        for _ in range(3):
            ended = await client.accepted(session, "Hello")
            await client.ended(session, ended["runtimeRunId"])
        log = await client.log(session)
        for options in (
            ("--events-older-than", "1h"),
            ("--keep-events", "5", "--older-than", "1h"),
            ("--keep-events", "5", "--dry-run"),
        ):
            assert (await command("prune", *options, folder=tmp_path, database=database_url)).status == 0
            assert await client.log(session) == log
        trimmed = await command("prune", "--keep-events", "5", folder=tmp_path, database=database_url)
        left = await client.log(session)
        accepted = await client.accepted(session, "and now?")
        async with client.feed(session, after=accepted["position"]) as feed:
            await feed.until(completed)

    assert await faults(database_url, tmp_path) == ""
    assert trimmed.status == 0, trimmed.errors
    assert 5 <= len(left) < len(log)
    assert left == log[-len(left) :]


def _is_reset(event: dict[str, Any]) -> bool:
    return bool(event["type"] == "STREAM_RESET")


@pytest.mark.timeout(60)
async def test_a_reader_that_is_overtaken_is_reset_and_goes_on_live(
    make_server: Callable[..., ServerProcess], sqlite_url: str, tmp_path: Path
) -> None:
    server = make_server(sqlite_url).start()
    async with Client(server.url) as client:
        session = await client.session("long")
        ended = await client.accepted(session, "/tokens 20000")
        await client.ended(session, ended["runtimeRunId"])
        latest = await client.position(session)
        after = f"{latest.split('.')[0]}.0"
        async with client.feed(session, after=after) as feed, Talk(client, session, after=after) as talk:
            # All that fits between the two of them is on the way then, and no more.
            feed.take_nothing()
            pruned = await command("prune", "--keep-events", "0", folder=tmp_path, database=sqlite_url)
            feed.take_again()
            behind = await feed.until(_is_reset)
            await talk.until(_is_reset)
            await client.accepted(session, "and now?")
            live = await feed.until(completed)

    *seen, reset = behind
    assert pruned.status == 0, pruned.errors
    assert [frame.json["sequenceNumber"] for frame in seen] == list(range(1, len(seen) + 1))
    assert (reset.id, reset.json["reason"], reset.json["earliest"]) == (latest, "trimmed", latest)
    assert {**talk.events[-1], "timestamp": reset.json["timestamp"]} == reset.json
    assert live[0].json["sequenceNumber"] == int(latest.split(".")[1]) + 1


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ((), "Say what is to go"),
        (("--older-than", "30"), "such as 30d"),
        (("--older-than", "30d", "--tenant", "a b"), "--tenant takes"),
        (("--keep-events", "-1"), "keep-events"),
        (("--keep-events", str(2**63)), "keep-events"),
        (("--older-than", "999999w"), "longer ago"),
    ],
)
async def test_what_cannot_be_pruned_is_told(
    options: tuple[str, ...], told: str, sqlite_url: str, tmp_path: Path
) -> None:
    refused = await command("prune", *options, folder=tmp_path, database=sqlite_url)

    assert refused.status == 2
    assert told in refused.errors
