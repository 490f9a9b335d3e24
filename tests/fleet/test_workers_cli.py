"""`branchline workers`, as an operator types it."""

from pathlib import Path

from hosting.domain.identity import Role
from tests.fleet.gate import Gate, Json
from tests.harness.worker import FleetWorker
from tests.identity.command import branchline


async def heard(worker: FleetWorker, **said: object) -> Json:
    """Send a heartbeat, and return what the worker hears."""
    path = f"/api/workers/{worker.id}/heartbeat"
    answer: Json = (await worker.http.post(path, json={"activeCount": 0, **said}, headers=worker.headers)).json()
    return answer


async def test_an_operator_lists_workers_drains_one_and_gives_it_work_again(gate: Gate, tmp_path: Path) -> None:
    key = await gate.key("crew", Role.OPERATOR)
    environment = {"BRANCHLINE_URL": gate.server.url, "BRANCHLINE_KEY": key}
    async with gate.client() as http:
        worker = await FleetWorker.register(http, key=key, hostname="anvil", capacity=3, projects=["web", "api"])

        drained = branchline("workers", "drain", worker.id, "--why", "Go home.", folder=tmp_path, **environment)
        told = await heard(worker)
        listed = branchline("workers", "list", folder=tmp_path, **environment)
        resumed = branchline("workers", "resume", worker.id, folder=tmp_path, **environment)
        told_again = await heard(worker)

    assert (drained.status, resumed.status, listed.status) == (0, 0, 0), drained.errors + listed.errors
    assert told["hostStatus"] == {"status": "pool_draining", "recommendedAction": "Go home."}
    assert told_again["hostStatus"] == {"status": "ok"}
    heading, line = listed.out.splitlines()
    assert heading.split("  ")[0] == "ID"
    assert line.split()[:6] == [worker.id, "anvil", "active", "(pool_draining)", "0/3", "web,api"]
    assert listed.errors == "1 of 1 are there, with 0 sessions and room for 0 more; 0 wait.\n"
    assert drained.errors.startswith(f"Worker {worker.id} gets no more work;")


async def test_an_operator_asks_a_worker_for_a_mutation(gate: Gate, tmp_path: Path) -> None:
    key = await gate.key("crew-of-two", Role.OPERATOR)
    known = ("--url", gate.server.url, "--key", key)
    async with gate.client() as http:
        worker = await FleetWorker.register(http, key=key)

        asked = branchline(
            *("workers", "mutate", worker.id, "project.disable", '{"projectId": "web"}', *known), folder=tmp_path
        )
        (mutation,) = (await heard(worker))["pendingMutations"]

    assert (asked.status, asked.out) == (0, f"{mutation['id']}\n")
    assert (mutation["op"], mutation["params"]) == ("project.disable", {"projectId": "web"})


async def test_what_goes_wrong_is_said_in_one_sentence(gate: Gate, tmp_path: Path) -> None:
    at, key = ("--url", gate.server.url), await gate.key("crew-of-none", Role.WORKER)

    unknown = branchline("workers", "drain", "wkr_0", *at, folder=tmp_path)
    no_operator = branchline("workers", "drain", "wkr_0", *at, "--key", key, folder=tmp_path)
    no_key = branchline("workers", "list", *at, "--key", "rsk_live_nobody", folder=tmp_path)
    no_op = branchline("workers", "mutate", "wkr_0", "explode", *at, folder=tmp_path)
    no_object = branchline("workers", "mutate", "wkr_0", "session.kill", "[]", *at, folder=tmp_path)
    no_json = branchline("workers", "mutate", "wkr_0", "session.kill", "{", *at, folder=tmp_path)

    assert (unknown.status, unknown.errors) == (1, "branchline workers: Worker not found. (worker-not-found)\n")
    assert (no_operator.status, "operator" in no_operator.errors) == (1, True)
    assert (no_key.status, "BRANCHLINE_KEY" in no_key.errors) == (1, True)
    assert no_op.status == 1
    assert (no_object.status, no_json.status) == (2, 2)
