"""How workers show that they are there, and what they hear then."""

from datetime import datetime
from typing import Any

import httpx

from hosting.domain.identity import Role
from tests.fleet.conftest import SHARED_KEY
from tests.fleet.gate import Gate, Json, bearer
from tests.harness.client import Client
from tests.harness.worker import FleetWorker, define_worker_agent

ATTESTATION = '{"b": 1.50, "a": [ "\\u00e9", null ]}'
MALFORMED: dict[str, bytes] = {
    "nothing": b"",
    "no JSON": b"{",
    "no object": b'"busy"',
    "no count": b"{}",
    "a count of nothing": b'{"activeCount": null}',
    "a count below none": b'{"activeCount": -1}',
    "half a count": b'{"activeCount": 0.5}',
    "a count in words": b'{"activeCount": "1"}',
    "a count beyond all": b'{"activeCount": 99999999999}',
    "sessions in words": b'{"activeSessions": "1"}',
    "a status that is none": b'{"activeCount": 0, "status": 1}',
    "a load in words": b'{"activeCount": 0, "load": "heavy"}',
    "a load of words": b'{"activeCount": 0, "load": {"cpu": "high"}}',
    "room below none": b'{"activeCount": 0, "maxSessions": -1}',
    "a mutation that is none": b'{"activeCount": 0, "appliedMutations": [1]}',
    "mutations that are none": b'{"activeCount": 0, "appliedMutations": {"a": 1}}',
    "a failure that is none": b'{"activeCount": 0, "mutationFailures": ["m"]}',
    "a failure of nothing": b'{"activeCount": 0, "mutationFailures": [{"error": "e"}]}',
    "projects that are none": b'{"activeCount": 0, "enabledProjectIds": "web"}',
    "very deep": b'{"activeCount": 0, "load": ' + b"[" * 100 + b"]" * 100 + b"}",
}


async def beat(worker: FleetWorker, **said: Any) -> httpx.Response:
    """Send a heartbeat."""
    return await worker.http.post(f"/api/workers/{worker.id}/heartbeat", json=said, headers=worker.headers)


async def heard(worker: FleetWorker, **said: Any) -> Json:
    """Send a heartbeat that must be taken, and return the answer."""
    answer = await beat(worker, **said)
    assert answer.status_code == 200, answer.text
    told: Json = answer.json()
    return told


async def shown(http: httpx.AsyncClient, worker: FleetWorker) -> Json:
    """Return what the server knows of a worker."""
    record: Json = (await http.get(f"/api/workers/{worker.id}", headers=worker.headers)).json()
    return record


async def test_a_heartbeat_of_every_family_is_taken(gate: Gate, local: httpx.AsyncClient) -> None:
    worker = await FleetWorker.register(local, key=await gate.key("beats", Role.WORKER))

    older = await heard(worker, activeCount=2, load={"cpu": 1.5, "memory": 0.4})
    of_older = await shown(local, worker)
    newer = await heard(
        worker,
        status="busy",
        activeCount=3,
        activeInteractiveCount=1,
        maxSessions=8,
        load={"cpu": 80, "memory": 55.5},
        loadAverage={"one": 1, "five": 2, "fifteen": 3},
        allowlistHash="abc",
        enabledProjectIds=["web"],
        projectAdmissionMode="enumerated",
        quarantinedSessions=["s"],
    )
    of_newer = await shown(local, worker)
    alias = await heard(worker, status="idle", activeSessions=0, maxSessions=4, projectAdmissionMode="all-routed")
    of_alias = await shown(local, worker)

    assert older.keys() == newer.keys() == alias.keys() == {"acknowledged", "serverTime", "pendingWorkCount"}
    assert (older["acknowledged"], older["pendingWorkCount"]) == (True, 0)
    assert datetime.fromisoformat(older["serverTime"]).tzinfo is not None
    assert (of_older["activeCount"], of_older["status"], of_older["capacity"]) == (2, "active", 10)
    assert of_older["load"] == {"cpu": 1.5, "memory": 0.4}
    assert (of_newer["activeCount"], of_newer["status"], of_newer["capacity"]) == (3, "busy", 8)
    assert (of_newer["projects"], of_newer["heartbeat"]["quarantinedSessions"]) == (["web"], ["s"])
    assert (of_alias["activeCount"], of_alias["status"], of_alias["capacity"]) == (0, "idle", 4)
    assert of_alias["projects"] == []


