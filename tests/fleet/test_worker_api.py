"""A worker's hands in `hosting.client`."""

import msgspec
import pytest

from hosting.client import Problem, WorkerApi, WorkerIntroduction
from tests.fleet.gate import Gate

_INTRODUCTION = WorkerIntroduction(hostname="here", capacity=2, agent_ids=("nobody",))


async def test_a_token_that_has_run_out_is_replaced_on_the_way(gate: Gate) -> None:
    async with WorkerApi(gate.server.url, _INTRODUCTION) as first:
        registered = await first.register()
    assert registered.runtime_token is not None
    aged = msgspec.structs.replace(registered, runtime_token=gate.aged(registered.runtime_token))

    async with WorkerApi(gate.server.url, _INTRODUCTION, registered=aged) as api:
        polled = msgspec.json.decode(await api.call("GET", f"/api/workers/{api.worker_id}/poll"))

    assert api.worker_id == registered.worker_id
    assert polled["work"] == []


async def test_who_has_left_is_not_known_any_more(gate: Gate) -> None:
    async with WorkerApi(gate.server.url, _INTRODUCTION) as api:
        await api.register()
        await api.leave()

        with pytest.raises(Problem) as gone:
            await api.call("GET", f"/api/workers/{api.worker_id}/poll")
        with pytest.raises(Problem) as unread:
            async for _ in api.lines("/api/sessions/wse_none/log"):
                pass

    assert (gone.value.status, gone.value.code) == (404, "worker-not-found")
    assert unread.value.status in {401, 403, 404}
