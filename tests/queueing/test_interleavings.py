"""Whatever clients do to a branch, and however it interleaves: every input that was accepted is accounted for."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hosting.adapters.agents.function import FunctionAgent
from hosting.ports.agents import RunContext
from middleware.errors import AgentError
from tests.harness.client import Client
from tests.harness.order import check_log
from tests.harness.postgres import PostgresCluster
from tests.interrupt.hosted import hosted
from tests.interrupt.talk import Log, Talk

Action = tuple[str, Any]

_INPUTS = st.tuples(st.just("say"), st.tuples(st.sampled_from([None, "queue", "interrupt"]), st.booleans()))
_QUEUED = st.tuples(st.just("say"), st.tuples(st.just("queue"), st.booleans()))
_OTHERS = st.tuples(st.sampled_from(["interrupt", "interrupt turn", "finish", "fail"]), st.none())
_REMOVALS = st.tuples(st.just("remove"), st.integers(0, 20))
_AT_ONCE = st.lists(st.one_of(_INPUTS, _QUEUED, _OTHERS, _REMOVALS), min_size=1, max_size=5)
SCRIPTS = st.lists(_AT_ONCE, min_size=1, max_size=12)

Play = Callable[[Sequence[Sequence[Action]]], None]


class Held:
    """Runs that wait until they are told how to end."""

    def __init__(self) -> None:
        self._ends: dict[str, asyncio.Future[bool]] = {}

    def agent(self) -> FunctionAgent:
        """Return the agent whose runs these are."""

        async def run(context: RunContext) -> None:
            await context.model_call(lambda reply: reply.text("I am at it."))
            if context.input[-1].text == "held" and not await self._end_of(context.run_id):
                raise AgentError("It was told to fail.")

        return FunctionAgent("held", run)

    def end(self, run_id: str, *, well: bool) -> None:
        """Let a run end, now or as soon as it begins."""
        end = self._end_of(run_id)
        if not end.done():
            end.set_result(well)

    def _end_of(self, run_id: str) -> asyncio.Future[bool]:
        return self._ends.setdefault(run_id, asyncio.get_running_loop().create_future())


class Branch:
    """A branch that everything is done to, and what its clients know of it."""

    def __init__(self, talk: Talk, held: Held) -> None:
        self._talk = talk
        self._held = held
        self.accepted: list[str] = []
        self.removed: set[str] = set()

    async def do(self, action: Action) -> None:
        """Do something to it, and make sure that the answer is one that there may be."""
        name, argument = action
        if name == "say":
            await self._say(*argument)
        elif name == "remove":
            await self._remove(argument)
        else:
            active = await self._talk.get("runs/active")
            if name in {"finish", "fail"} and active is not None:
                self._held.end(active["runtimeRunId"], well=name == "finish")
            elif name == "interrupt":
                assert (await self._talk.interrupt()).status_code in {202, 409}
            elif name == "interrupt turn":
                turns = [event for event in await self._talk.log() if event["type"] == "MESSAGE_TURN_STARTED"]
                flow = turns[-1]["messageTurnId"] if turns else "trn_none"
                assert (await self._talk.interrupt(eventFlowId=flow)).status_code in {202, 409}

    async def check(self) -> None:
        """Make sure that every input is in exactly one place; no request may be under way."""
        runs = await self._talk.get("runs")
        count = Counter(run["status"] for run in runs)
        assert sorted(run["runtimeRunId"] for run in runs) == sorted(self.accepted)
        assert count["active"] <= 1
        assert count["active"] == 1 or count["queued"] == 0
        check_log(await self._talk.log(), ended=False)

    async def finish(self) -> Log:
        """Let everything end that was accepted."""
        for run_id in self.accepted:
            self._held.end(run_id, well=True)
        return await self._talk.idle(seconds=30)

    async def _say(self, behavior: str | None, is_held: bool) -> None:
        response = await self._talk.send("held" if is_held else "quick", behavior)
        assert response.status_code == 202 or (response.status_code == 409 and behavior is None), response.text
        if response.status_code == 202:
            self.accepted.append(response.json()["runtimeRunId"])

    async def _remove(self, index: int) -> None:
        run_id = self.accepted[index % len(self.accepted)] if self.accepted else "run_none"
        response = await self._talk.remove(run_id)
        assert response.status_code in ({404} if run_id == "run_none" else {204, 409})
        if response.status_code == 204:
            assert run_id not in self.removed
            self.removed.add(run_id)


def _player(database_url: str) -> Iterator[Play]:
    """Serve in this process, and play each script on a branch of its own."""
    held = Held()
    with asyncio.Runner() as runner:
        server = hosted(database_url, [held.agent()])
        url, _ = runner.run(server.__aenter__())
        yield lambda script: runner.run(_play(url, held, script))
        runner.run(server.__aexit__(None, None, None))


@pytest.fixture
def on_sqlite(tmp_path: Path) -> Iterator[Play]:
    """Play on SQLite."""
    yield from _player(f"sqlite+aiosqlite:///{tmp_path}/test.db")


@pytest.fixture
def on_postgresql(postgres: PostgresCluster) -> Iterator[Play]:
    """Play on PostgreSQL."""
    yield from _player(postgres.create_database())


async def _play(url: str, held: Held, script: Sequence[Sequence[Action]]) -> None:
    async with Client(url, "held") as client:
        talk = await Talk.begin(client)
        branch = Branch(talk, held)
        for at_once in script:
            await asyncio.gather(*map(branch.do, at_once))
            await branch.check()
        order = check_log(await branch.finish())
        shown = {run["runtimeRunId"]: run["status"] for run in await talk.get("runs")}

    assert order.outcomes == shown
    assert order.outcomes.keys() == set(branch.accepted)
    assert set(order.begun) == order.outcomes.keys() - branch.removed
    assert {order.outcomes[run_id] for run_id in branch.removed} <= {"cancelled"}


# One server plays all scripts: each has a branch of its own.
_SHARED = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


@settings(max_examples=25, suppress_health_check=_SHARED)
@given(script=SCRIPTS)
def test_every_input_is_accounted_for_on_sqlite(on_sqlite: Play, script: list[list[Action]]) -> None:
    on_sqlite(script)


@settings(max_examples=6, suppress_health_check=_SHARED)
@given(script=SCRIPTS)
def test_every_input_is_accounted_for_on_postgresql(on_postgresql: Play, script: list[list[Action]]) -> None:
    on_postgresql(script)
