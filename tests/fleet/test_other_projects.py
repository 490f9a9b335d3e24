"""A key of a project does nothing to the workers of another, whichever route it tries."""

import httpx

from hosting.domain.identity import Role
from tests.fleet.gate import Gate, Json, bearer
from tests.harness.worker import FleetWorker, define_worker_agent

_POSTS: dict[str, Json] = {
    "take": {},
    "units": {"claim": 1, "batch": 1, "changes": [], "events": []},
    "claim": {},
    "nack": {"reason": "no"},
    "status": {"status": "failed"},
    "activity": {"activity": {"type": "thought", "content": "x"}},
    "completion": {"summary": "done"},
    "progress": {"message": "half of it"},
    "external-urls": {"externalUrls": [{"label": "x", "url": "https://example.org"}]},
    "files/reserve": {"filePaths": ["a.py"]},
    "files/check-conflicts": {"filePaths": ["a.py"]},
    "files/release": {"filePaths": ["a.py"]},
    "files/release-all": {},
    "lock-refresh": {},
    "interactions": {"type": "CLARIFICATION_REQUEST", "question": "a"},
    "token-delta": {"turnId": "t", "frames": [{"index": 0, "text": "x"}]},
    "inbox/ack": {"messageId": "x", "lane": "normal"},
}
_GETS = ("past", "log", "history", "state", "questions/x")


async def test_the_key_of_another_project_neither_reads_nor_writes_a_workers_session(
    gate: Gate, local: httpx.AsyncClient
) -> None:
    web, art = [await gate.key("guild", Role.WORKER, project) for project in ("web", "art")]
    async with await gate.tenant("guild") as client:
        client.agent = await define_worker_agent(client.http, "weaver")
        await client.accepted(await client.session(), "weave")
    owner, thief = await FleetWorker.register(local, key=web), await FleetWorker.register(local, key=art)
    item = (await owner.claimed())["sessionId"]
    path = f"/api/sessions/{item}"
    before = await gate.everything()

    written = {}
    for verb, said in _POSTS.items():
        for named in ({"workerId": owner.id}, {}):
            answer = await local.post(f"{path}/{verb}", json=said | named, headers=bearer(art))
            written[verb, bool(named)] = answer.status_code
    moved = await local.post(
        f"{path}/transfer-ownership", json={"newWorkerId": thief.id, "oldWorkerId": owner.id}, headers=bearer(art)
    )
    read = [await local.get(f"{path}/{each}", params={"worker": owner.id}, headers=bearer(art)) for each in _GETS]
    seen = [await local.get(each, headers=bearer(art)) for each in (f"{path}/status", f"{path}/interactions/x")]

    # Nobody is said to ask, which is a fault of the request's before it is one of the asker's.
    assert {each: status for each, status in written.items() if status not in {403, 404} and each[1]} == {}
    assert set(written.values()) == {400, 403, 404}
    assert moved.json() == {"transferred": False, "reason": "Session not found"}
    assert {each.status_code for each in (*read, *seen)} <= {403, 404}
    assert await gate.everything() == before
    assert (await owner.told(item, "status", status="completed"))["updated"]


async def test_the_key_of_a_project_hands_on_between_workers_of_its_own(gate: Gate, local: httpx.AsyncClient) -> None:
    web = await gate.key("smiths", Role.WORKER, "web")
    async with await gate.tenant("smiths") as client:
        client.agent = await define_worker_agent(client.http, "smith")
        await client.accepted(await client.session(), "forge")
    before, after = await FleetWorker.register(local, key=web), await FleetWorker.register(local, key=web)
    item = (await before.claimed())["sessionId"]

    said = {"newWorkerId": after.id, "oldWorkerId": before.id}
    moved = await local.post(f"/api/sessions/{item}/transfer-ownership", json=said, headers=bearer(web))

    assert moved.json()["session"]["workerId"] == after.id
