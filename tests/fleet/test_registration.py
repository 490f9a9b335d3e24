"""How workers come: in three ways, in the words of each family, and never with a body that is wrong."""

import json
import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from hosting.domain.identity import Role
from tests.fleet.conftest import SHARED_KEY
from tests.fleet.gate import Gate, Json, bearer
from tests.harness.postgres import PostgresCluster
from tests.harness.process import ServerProcess
from tests.harness.worker import FleetWorker, define_worker_agent
from tests.identity.tokens import decoded

OLDER = {"hostname": "forge", "capacity": 3, "version": "1.4.2", "projects": ["web", "api"]}
NEWER = {
    "hostname": "anvil",
    "machineId": "m-1",
    "region": "eu",
    "hostInfo": {"ip": "10.0.0.1", "os": "linux", "cpuCores": 8, "memTotalMb": 16000, "daemonVersion": "0.9"},
    "capabilities": ["local", "merge-queue", {"kind": "typed"}],
    "provides": [{"kind": "native", "name": "git"}],
    "projectIds": ["web"],
    "allowlist": [{"projectId": "web", "repoUrl": "https://git.example/web"}],
    "projectAdmissionMode": "enumerated",
    "sessionShim": {"attestation": "a b"},
    "somethingNew": 1e3,
}
OLDEST = {"hostname": "bellows", "pid": 17, "version": "0.1", "max_agents": 2, "capabilities_typed": [{"kind": "x"}]}
MALFORMED: dict[str, bytes] = {
    "nothing": b"",
    "no JSON": b"{",
    "no object": b"[]",
    "no hostname": b'{"capacity": 1}',
    "an empty hostname": b'{"hostname": ""}',
    "a hostname that is none": b'{"hostname": 7}',
    "a hostname that is too long": json.dumps({"hostname": "h" * 256}).encode(),
    "a project that is too long": json.dumps({"hostname": "h", "projectId": "p" * 201}).encode(),
    "a capacity of none": b'{"hostname": "h", "capacity": 0}',
    "a capacity below none": b'{"hostname": "h", "capacity": -1}',
    "half a capacity": b'{"hostname": "h", "capacity": 1.5}',
    "a capacity in words": b'{"hostname": "h", "capacity": "many"}',
    "a capacity beyond all": b'{"hostname": "h", "capacity": 99999999999}',
    "a project in words": b'{"hostname": "h", "projects": "web"}',
    "projects that are none": b'{"hostname": "h", "projects": [1]}',
    "an empty project": b'{"hostname": "h", "projects": [""]}',
    "very many projects": json.dumps({"hostname": "h", "projects": ["p"] * 1001}).encode(),
    "ids that are none": b'{"hostname": "h", "projectIds": [null]}',
    "agents that are none": b'{"hostname": "h", "agentIds": {"a": 1}}',
    "a project that is none": b'{"hostname": "h", "projectId": 1}',
    "no text at all": b'{"hostname": "\xff"}',
}


async def register(http: httpx.AsyncClient, body: Json, key: str | None = None) -> httpx.Response:
    """Register with a body of any dialect."""
    return await http.post("/api/workers/register", json=body, headers={} if key is None else bearer(key))


async def record(http: httpx.AsyncClient, answer: httpx.Response) -> Json:
    """Return what the server shows of a worker that was just registered by whoever needs no key."""
    assert answer.status_code == 201, answer.text
    shown: Json = (await http.get(f"/api/workers/{answer.json()['workerId']}")).json()
    return shown


def claims_of(answer: httpx.Response) -> Json:
    """Return what the token of an answer says."""
    said: Json = json.loads(decoded(answer.json()["runtimeToken"].split(".")[1]))
    return said


async def test_the_words_of_every_family_register_a_worker(local: httpx.AsyncClient) -> None:
    older = await record(local, await register(local, OLDER))
    newer = await record(local, await register(local, NEWER))
    answer = await register(local, OLDEST)
    oldest = await record(local, answer)

    assert (older["hostname"], older["capacity"], older["version"]) == ("forge", 3, "1.4.2")
    assert (older["projects"], older["status"], older["sessions"]) == (["web", "api"], "active", [])
    assert (newer["capacity"], newer["projects"], newer["capabilities"]) == (1, ["web"], ["local", "merge-queue"])
    assert newer["registration"] == NEWER
    assert oldest["capacity"] == 2
    told = answer.json()
    assert told["worker_id"] == told["workerId"]
    assert told["runtime_jwt"] == told["runtimeToken"]
    assert (told["heartbeatInterval"], told["heartbeat_interval_seconds"], told["pollInterval"]) == (30000, 30, 5000)


