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

_PICKS = st.sampled_from(range(60))
"""Which of the things that there are then; most of what is done is done to something that is there."""
_ACTIONS = st.sampled_from(
    [*["say"] * 6, *["fork"] * 4, *["answer"] * 3, "interrupt", "remove", "create", "delete", "die", "look"]
)
_TEXTS = st.sampled_from([QUICK, "/tokens 5", ASKING, ASKING])


class Place:
    """A server that dies and comes back, and the loop that everything is done in."""

    def __init__(self, server: ServerProcess, runner: asyncio.Runner) -> None:
        self._server = server
        self._runner = runner
        self._client = Client(server.url)
        self.deaths = self.examples = self.steps = self.forks = 0
        self.lives = 1
        """It dies in one of so many cases in which it may; a start takes as long as twenty steps."""

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

    # One rule: of many, each example would leave some out altogether.
    @rule(what=_ACTIONS, branch=_PICKS, other=_PICKS, text=_TEXTS, so=st.booleans())
    def step(self, what: str, branch: int, other: int, text: str, so: bool) -> None:
        """Do one thing, to what there is by then."""
        session, client, name = self.session, self.place.client, self.session.branch(branch)
        if what == "say":
            self.place.do(session.submit(client, name, text, queues=so))
        elif what == "fork":
            self.place.do(session.fork(client, name, session.message(name, other), session.new(other)))
        elif what == "answer":
            self.place.do(session.answer(client, name, approved=so))
        elif what == "interrupt":
            self.place.do(session.interrupt(client, name))
        elif what == "remove":
            self.place.do(session.remove(client, name, other))
        elif what == "create":
            self.place.do(session.create(client, session.new(branch)))
        elif what == "delete":
            self.place.do(session.delete(client, name, recursive=so))
        else:
            if what == "die" and other % self.place.lives == 0:
                self.place.die()
            self.place.do(session.check(self.place.client))

    def teardown(self) -> None:
        """Compare all that is there at the end."""
        self.place.forks += self.session.forks
        self.place.do(self.session.finish(self.place.client))


@pytest.fixture
def place(tmp_path: Path, database_url: str) -> Iterator[Place]:
    """A server for all examples: each has a session of its own."""
    with (
        ServerProcess(tmp_path, database_url, lease_seconds=1.5, sweep_seconds=0.05, fold_seconds=0.1) as server,
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
    done = f"{place.steps} steps, {place.forks} forks, {place.deaths} deaths, seed {seed()}"
    print(f"a14 {place.examples} ok / {place.examples} total: {done}")


def test_the_state_of_a_session_is_the_fold_of_its_logs_whenever_its_server_dies(place: Place) -> None:
    _play(place, examples=6, steps=20)


@pytest.mark.campaign
@pytest.mark.timeout(1500)
def test_a14_any_history_gives_the_state_of_its_model(place: Place) -> None:
    place.lives = 4
    # Two seeds on both databases make the two thousand that the row asks for, each in its twenty-five minutes.
    _play(place, examples=rounds(500), steps=50)
