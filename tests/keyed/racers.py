"""Pairs of requests with one key that race, sent by hand until each is answered, and a ledger of all answers."""

import asyncio
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from tests.edge.wire import Answer, Wire
from tests.harness.patience import Patience
from tests.harness.raw_store import RawStore
from tests.keyed.sending import REPLAYED

KINDS = ("session", "input", "lane", "agent")
_TABLES = {"session": "sessions", "input": "runs", "lane": "lane_items", "agent": "agents"}
_ID = {"session": "id", "input": "runtimeRunId", "lane": "batchJobId", "agent": "id"}
_WITHIN_SECONDS = 60
_PASSES = {409, 503}
_LEAVES_EARLY = 0.2
_LEAVES_WITHIN_SECONDS = 0.05


@dataclass(frozen=True)
class Trial:
    """One key, and what is asked for under it."""

    kind: str
    key: str
    path: str
    body: bytes


@dataclass
class Ledger:
    """What was answered, written down and on the disk before anything else happens; it knows nothing of the store."""

    file: Path
    made: int = 0

    def note(self, trial: Trial, answer: Answer) -> None:
        """Write an answer down that tells of an effect."""
        line = {
            "kind": trial.kind,
            "key": trial.key,
            "body": answer.body.decode(),
            "location": answer.headers.get("location", ""),
            "status": answer.status,
            "is_first": REPLAYED not in answer.headers,
        }
        with self.file.open("a") as file:
            file.write(json.dumps(line) + "\n")
            file.flush()
            os.fsync(file.fileno())
        self.made += 1

    def lines(self) -> list[dict[str, Any]]:
        """Return what was written down."""
        return [json.loads(line) for line in self.file.read_text().splitlines()] if self.file.exists() else []


@dataclass
class Race:
    """A race of pairs at servers that are found at `urls` at the moment; `sessions` take the inputs."""

    urls: Sequence[Callable[[], str]]
    sessions: Sequence[str]
    ledger: Ledger
    chance: Random
    trials: list[Trial] = field(default_factory=list)
    leaves: bool = False

    async def run(self, pairs: int, *, at_once: int = 8) -> None:
        """Let so many pairs race, some of them at a time; each request is answered when this returns."""
        room = asyncio.Semaphore(at_once)

        async def pair(trial: Trial) -> None:
            async with room:
                await asyncio.gather(*(self.insist(trial, url) for url in self._two()))

        begun = [self.trial() for _ in range(pairs)]
        await asyncio.gather(*map(pair, begun))

    def trial(self) -> Trial:
        """Make the next trial."""
        number = len(self.trials)
        kind = self.chance.choice(KINDS)
        path, body = {
            "session": ("/sessions", {"metadata": {"trial": number}}),
            "input": (
                f"/agents/demo/sessions/{self.chance.choice(self.sessions)}/branches/main/inputs",
                {"text": f"trial {number}", "runningRunBehavior": "queue"},
            ),
            "lane": ("/api/work/lanes/landing", {"repoId": f"trial-{number}"}),
            "agent": ("/agents", {"name": f"trial {number}", "config": {"runtime": "worker"}}),
        }[kind]
        self.trials.append(Trial(kind, f"trial-{number}", path, json.dumps(body).encode()))
        return self.trials[-1]

    async def insist(self, trial: Trial, url: Callable[[], str]) -> Answer:
        """Send a request until it is answered for good; that is written down."""
        patience = Patience()
        async with asyncio.timeout(_WITHIN_SECONDS):
            while True:
                answer = await self._sent(trial, url())
                if answer is not None and answer.status not in _PASSES:
                    self.ledger.note(trial, answer)
                    return answer
                await patience.wait()

    def _two(self) -> list[Callable[[], str]]:
        return [self.urls[0], self.urls[-1]]

    async def _sent(self, trial: Trial, url: str) -> Answer | None:
        """Send a request; None when nothing was heard of it, since the server or this client has left."""
        headers = (f"Idempotency-Key: {trial.key}", "Content-Type: application/json")
        length = f"Content-Length: {len(trial.body)}"
        leaves = self.leaves and self.chance.random() < _LEAVES_EARLY
        try:
            async with asyncio.timeout(self.chance.random() * _LEAVES_WITHIN_SECONDS if leaves else None):
                async with Wire(url) as wire:
                    return await wire.request("POST", trial.path, *headers, length, body=trial.body)
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            return None


async def faults_of(race: Race, database_url: str, before: dict[str, set[str]]) -> list[list[str]]:
    """Compare the ledger with the store; return what is wrong with each trial, and in the end with all."""
    stored = {kind: ids - before[kind] for kind, ids in (await stored_ids(database_url)).items()}
    answers: dict[str, list[dict[str, Any]]] = {}
    for line in race.ledger.lines():
        answers.setdefault(line["key"], []).append(line)
    found = [_faults(trial, answers.get(trial.key, []), stored) for trial in race.trials]
    told = {
        kind: {_id_of(line) for lines in answers.values() for line in lines if line["kind"] == kind} for kind in KINDS
    }
    extra = [f"{kind} {each} was made and told of to nobody" for kind in KINDS for each in stored[kind] - told[kind]]
    return [*found, extra]


async def stored_ids(database_url: str) -> dict[str, set[str]]:
    """Return the ids of all that there is of each kind, past the server."""
    store = RawStore(database_url)
    return {kind: {str(row[0]) for row in await store.run(f"SELECT id FROM {_TABLES[kind]}")} for kind in KINDS}


def _faults(trial: Trial, answers: list[dict[str, Any]], stored: dict[str, set[str]]) -> list[str]:
    faults = []
    if len(answers) != 2 or any(not 200 <= each["status"] < 300 for each in answers):
        return [f"{trial.kind} {trial.key} was answered {answers}"]
    if len({(each["status"], each["body"], each["location"]) for each in answers}) != 1:
        faults.append(f"{trial.kind} {trial.key} was answered in two ways: {answers}")
    if sum(each["is_first"] for each in answers) > 1:
        faults.append(f"{trial.kind} {trial.key} was answered twice for the first time")
    if _id_of(answers[0]) not in stored[trial.kind]:
        faults.append(f"{trial.kind} {trial.key} is not there")
    return faults


def _id_of(line: dict[str, Any]) -> str:
    return str(json.loads(line["body"]).get(_ID[line["kind"]]))
