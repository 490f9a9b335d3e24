"""A14: whatever is done to a session and however often its server dies, its state is the fold of its logs."""

import asyncio
import uuid
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from tests.harness.client import Client
from tests.harness.process import ServerProcess
from tests.harness.tally import rounds, seed
from tests.proof.model import ASKING, QUICK
from tests.proof.modelled import Modelled

# Few names, so that they are taken, missing and used again.
_NAMES = st.sampled_from(["main", "main", "a", "b", "c"])
_TEXTS = st.sampled_from([QUICK, "/tokens 5", ASKING, ASKING])


class Place:
    """A server that dies and comes back, and the loop that everything is done in."""

    def __init__(self, server: ServerProcess, runner: asyncio.Runner) -> None:
        self._server = server
        self._runner = runner
        self._client = Client(server.url)
        self.deaths = self.examples = self.steps = 0

    @property
    def client(self) -> Client:
        """A client of the server that is there now."""
        return self._client

    def do(self, work: Coroutine[None, None, object]) -> None:
        """Do one thing."""
        self.steps += 1
        self._runner.run(work)

    def die(self) -> None:
        """`kill -9`, and start again."""
        self.close()
        self._server.kill()
        self._server.start()
        self._client = Client(self._server.url)
        self.deaths += 1

    def close(self) -> None:
        """Leave the server."""
        self._runner.run(self._client.http.aclose())


class History(RuleBasedStateMachine):
    """Everything that may be done to a session, in any order."""

    place: ClassVar[Place]

    def __init__(self) -> None:
        super().__init__()
        self.place.examples += 1
        self.session = Modelled(f"a14-{uuid.uuid4().hex}")
        self.place.do(self.place.client.session(self.session.session))

    @rule(branch=_NAMES, text=_TEXTS, queues=st.booleans())
    def say(self, branch: str, text: str, queues: bool) -> None:
        """Submit an input."""
        self.place.do(self.session.submit(self.place.client, branch, text, queues=queues))

    @rule(branch=_NAMES, approved=st.booleans())
    def answer(self, branch: str, approved: bool) -> None:
        """Answer a question, twice."""
        self.place.do(self.session.answer(self.place.client, branch, approved=approved))

    @rule(branch=_NAMES)
    def interrupt(self, branch: str) -> None:
        """Interrupt a run."""
        self.place.do(self.session.interrupt(self.place.client, branch))

    @rule(branch=_NAMES, index=st.integers(0, 20))
    def remove(self, branch: str, index: int) -> None:
        """Take a run out of the queue."""
        self.place.do(self.session.remove(self.place.client, branch, index))

    @rule(branch=_NAMES)
    def create(self, branch: str) -> None:
        """Create a branch."""
        self.place.do(self.session.create(self.place.client, branch))

    @rule(source=_NAMES, place=st.integers(0, 20), new=_NAMES)
    def fork(self, source: str, place: int, new: str) -> None:
        """Fork a branch."""
        self.place.do(self.session.fork(self.place.client, source, place, new))

    @rule(branch=_NAMES, recursive=st.booleans())
    def delete(self, branch: str, recursive: bool) -> None:
        """Delete a branch."""
        self.place.do(self.session.delete(self.place.client, branch, recursive=recursive))

    @rule(dies=st.sampled_from([True, False, False]))
    def restart(self, dies: bool) -> None:
        """Kill the server one time in three, and compare all that is there."""
        if dies:
            self.place.die()
        self.place.do(self.session.check(self.place.client))

    def teardown(self) -> None:
        """Compare all that is there at the end."""
        self.place.do(self.session.finish(self.place.client))


@pytest.fixture
def place(tmp_path: Path, database_url: str) -> Iterator[Place]:
    """A server for all examples: each has a session of its own."""
    with (
        ServerProcess(tmp_path, database_url, lease_seconds=0.6, sweep_seconds=0.05, fold_seconds=0.1) as server,
        asyncio.Runner() as runner,
    ):
        place = Place(server, runner)
        yield place
        place.close()


def _play(place: Place, *, examples: int, steps: int) -> None:
    history = type("PlacedHistory", (History,), {"place": place})
    run_state_machine_as_test(
        seeded(seed())(history),
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            database=None,
            # To make a failure shorter takes longer than the trial: what was done is told in any case.
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
    print(
        f"a14 {place.examples} ok / {place.examples} total: {place.steps} steps, {place.deaths} deaths, seed {seed()}"
    )


def test_the_state_of_a_session_is_the_fold_of_its_logs_whenever_its_server_dies(place: Place) -> None:
    _play(place, examples=6, steps=20)


@pytest.mark.campaign
@pytest.mark.timeout(1500)
def test_a14_any_history_gives_the_state_of_its_model(place: Place) -> None:
    _play(place, examples=rounds(400), steps=50)