async def test_a_key_registers_a_worker_of_its_tenant_and_its_project(gate: Gate, local: httpx.AsyncClient) -> None:
    blue, web = await gate.key("blue", Role.WORKER), await gate.key("blue", Role.WORKER, "web")

    everywhere, bound = await register(local, OLDER, blue), await register(local, OLDER, web)
    elsewhere = await local.get(f"/api/workers/{everywhere.json()['workerId']}")
    seen = await local.get(f"/api/workers/{bound.json()['workerId']}", headers=bearer(blue))

    said = claims_of(bound)
    assert {"jti", "proj", "org", "sub", "reg", "scope", "exp"} <= said.keys()
    assert (said["org"], said["proj"], said["sub"]) == ("blue", "web", bound.json()["workerId"])
    assert (claims_of(everywhere)["org"], claims_of(everywhere)["proj"]) == ("blue", None)
    assert (elsewhere.status_code, elsewhere.json()["message"]) == (404, "Worker not found")
    assert seen.json()["project"] == "web"
    assert re.fullmatch("wkr_[0-9a-f]{16}", said["sub"])


async def test_who_has_the_shared_key_gets_no_token_and_goes_on_with_the_key(local: httpx.AsyncClient) -> None:
    answer = await register(local, OLDER, SHARED_KEY)
    worker = FleetWorker(local, answer.json(), key=SHARED_KEY)

    told = answer.json()
    assert (answer.status_code, told["runtimeToken"], told["runtimeTokenExpiresAt"]) == (201, None, None)
    assert "work" in await worker.poll()


async def test_a_project_in_the_body_is_the_one_that_the_token_is_for(gate: Gate, local: httpx.AsyncClient) -> None:
    tenants, web = await gate.key("green", Role.OPERATOR), await gate.key("green", Role.WORKER, "web")
    wanted = {**OLDER, "projectId": "web"}

    by_key, by_nobody = await register(local, wanted, tenants), await register(local, wanted)
    again, other = await register(local, wanted, web), await register(local, {**OLDER, "projectId": "api"}, web)

    assert [claims_of(each)["proj"] for each in (by_key, by_nobody, again)] == ["web", "web", "web"]
    assert (other.status_code, other.json()["error"]) == (403, "Forbidden")


async def test_nobody_else_registers_workers(gate: Gate, local: httpx.AsyncClient) -> None:
    user, revoked = await gate.key("grey", Role.USER), await gate.revoked_key("grey", Role.WORKER)
    worker = await FleetWorker.register(local, key=await gate.key("grey", Role.WORKER))
    assert worker.token is not None

    answers = [await register(local, OLDER, shown) for shown in (user, worker.token, revoked, gate.aged(worker.token))]

    assert [each.status_code for each in answers] == [403, 403, 401, 401]
    assert [answers[2].json()["message"], answers[3].json()["message"]] == [
        "Invalid or missing API key",
        "Runtime token expired",
    ]
    assert await gate.execute("SELECT COUNT(*) FROM workers WHERE tenant = 'grey'") == [(1,)]


async def test_a_malformed_registration_registers_nobody(gate: Gate, local: httpx.AsyncClient) -> None:
    before = await gate.execute("SELECT COUNT(*) FROM workers")

    answers = {
        name: await local.post("/api/workers/register", content=body, headers={"Content-Type": "application/json"})
        for name, body in MALFORMED.items()
    }

    assert {name: each.status_code for name, each in answers.items()} == dict.fromkeys(MALFORMED, 400)
    assert all(each.json()["error"] == "Bad Request" and each.json()["message"] for each in answers.values())
    assert await gate.execute("SELECT COUNT(*) FROM workers") == before


async def test_a_worker_gets_only_the_work_of_its_project_and_of_its_agents(gate: Gate) -> None:
    async with await gate.tenant("weavers") as client:
        for name, project in (("weaver", "web"), ("painter", "art"), ("anyone", None)):
            client.agent = await define_worker_agent(client.http, name, **({"projectName": project} if project else {}))
            await client.accepted(await client.session(), f"for the {name}")
        painters = await FleetWorker.register(client.http, agentIds=["painter"])
        webs = await FleetWorker.register(client.http, projectId="web", projects=["art"])
        others = await FleetWorker.register(client.http, projects=["art", "none"])

        config = (await client.http.get("/api/config", headers=webs.headers)).json()
        painted, woven, rest = await painters.poll(), await webs.poll(), await others.poll()

    assert [item["prompt"] for item in painted["work"]] == ["for the painter"]
    assert [item["prompt"] for item in woven["work"]] == ["for the weaver", "for the anyone"]
    assert rest["work"] == []
    assert config == {"projects": ["web"]}


