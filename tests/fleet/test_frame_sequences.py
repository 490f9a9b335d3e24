"""B6: batches of frames that are permuted, doubled, gapped and cut at random are said once, and in order."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from itertools import count, pairwise
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from tests.fleet.relaying import Work, begun
from tests.harness.client import Client
from tests.harness.order import check_log
from tests.harness.process import ServerProcess

TURNS: Final = 3
FRAMES: Final = 12
_EXAMPLES_PER_RUN: Final = 50
_EXAMPLES: Final = int(os.environ.get("ROUNDS", "5000"))

Batch = tuple[int, list[int]]
Said = tuple[str, int, str]


@dataclass(frozen=True)
class Script:
    """Batches in the order in which they come: of which turn, and which frames; the server dies in `killed`."""

    batches: list[Batch]
    killed: int | None


@st.composite
def scripts(draw: st.DrawFn, *, kills: bool) -> Script:
    """Draw batches that are all at random, or what a client sends with a few things gone wrong on the way."""
    at_random = st.lists(
        st.tuples(st.integers(0, TURNS - 1), st.lists(st.integers(0, FRAMES - 1), max_size=8)), min_size=1, max_size=8
    )
    batches = draw(at_random) if draw(st.booleans()) else draw(sent_and_disturbed())
    killed = draw(st.integers(0, len(batches) - 1)) if kills and draw(st.integers(0, 99)) == 99 else None
    return Script(batches, killed)


@st.composite
def sent_and_disturbed(draw: st.DrawFn) -> list[Batch]:
    """Draw whole turns, cut into batches of which some are lost, come again, or change places."""
    batches: list[Batch] = []
    for turn in range(draw(st.integers(1, TURNS))):
        cuts = sorted({0, *draw(st.lists(st.integers(1, FRAMES), max_size=4)), FRAMES})
        batches += [(turn, draw(st.permutations(range(a, b)))) for a, b in pairwise(cuts)]
    for at in draw(st.lists(st.integers(0, len(batches) - 1), max_size=3)):
        what = draw(st.sampled_from(("lose", "again", "late")))
        place = at % len(batches)
        if what == "again":
            batches.insert(draw(st.integers(place, len(batches))), batches[place])
        elif len(batches) > 1:
            gone = batches.pop(place)
            if what == "late":
                batches.insert(draw(st.integers(0, len(batches))), gone)
    return batches


def expected(batches: list[Batch]) -> list[tuple[int, int]]:
    """Say what is to be said: of each batch what is behind the last one of its turn, unless that turn is over."""
    said: list[tuple[int, int]] = []
    for turn, indices in batches:
        turns = [each for each, _ in said]
        if turn in turns and turns[-1] != turn:
            continue
        last = max((index for each, index in said if each == turn), default=-1)
        said += [(turn, index) for index in sorted(set(indices)) if index > last]
    return said


class Trial:
    """A server with a worker's run, a new one now and then; turns are named anew in each example."""

    def __init__(self, server: ServerProcess) -> None:
        self._server = server
        self._client: Client | None = None
        self._work: Work | None = None
        self._numbers = count(1)
        self._place = ""
        self.sequences = self.batches = self.kills = self.wrong = 0

    async def play(self, script: Script) -> list[Said]:
        """Relay a script's batches, and return what came of it on the branch."""
        work = await self._worked_on()
        example = next(self._numbers)
        for at, (turn, indices) in enumerate(script.batches):
            frames = [(index, text_of(turn, index)) for index in indices]
            if at == script.killed:
                await self._kill(work, f"{example}.{turn}", frames)
            await work.published(f"{example}.{turn}", *frames)
            self.batches += 1
        self.sequences += 1
        return await self._told(work)

    async def aclose(self) -> None:
        """End the run, and see that its log is a run's."""
        if self._work is not None:
            await self._end(self._work)
        if self._client is not None:
            await self._client.http.aclose()

    async def _worked_on(self) -> Work:
        if self._client is None:
            self._client = Client(self._server.url)
        if self._work is None or self.sequences % _EXAMPLES_PER_RUN == 0:
            if self._work is not None:
                await self._end(self._work)
            self._work = await begun(self._client)
            self._place = await self._client.position(self._work.session)
        return self._work

    async def _end(self, work: Work) -> None:
        await work.worker.told(work.id, "status", status="completed")
        check_log(await work.client.log(work.session))

    async def _told(self, work: Work) -> list[Said]:
        """Return the pieces behind the place that was read up to."""
        path = f"/sessions/{work.session}/branches/main/events?after={self._place}"
        events: list[dict[str, Any]] = (await work.client.http.get(path)).json()
        self._place = events[-1]["eventId"] if events else self._place
        return [(event["turnId"], event["index"], event["text"]) for event in events if event["type"] == "TEXT_DELTA"]

    async def _kill(self, work: Work, turn: str, frames: list[tuple[int, str]]) -> None:
        """`kill -9` while a batch is under way; who sent it does not hear what became of it."""
        head = self._place
        sent = asyncio.ensure_future(work.relay(turn, *frames))
        # However far it comes until then: not at all, into the log, or all the way back.
        for _ in range(self.kills % 7):
            await work.client.http.get(f"/sessions/{work.session}/branches/main/events?after={head}")
        self._server.kill()
        await asyncio.wait([sent])
        sent.exception()
        await work.client.http.aclose()
        self._server.start()
        self._client = work.client = Client(self._server.url, agent=work.client.agent)
        work.worker.http = work.client.http
        self.kills += 1


def text_of(turn: int, index: int) -> str:
    """Return the text of a frame, which no other has."""
    return f"{turn}/{index} "


async def check(trial: Trial, script: Script) -> None:
    """Play a script and compare what came of it."""
    said = await trial.play(script)

    wanted = expected(script.batches)
    example = said[0][0].partition(".")[0] if said else ""
    right = [(f"{example}.{turn}", index, text_of(turn, index)) for turn, index in wanted]
    trial.wrong += said != right
    assert said == right


@pytest.fixture
async def trial(make_server: Callable[..., ServerProcess], database_url: str, key_file: Path) -> AsyncIterator[Trial]:
    """A trial on a server of its own."""
    trial = Trial(make_server(database_url, key_file=key_file).start())
    yield trial
    await trial.aclose()


@given(script=scripts(kills=False))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
async def test_frames_are_said_once_and_in_order_however_they_come(trial: Trial, script: Script) -> None:
    await check(trial, script)


@pytest.mark.campaign
@pytest.mark.timeout(1500)
@seed(int(os.environ.get("SEED", "1")))
@given(script=scripts(kills=True))
@settings(max_examples=_EXAMPLES, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
async def test_b6_five_thousand_sequences_of_frames(trial: Trial, script: Script) -> None:
    await check(trial, script)

    if trial.sequences % 500 == 0:
        kills = f"{trial.kills} times killed"
        print(f"B6 {trial.sequences} sequences of {trial.batches} batches, {kills}, {trial.wrong} wrong")