async def test_a_heartbeat_is_for_its_own_worker_alone(gate: Gate, local: httpx.AsyncClient) -> None:
    worker, other = await FleetWorker.register(local), await FleetWorker.register(local)
    stranger = bearer(await gate.key("stranger", Role.WORKER))
    assert other.token is not None

    by_other = await local.post(f"/api/workers/{worker.id}/heartbeat", json={"activeCount": 0}, headers=other.headers)
    by_stranger = await local.post(f"/api/workers/{worker.id}/heartbeat", json={"activeCount": 0}, headers=stranger)
    of_nobody = await local.post("/api/workers/wkr_0/heartbeat", json={"activeCount": 0}, headers=worker.headers)
    too_late = await local.post(
        f"/api/workers/{other.id}/heartbeat", json={"activeCount": 0}, headers=bearer(gate.aged(other.token))
    )

    assert (by_other.status_code, by_other.json()["error"]) == (403, "Forbidden")
    assert (by_stranger.status_code, by_stranger.json()["message"]) == (404, "Worker not found")
    assert (of_nobody.status_code, of_nobody.json()["message"]) == (404, "Worker not found")
    assert (too_late.status_code, too_late.json()["message"]) == (401, "Runtime token expired")


async def test_what_a_worker_attests_is_echoed_byte_for_byte(local: httpx.AsyncClient) -> None:
    worker = await FleetWorker.register(local)
    headers = {**worker.headers, "Content-Type": "application/json"}
    body = f'{{"activeCount":0,"sessionShim":{ATTESTATION}}}'

    told = await local.post(f"/api/workers/{worker.id}/heartbeat", content=body, headers=headers)
    renewed = await local.post(
        f"/api/workers/{worker.id}/refresh-token", content=f'{{"sessionShim":{ATTESTATION}}}', headers=headers
    )

    assert f'"sessionShim":{ATTESTATION}' in told.text
    assert f'"sessionShim":{ATTESTATION}' in renewed.text


async def test_mutations_are_told_until_the_worker_says_what_became_of_them(gate: Gate) -> None:
    async with gate.client(await gate.key("mutants", Role.OPERATOR)) as operator, gate.client() as local:
        worker = await FleetWorker.register(local, key=operator.headers["Authorization"][7:])
        path = f"/api/workers/{worker.id}/mutations"
        asked = [
            (await operator.post(path, json={"op": op, "params": params})).json()
            for op, params in (("pool.deleted", {"poolId": "p"}), ("project.disable", {}), ("project.enable", {}))
        ]
        delete, disable, enable = (each["id"] for each in asked)

        first, second = await heard(worker, activeCount=0), await heard(worker, activeCount=0)
        third = await heard(
            worker, activeCount=0, appliedMutations=[delete], mutationFailures=[{"id": disable, "error": "no"}]
        )
        again = await heard(
            worker,
            activeCount=0,
            appliedMutations=[delete, disable, "mut_of_nobody"],
            mutationFailures=[{"id": delete}],
        )
        last = await heard(worker, activeCount=0, appliedMutations=[enable])
        settled = await gate.execute("SELECT id, error FROM worker_mutations ORDER BY number")

    assert first["pendingMutations"] == second["pendingMutations"] == asked
    assert [each.keys() for each in asked] == [{"id", "op", "params", "requestedAt", "requestedBy"}] * 3
    assert third["pendingMutations"] == again["pendingMutations"] == asked[2:]
    assert "pendingMutations" not in last
    assert [row for row in settled if row[0] in {delete, disable, enable}] == [
        (delete, None),
        (disable, "no"),
        (enable, None),
    ]


async def test_a_worker_hears_what_its_operator_says_of_its_host_and_gets_no_work_then(gate: Gate) -> None:
    async with await gate.tenant("hosted") as client:
        client.agent = await define_worker_agent(client.http, "hosted", projectName="hosts")
        worker = await FleetWorker.register(client.http, projects=["hosts"])
        path = f"/api/workers/{worker.id}/host-status"
        draining = {"status": "pool_draining", "recommendedAction": "Move.", "candidatePoolIds": ["b"]}

        told = await client.http.put(path, json=draining)
        await client.accepted(await client.session(), "wait")
        in_heartbeat, polled = await heard(worker, activeCount=0), await worker.poll()
        await client.http.put(path, json={"status": "ok"})
        resumed, item = await heard(worker, activeCount=0), await worker.claimed()

    assert (told.status_code, told.json()) == (200, {"workerId": worker.id, "hostStatus": draining})
    assert (in_heartbeat["hostStatus"], in_heartbeat["pendingWorkCount"], polled["work"]) == (draining, 1, [])
    assert (resumed["hostStatus"], item["prompt"]) == ({"status": "ok"}, "wait")