async def test_the_projects_that_there_is_work_for_are_told_once_each(gate: Gate) -> None:
    async with gate.client(await gate.key("ochre", Role.OPERATOR)) as client:
        for name, project in (("one", "web"), ("two", "api"), ("three", "web"), ("four", None)):
            await define_worker_agent(client, name, **({"projectName": project} if project else {}))
        await client.post("/agents", json={"name": "five", "config": {"model": "none"}})

        told = await client.get("/api/config")

    assert told.json() == {"projects": ["api", "web"]}


async def test_the_fleet_is_listed_with_what_it_has_room_for(gate: Gate) -> None:
    async with gate.client(await gate.key("violet", Role.OPERATOR)) as client:
        there = await FleetWorker.register(client, capacity=4, key=client.headers["Authorization"][7:])
        silent = await FleetWorker.register(client, capacity=9, key=client.headers["Authorization"][7:])
        drained = await FleetWorker.register(client, capacity=2, key=client.headers["Authorization"][7:])
        await client.put(f"/api/workers/{drained.id}/host-status", json={"status": "pool_draining"})
        await gate.fall_silent(there, 1)
        await gate.fall_silent(silent, 121)

        listed = (await client.get("/api/workers")).json()

    assert [(each["id"], each["status"]) for each in listed["workers"]] == [
        (drained.id, "active"),
        (there.id, "active"),
        (silent.id, "offline"),
    ]
    assert listed["summary"] == {
        "totalWorkers": 3,
        "activeWorkers": 2,
        "totalCapacity": 6,
        "totalActive": 0,
        "availableCapacity": 4,
        "queueLength": 0,
    }


async def test_a_worker_that_was_silent_for_a_month_is_forgotten_when_another_comes(gate: Gate) -> None:
    async with gate.client(await gate.key("sepia", Role.OPERATOR)) as client:
        key = client.headers["Authorization"][7:]
        long_gone, lately = await FleetWorker.register(client, key=key), await FleetWorker.register(client, key=key)
        await gate.fall_silent(long_gone, 31 * 86_400)
        await gate.fall_silent(lately, 29 * 86_400)
        newcomer = await FleetWorker.register(client, key=key)

        listed = (await client.get("/api/workers")).json()["workers"]

    assert [each["id"] for each in listed] == [newcomer.id, lately.id]


async def test_a_server_that_cannot_sign_registers_nobody_who_needs_a_token(
    make_server: Callable[..., ServerProcess], postgres: PostgresCluster
) -> None:
    server = make_server(await postgres.create_database_async(), worker_api_key=SHARED_KEY).start()
    async with httpx.AsyncClient(base_url=server.url, timeout=30) as client:
        refused = await register(client, OLDER)
        shared = await register(client, OLDER, SHARED_KEY)

        listed: dict[str, Any] = (await client.get("/api/workers")).json()

    assert (refused.status_code, refused.json()["code"]) == (503, "no-signing-key")
    assert [each["id"] for each in listed["workers"]] == [shared.json()["workerId"]]


@pytest.mark.parametrize("path", ["/api/workers/%00", "/api/workers/" + "x" * 200])
async def test_what_cannot_be_a_worker_is_none(local: httpx.AsyncClient, path: str) -> None:
    answers = [await local.get(path), await local.delete(path), await local.post(f"{path}/heartbeat", json={})]

    assert [(each.status_code, each.json()["message"]) for each in answers] == [(404, "Worker not found")] * 3


async def test_a_worker_is_told_the_agents_whose_work_it_can_get(local: httpx.AsyncClient) -> None:
    painter = await define_worker_agent(local, "told-painter", projectName="told-walls")
    sculptor = await define_worker_agent(local, "told-sculptor")

    async def agents(**said: Any) -> list[str]:
        registered = (await FleetWorker.register(local, **said)).registered
        return [each for each in registered["agents"] if each in {painter, sculptor}]

    assert await agents() == [painter, sculptor]
    assert await agents(agentIds=["told-painter"]) == [painter]
    assert await agents(agentIds=[sculptor, "nobody"]) == [sculptor]
    assert await agents(projects=["told-floors"]) == [sculptor]
    assert await agents(agentIds=["nobody"]) == []
