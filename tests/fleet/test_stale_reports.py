"""B5: what a worker says of work that it has lost, or that has ended, is refused and leaves no trace."""

import os
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from tests.fleet.relaying import Work, begun, done
from tests.harness.client import Client
from tests.harness.order import check_log
from tests.harness.process import ServerProcess
from tests.harness.worker import FleetWorker

Json = dict[str, Any]

NOT_ITS_OWN: Final = (403, "session-not-owned", "Session is owned by another worker")
LEASE_SECONDS: Final = 3
_BEAT_EVERY: Final = 5


def told(response: httpx.Response) -> tuple[int, str, str]:
    """Return what an answer says."""
    problem = response.json()
    return response.status_code, problem.get("code", ""), problem.get("message", "")


def reports(turn: str) -> list[tuple[str, Json]]:
    """Return one report of each kind that changes something; the first is a batch that was taken once."""
    return [
        ("token-delta", {"turnId": "turn-0", "frames": [{"index": 0, "text": "once "}]}),
        ("token-delta", {"turnId": "turn-0", "frames": [{"index": 9, "text": "never"}]}),
        ("token-delta", {"turnId": turn, "frames": [{"index": 0, "text": "never"}, done(1)]}),
        ("activity", {"activity": {"type": "thought", "content": "never"}}),
        ("activity", {"activity": {"type": "action", "content": "never", "toolName": "tool", "toolUseId": turn}}),
        ("progress", {"milestone": "tests", "message": "never"}),
        ("completion", {"summary": "never"}),
        ("status", {"status": "running"}),
        ("status", {"status": "failed", "error": {"message": "never"}}),
        ("status", {"status": "completed"}),
    ]


class Trial:
    """Replays what is stale, round after round; `appended` counts the events that came of it."""

    def __init__(self, work: Work, heir: FleetWorker) -> None:
        self.work = work
        self.heir = heir
        self.replayed = 0
        self.appended = 0

    async def replay(self, count: int, *, by: FleetWorker, beats: bool) -> list[tuple[str, tuple[int, str, str]]]:
        """Replay so many reports of a worker; with `beats` the one that has the work shows that it lives."""
        before = await self.work.client.log_text(self.work.session)
        answers = []
        rounds = (each for turn in range(count) for each in reports(f"turn-{turn + 1}"))
        for verb, body in islice(rounds, count):
            if beats and self.replayed % _BEAT_EVERY == 0:
                await beat(self.heir)
            answers.append((verb, told(await by.report(self.work.id, verb, **body))))
            self.replayed += 1
        after = await self.work.client.log_text(self.work.session)
        assert after.startswith(before[:-1])
        self.appended += after.count('"eventId"') - before.count('"eventId"')
        return answers


async def beat(worker: FleetWorker) -> None:
    """Show that a worker lives."""
    response = await worker.http.post(
        f"/api/workers/{worker.id}/heartbeat", json={"activeCount": 1}, headers=worker.headers
    )
    assert response.status_code == 200, response.text


async def _replay(server: ServerProcess, *, count: int) -> None:
    async with Client(server.url) as client:
        work = await begun(client)
        await work.published("turn-0", (0, "once "))
        heir = await FleetWorker.register(client.http)
        lost = work.worker
        while not (item := (await heir.poll())["work"]):
            pass
        assert item[0]["sessionId"] == work.id
        trial = Trial(work, heir)

        claimed = await trial.replay(count // 4, by=lost, beats=True)
        work.worker = heir
        await work.published("turn-0", (0, "twice "), (1, "said"), done(2))
        writing = await trial.replay(count // 4, by=lost, beats=True)
        await heir.told(work.id, "status", status="completed")
        ended = await trial.replay(count // 4, by=lost, beats=False)
        own = await trial.replay(count - trial.replayed, by=heir, beats=False)

        print(f"B5 {trial.replayed} stale reports, {trial.appended} appended")
        assert trial.appended == 0
        assert [answer for _, answer in (*claimed, *writing, *ended) if answer != NOT_ITS_OWN] == []
        acknowledged = [verb for verb, (status, _, _) in own if status == 200]
        assert set(acknowledged) == {"status"}
        assert len(acknowledged) == sum(1 for at in range(len(own)) if at % len(reports("")) == 9)
        refused = {(status, code) for _, (status, code, _) in own if status != 200}
        assert refused == {(409, "work-session-ended"), (409, "work-transition-refused")}
        check_log(await client.log(work.session))
        assert [text for _, _, text in await work.deltas()] == ["once ", "twice ", "said"]


@pytest.fixture
def short_leases(make_server: Callable[..., ServerProcess], database_url: str, key_file: Path) -> ServerProcess:
    """A server that takes work from who is silent for three seconds."""
    settings = {"worker_lease_seconds": LEASE_SECONDS, "sweep_seconds": 0.1}
    return make_server(database_url, key_file=key_file, **settings).start()


@pytest.mark.timeout(60)
async def test_what_is_said_of_lost_or_ended_work_is_refused_and_leaves_no_trace(short_leases: ServerProcess) -> None:
    await _replay(short_leases, count=80)


@pytest.mark.campaign
@pytest.mark.timeout(1500)
async def test_b5_a_thousand_stale_reports_append_nothing(short_leases: ServerProcess) -> None:
    await _replay(short_leases, count=int(os.environ.get("ROUNDS", "1000")))