async def test_a_worker_that_says_it_is_draining_gets_no_work(gate: Gate) -> None:
    async with Client(gate.server.url) as client:
        client.agent = await define_worker_agent(client.http, "drained", projectName="drains")
        worker = await FleetWorker.register(client.http, projects=["drains"])
        await client.accepted(await client.session(), "wait")

        await heard(worker, activeCount=0, status="draining")
        while_draining = await worker.poll()
        await heard(worker, activeCount=0, status="idle")
        afterwards = await worker.poll()

    assert (while_draining["work"], len(afterwards["work"])) == ([], 1)


async def test_only_operators_say_something_of_hosts(gate: Gate) -> None:
    keys = {role: await gate.key("hosts", role) for role in Role}
    async with gate.client() as local:
        worker = await FleetWorker.register(local, key=keys[Role.WORKER])
        elsewhere = await gate.key("elsewhere", Role.OPERATOR)
        mutations, status = f"/api/workers/{worker.id}/mutations", f"/api/workers/{worker.id}/host-status"
        shown_by = [keys[Role.WORKER], keys[Role.USER], worker.token or "", SHARED_KEY, elsewhere]

        asked = [
            (await local.post(mutations, json={"op": "session.kill"}, headers=bearer(each))).status_code
            for each in shown_by
        ]
        told = [(await local.put(status, json={"status": "ok"}, headers=bearer(each))).status_code for each in shown_by]
        told_then = await heard(worker, activeCount=0)

    assert asked == told == [403, 403, 403, 403, 404]
    assert told_then.keys() == {"acknowledged", "serverTime", "pendingWorkCount"}


async def test_malformed_words_of_operators_change_nothing(local: httpx.AsyncClient) -> None:
    worker = await FleetWorker.register(local)
    mutations = [{}, {"op": "explode"}, {"op": "session.kill", "params": []}, {"op": 1}, {"op": "session.kill", "x": 1}]
    states = [
        {},
        {"status": "fine"},
        {"status": None},
        {"status": "ok", "candidatePoolIds": [1]},
        {"status": "ok", "x": 1},
    ]

    refused = [await local.post(f"/api/workers/{worker.id}/mutations", json=each) for each in mutations]
    refused += [await local.put(f"/api/workers/{worker.id}/host-status", json=each) for each in states]

    assert [each.status_code for each in refused] == [400] * 10
    assert all(each.json()["error"] == "Bad Request" and each.json()["message"] for each in refused)
    assert (await heard(worker, activeCount=0)).keys() == {"acknowledged", "serverTime", "pendingWorkCount"}


async def test_a_malformed_heartbeat_changes_nothing(gate: Gate, local: httpx.AsyncClient) -> None:
    worker = await FleetWorker.register(local)
    headers = {**worker.headers, "Content-Type": "application/json"}
    row = "SELECT * FROM workers WHERE id = :id"
    before = await gate.execute(row, id=worker.id)

    answers = {
        name: await local.post(f"/api/workers/{worker.id}/heartbeat", content=body, headers=headers)
        for name, body in MALFORMED.items()
    }

    statuses = {name: each.status_code for name, each in answers.items()}
    assert statuses == dict.fromkeys(MALFORMED, 400) | {"very deep": 413}
    assert all(each.json()["error"] and each.json()["message"] for each in answers.values())
    assert await gate.execute(row, id=worker.id) == before


async def test_a_heartbeat_prolongs_the_hold_on_all_that_a_worker_has(gate: Gate) -> None:
    async with Client(gate.server.url) as client:
        client.agent = await define_worker_agent(client.http, "held", projectName="holds")
        worker = await FleetWorker.register(client.http, projects=["holds"])
        for text in ("one", "two"):
            await client.accepted(await client.session(), text)
        items = (await worker.poll())["work"]
        ends = "SELECT expires_at FROM leases WHERE node = :node"
        await gate.execute("UPDATE leases SET expires_at = expires_at - 60 WHERE node = :node", node=worker.id)
        before = [row[0] for row in await gate.execute(ends, node=worker.id)]

        await heard(worker, activeCount=2)

        after = [row[0] for row in await gate.execute(ends, node=worker.id)]
        record = await shown(client.http, worker)

    assert (len(items), len(before), len(after)) == (2, 2, 2)
    assert min(after) - max(before) > 59
    assert (record["sessions"], record["sessionCount"]) == ([item["sessionId"] for item in items], 2)


async def test_a_worker_that_was_silent_for_longer_than_its_lease_is_offline_until_it_is_heard_of(gate: Gate) -> None:
    async with gate.client() as local:
        worker = await FleetWorker.register(local)
        await gate.fall_silent(worker, 115)
        nearly = await shown(local, worker)
        await gate.fall_silent(worker, 10)

        silent = await shown(local, worker)
        await heard(worker, activeCount=0)
        heard_of = await shown(local, worker)

    assert [each["status"] for each in (nearly, silent, heard_of)] == ["active", "offline", "active"]
