"""Whatever is sent in whatever order, at once and through crashes: a key has one effect and one answer."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.edge.wire import Answer, Wire
from tests.harness.client import Client
from tests.harness.patience import Patience
from tests.harness.process import ServerProcess
from tests.harness.tally import rounds
from tests.keyed.sending import REPLAYED

Wish = tuple[str, str]
"""A key, and what is asked for under it."""

EXAMPLES = count()
WISHES = st.tuples(st.sampled_from("KL"), st.sampled_from("ab"))


@dataclass(frozen=True)
class Step:
    """Requests that are sent at once; with a `crash` the server is killed meanwhile."""

    wishes: list[Wish]
    crash: bool


# A crash takes a second, so that most steps have none.
STEPS = st.lists(
    st.builds(Step, st.lists(WISHES, min_size=1, max_size=4), st.sampled_from([False, False, False, True])),
    min_size=1,
    max_size=5,
)
QUICK = settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True)
LONG = settings(max_examples=rounds(200), suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def server(make_server: Callable[..., ServerProcess], database_url: str) -> ServerProcess:
    """A server for all examples, on a database of each kind."""
    return make_server(database_url).start()


@QUICK
@given(STEPS)
async def test_a_key_has_one_effect_and_one_answer(server: ServerProcess, steps: list[Step]) -> None:
    await play(server, steps)


@pytest.mark.campaign
@LONG
@given(STEPS)
async def test_b14_interleavings(server: ServerProcess, steps: list[Step]) -> None:
    await play(server, steps)


async def play(server: ServerProcess, steps: list[Step]) -> None:
    """Send what the steps say, and compare what came of it with what may have."""
    example = f"example-{next(EXAMPLES)}"
    answered: dict[str, tuple[str, bytes]] = {}
    for step in steps:
        sending = asyncio.gather(*(insist(server, example, wish) for wish in step.wishes))
        if step.crash:
            await asyncio.to_thread(server.kill)
            await asyncio.to_thread(server.start)
        answers = await sending
        for (key, said), answer in zip(step.wishes, answers, strict=True):
            if answer.status == 201:
                assert answered.setdefault(key, (said, answer.body)) == (said, answer.body)
        for (key, said), answer in zip(step.wishes, answers, strict=True):
            assert answer.status == (201 if answered[key][0] == said else 422), (key, said, answer)
        firsts = [key for (key, _), answer in zip(step.wishes, answers, strict=True) if is_new(answer)]
        assert len(firsts) == len(set(firsts))
    assert await stored(server, example) == {
        key: (said, json.loads(body)["id"]) for key, (said, body) in answered.items()
    }


def is_new(answer: Answer) -> bool:
    """Say whether an answer tells of an effect that it was the first to tell of."""
    return answer.status == 201 and REPLAYED not in answer.headers


async def insist(server: ServerProcess, example: str, wish: Wish) -> Answer:
    """Send a request until it is answered."""
    key, said = wish
    body = json.dumps({"metadata": {"example": example, "key": key, "said": said}}).encode()
    headers = (f"Idempotency-Key: {example}-{key}", f"Content-Length: {len(body)}")
    patience = Patience()
    while True:
        try:
            async with Wire(server.url) as wire:
                answer = await wire.request("POST", "/sessions", *headers, body=body)
        except (OSError, asyncio.IncompleteReadError):
            answer = Answer(503, {}, b"")
        if answer.status not in {409, 503}:
            return answer
        await patience.wait()


async def stored(server: ServerProcess, example: str) -> dict[str, tuple[str, str]]:
    """Return by its key what was asked for and made; a key that has made two things fails."""
    async with Client(server.url) as client:
        listed: list[dict[str, Any]] = (await client.http.get("/sessions?limit=200")).json()
    ours = [session for session in listed if session["metadata"].get("example") == example]
    found = {each["metadata"]["key"]: (each["metadata"]["said"], each["id"]) for each in ours}
    assert len(found) == len(ours)
    return found
