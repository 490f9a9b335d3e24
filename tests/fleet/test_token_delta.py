"""What a worker relays: taken once, in order, whole batch by whole batch."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from hosting.domain.identity import Role
from tests.fleet.conftest import SHARED_KEY
from tests.fleet.gate import Gate
from tests.fleet.relaying import Json, begun, done
from tests.harness.client import Client
from tests.harness.order import check_log
from tests.harness.postgres import PostgresCluster
from tests.harness.process import ServerProcess
from tests.harness.raw_store import RawStore
from tests.harness.worker import FleetWorker


async def test_each_piece_is_taken_once_and_in_order_whatever_comes(client: Client) -> None:
    work = await begun(client)

    published = [
        await work.published("one", (1, "b"), (0, "a"), (1, "b")),
        await work.published("one", (0, "a"), (1, "b")),
        await work.published("one", (4, "e")),
        await work.published("one", (2, "c"), (3, "d")),
        await work.published("one", (5, "f"), done(6)),
        await work.published("one", (5, "f"), done(6)),
        await work.published("two", (0, "g")),
        await work.published("one", (7, "late")),
        await work.published("two"),
        await work.published("three", (0, "h"), done(1)),
    ]

    log = await client.log(work.session)
    assert published == [2, 0, 1, 0, 2, 0, 1, 0, 0, 2]
    assert await work.deltas() == [
        ("one", 0, "a"),
        ("one", 1, "b"),
        ("one", 4, "e"),
        ("one", 5, "f"),
        ("two", 0, "g"),
        ("three", 0, "h"),
    ]
    kinds = [event["type"] for event in log if event["type"].startswith("TEXT_")]
    message = ["TEXT_MESSAGE_START", "TEXT_DELTA", "TEXT_MESSAGE_END"]
    assert kinds == [message[0], *["TEXT_DELTA"] * 4, message[2], *message, *message]
    gaps = [event["details"] for event in log if event["type"] == "WORK_ACTIVITY"]
    assert gaps == [{"turnId": "one", "missing": 2, "before": 4}]
    await work.worker.told(work.id, "status", status="completed")
    check_log(await client.log(work.session))


async def test_a_batch_is_one_unit_however_much_it_is(client: Client, server: ServerProcess) -> None:
    work = await begun(client)
    await work.worker.told(work.id, "status", status="running")
    store = RawStore(server.database_url)
    before = await store.head(work.session)

    published = await work.published("turn-0", *((index, "x" * 5000) for index in range(200)))

    (row,) = [each for each in await store.ranges(work.session) if each[0] > before]
    assert published == 200
    assert row[1] - row[0] + 1 >= 200


async def test_what_was_taken_of_a_claim_does_not_hinder_the_next_worker(client: Client) -> None:
    work = await begun(client)
    await work.published("turn-0", (0, "cut "), (1, "short"))
    gone = await client.http.delete(f"/api/workers/{work.worker.id}", headers=work.worker.headers)
    assert gone.status_code == 200, gone.text
    work.worker = await FleetWorker.register(client.http)
    assert (await work.worker.claimed())["sessionId"] == work.id

    published = await work.published("turn-0", (0, "a"), (1, "b"), done(2))

    assert published == 3
    assert [text for _, _, text in await work.deltas()] == ["cut ", "short", "a", "b"]


async def test_the_relay_is_forgotten_when_the_run_ends_and_bounded_until_then(
    client: Client, server: ServerProcess
) -> None:
    work, store = await begun(client), RawStore(server.database_url)
    for number in range(80):
        await work.published(f"a-turn-of-a-long-name-{number:0100}", (0, "a"), done(1))
    ((kept,),) = await store.run("SELECT value FROM session_state WHERE name = ?", f"relay:{work.id}")

    await work.worker.told(work.id, "status", status="completed")

    assert len(kept) < 64 * 140
    assert await store.run("SELECT name FROM session_state") == []


MALFORMED: list[Json] = [
    {},
    {"turnId": "turn-0"},
    {"frames": []},
    {"turnId": "", "frames": []},
    {"turnId": "t" * 201, "frames": []},
    {"turnId": 7, "frames": []},
    {"turnId": "turn-0", "frames": "a"},
    {"turnId": "turn-0", "frames": ["a"]},
    {"turnId": "turn-0", "frames": [{"text": "a"}]},
    {"turnId": "turn-0", "frames": [{"index": -1, "text": "a"}]},
    {"turnId": "turn-0", "frames": [{"index": 1.5, "text": "a"}]},
    {"turnId": "turn-0", "frames": [{"index": "0", "text": "a"}]},
    {"turnId": "turn-0", "frames": [{"index": True, "text": "a"}]},
    {"turnId": "turn-0", "frames": [{"index": 2**53, "text": "a"}]},
    {"turnId": "turn-0", "frames": [{"index": 0, "text": None}]},
    {"turnId": "turn-0", "frames": [{"index": 0, "text": "a", "done": "no"}]},
    {"turnId": "turn-0", "frames": [{"index": index, "text": "a"} for index in range(201)]},
    {"turnId": "turn-0", "frames": [{"index": 0, "text": "a"}, {"index": 1}, {"index": None}]},
]


async def test_what_is_malformed_is_refused_with_a_sentence_and_changes_nothing(client: Client) -> None:
    work = await begun(client)
    await work.published("turn-0", (0, "a"))
    before = await client.log_text(work.session)

    path, headers = f"/api/sessions/{work.id}/token-delta", work.worker.headers
    bodies = [*(json.dumps(body).encode() for body in MALFORMED), b"{", b"[]", b"\xff", b"7", b"null"]
    answers = [await client.http.post(path, content=raw, headers=headers) for raw in bodies]
    large = await client.http.post(path, content=b'{"turnId":"' + b"t" * (1 << 20) + b'"}', headers=headers)

    told = [(answer.status_code, bool(answer.json()["error"]), bool(answer.json()["message"])) for answer in answers]
    assert told == [(400, True, True)] * len(answers)
    assert (large.status_code, large.json()["code"]) == (413, "payload-too-large")
    assert await client.log_text(work.session) == before


async def test_what_cannot_be_stored_of_a_text_is_said_otherwise(client: Client) -> None:
    work = await begun(client)

    path, headers = f"/api/sessions/{work.id}/token-delta", work.worker.headers
    body = {"turnId": "turn-0", "frames": [{"index": 0, "text": "a\0b\ud800c"}]}
    answer = await client.http.post(path, content=json.dumps(body).encode(), headers=headers)

    said = [event["text"] for event in await client.log(work.session) if event["type"] == "TEXT_DELTA"]
    assert (answer.status_code, said) == (200, ["a\ufffdb\ufffdc"])


async def test_who_has_not_the_session_is_refused_with_the_words_that_workers_know(client: Client, gate: Gate) -> None:
    work = await begun(client)
    other, shared = await FleetWorker.register(client.http), await FleetWorker.register(client.http, key=SHARED_KEY)
    stranger = await FleetWorker.register(client.http, key=await gate.key("stranger", Role.WORKER))
    body: Json = {"turnId": "turn-0", "frames": [{"index": 0, "text": "a"}]}
    before = await client.log_text(work.session)

    def told(answer: object) -> tuple[int, str]:
        return answer.status_code, answer.json()["message"]  # type: ignore[attr-defined]

    answers = [
        told(await each.report(session, "token-delta", **body))
        for each, session in ((other, work.id), (shared, work.id), (stranger, work.id), (work.worker, "wse_none"))
    ]
    named = await client.http.post(
        f"/api/sessions/{work.id}/token-delta", json={**body, "workerId": other.id}, headers=work.worker.headers
    )
    forged = await client.http.post(
        f"/api/sessions/{work.id}/token-delta", json=body, headers={"Authorization": "Bearer x.y.z"}
    )

    not_its_own = (403, "Session is owned by another worker")
    unknown = (404, "Session not found")
    assert answers == [not_its_own, not_its_own, unknown, unknown]
    assert told(named) == not_its_own
    assert told(forged) == (401, "Invalid or missing API key")
    assert await client.log_text(work.session) == before

    await work.worker.told(work.id, "status", status="completed")
    late = await work.relay("turn-0", (0, "late"))
    assert (late.status_code, late.json()["code"]) == (409, "work-session-ended")


async def test_a_shared_key_alone_speaks_for_the_worker_that_has_the_session(client: Client) -> None:
    work = await begun(client, await FleetWorker.register(client.http, key=SHARED_KEY))
    body = {"turnId": "turn-0", "frames": [{"index": 0, "text": "a"}]}
    key = {"Authorization": f"Bearer {SHARED_KEY}"}

    taken = await client.http.post(f"/api/sessions/{work.id}/token-delta", json=body, headers=key)
    unknown = await client.http.post("/api/sessions/wse_none/token-delta", json=body, headers=key)
    await client.accepted(session := await client.session(), "Nobody has this yet.")
    (waiting,) = (await work.worker.poll())["work"]

    assert (taken.status_code, taken.json()) == (200, {"published": 1})
    assert unknown.status_code == 404
    assert waiting["issueId"].startswith(session)
    assert await work.deltas() == [("turn-0", 0, "a")]


@pytest.mark.timeout(120)
async def test_nothing_is_said_twice_when_the_server_is_killed_before_it_answers(
    make_server: Callable[..., ServerProcess], database_url: str, key_file: Path
) -> None:
    server = make_server(database_url, key_file=key_file).start()
    async with Client(server.url) as client:
        work = await begun(client)
        await work.published("turn-0", (0, "a"))
        head = await RawStore(database_url).head(work.session)
        unanswered = asyncio.ensure_future(work.relay("turn-0", (1, "b"), (2, "c")))
        async with asyncio.timeout(20):
            while await RawStore(database_url).head(work.session) == head:
                pass
        server.kill()
        await asyncio.wait([unanswered])

    server.start()
    async with Client(server.url, agent=client.agent) as client:
        work.client, work.worker.http = client, client.http
        again = await work.published("turn-0", (1, "b"), (2, "c"))
        more = await work.published("turn-0", (3, "d"), done(4))

        assert (again, more) == (0, 2)
        assert [text for _, _, text in await work.deltas()] == ["a", "b", "c", "d"]
        await work.worker.told(work.id, "status", status="completed")
        check_log(await client.log(work.session))


@pytest.mark.timeout(120)
async def test_two_nodes_that_are_told_in_turn_write_one_text(
    make_server: Callable[..., ServerProcess], postgres: PostgresCluster, key_file: Path
) -> None:
    database_url = await postgres.create_database_async()
    nodes = [make_server(database_url, key_file=key_file).start() for _ in range(2)]
    async with Client(nodes[0].url) as one, Client(nodes[1].url) as other:
        work = await begun(one)

        published = []
        for index in range(10):
            work.worker.http = (one, other)[index % 2].http
            published.append(await work.published("turn-0", (max(0, index - 1), "x"), (index, f"{index} ")))
        work.worker.http = one.http

        assert published == [1] * 10
        assert [index for _, index, _ in await work.deltas()] == list(range(10))
        await work.worker.told(work.id, "status", status="completed")
        check_log(await one.log(work.session))
