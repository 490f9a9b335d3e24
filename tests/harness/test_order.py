"""The checker of logs takes the logs of real runs, and none of what they become when something is put wrong."""

import asyncio
import copy
from collections.abc import Awaitable, Callable
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.harness.client import Client
from tests.harness.order import OutOfOrder, check_log
from tests.interrupt.hosted import hosted
from tests.interrupt.talk import Log, Talk

MAY_BE_MISSING = {"TEXT_DELTA", "REASONING_DELTA"}
MAY_REPEAT = {*MAY_BE_MISSING, "CONTENT_ADDED"}
# Of two calls or two questions, or told by somebody else than the run: either may be first.
MAY_CHANGE_PLACES = {
    ("TEXT_DELTA", "TEXT_DELTA"),
    ("REASONING_DELTA", "REASONING_DELTA"),
    ("TEXT_DELTA", "BRANCH_QUEUE_UPDATED"),
    ("BRANCH_QUEUE_UPDATED", "TEXT_DELTA"),
    ("BRANCH_QUEUE_UPDATED", "INTERRUPTION_HANDLED"),
    ("PERMISSION_APPROVED", "PERMISSION_RESPONSE"),
    ("PERMISSION_RESPONSE", "TOOL_CALL_RESULT"),
    ("TOOL_CALL_END", "PERMISSION_RESPONSE"),
    ("TOOL_CALL_END", "PERMISSION_DENIED"),
    ("CLARIFICATION_RESPONSE", "AGENT_TURN_STARTED"),
    ("AGENT_REQUEST_CANCELLED", "AGENT_REQUEST_CANCELLED"),
}


async def _remembered(talk: Talk) -> None:
    await talk.say("/permission")
    await talk.answer((await talk.asked())[0], approved=True, choice="allow_always")
    await talk.idle()
    await talk.say("/permission")


async def _denied(talk: Talk) -> None:
    await talk.say("/permission")
    await talk.answer((await talk.asked())[0], approved=False)


async def _parallel(talk: Talk) -> None:
    await talk.say("/parallel")
    first, second, third = await talk.asked(3)
    for asked in (third, first, second):
        await talk.answer(asked, approved=asked is not first)
        # The next answer could come between this one and what it decides.
        await talk.logged(partial(_decides, asked["requestId"]))


def _decides(request_id: str, event: dict[str, Any]) -> bool:
    return event["type"] in {"PERMISSION_APPROVED", "PERMISSION_DENIED"} and event["permissionId"] == request_id


async def _clarified(talk: Talk) -> None:
    await talk.say("/clarify")
    asked = (await talk.asked())[0]
    await talk.answer(asked, question=asked["request"]["question"], answer="red")


async def _nested(talk: Talk) -> None:
    await talk.say("/subagent 2")
    await talk.answer((await talk.asked())[0], approved=True)


async def _text_interrupted(talk: Talk) -> None:
    await talk.say("/tokens 100000 5")
    await talk.logged(lambda event: event["type"] == "TEXT_DELTA")
    await talk.interrupt(reason="Enough.")


async def _question_interrupted(talk: Talk) -> None:
    await talk.say("/parallel")
    await talk.asked(3)
    await talk.interrupt(reason="Enough.")


async def _nested_interrupted(talk: Talk) -> None:
    await talk.say("/subagent 2")
    await talk.asked()
    await talk.interrupt(reason="Enough.")


async def _inner_interrupted(talk: Talk) -> None:
    await talk.say("/subagent 2")
    asked = await talk.asked()
    await talk.interrupt(eventFlowId=asked[0]["request"]["eventFlowId"])


async def _queue(talk: Talk) -> None:
    await talk.say("/tokens 100000 5")
    removed = await talk.say("never", "queue")
    await talk.say("last", "queue")
    await talk.remove(removed["runtimeRunId"])
    await talk.say("first", "interrupt")


async def _forked(talk: Talk) -> None:
    await talk.say("/permission")
    await talk.answer((await talk.asked())[0], approved=True)
    at = [event["messageId"] for event in await talk.idle() if event["type"] == "TEXT_MESSAGE_START"][-1]
    body = {"fromMessageId": at, "newBranchId": "fork"}
    assert (await talk.post("fork", body)).status_code == 201
    talk.branch, talk.path = "fork", talk.client.path(talk.session, "fork")
    await talk.say("Hi")


def _say(text: str) -> Callable[[Talk], Awaitable[None]]:
    async def say(talk: Talk) -> None:
        await talk.say(text)

    return say


SAMPLES: dict[str, Callable[[Talk], Awaitable[None]]] = {
    "plain": _say("Hi"),
    "reasoning": _say("/reason"),
    "failing": _say("/fail"),
    "tool": _say("/tool"),
    "remembered": _remembered,
    "denied": _denied,
    "parallel": _parallel,
    "clarified": _clarified,
    "nested": _nested,
    "text interrupted": _text_interrupted,
    "question interrupted": _question_interrupted,
    "nested interrupted": _nested_interrupted,
    "inner interrupted": _inner_interrupted,
    "queue": _queue,
    "forked": _forked,
}


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Log]:
    """The logs of real runs, each with at most three deltas in a row."""
    return asyncio.run(_record(tmp_path_factory.mktemp("samples")))


async def _record(folder: Path) -> dict[str, Log]:
    async with hosted(f"sqlite+aiosqlite:///{folder}/test.db") as (url, _), Client(url) as client:
        logs = {}
        for name, tell in SAMPLES.items():
            talk = await Talk.begin(client)
            await tell(talk)
            logs[name] = _renumbered(_shortened(await talk.idle()))
        return logs


def _shortened(log: Log) -> Log:
    kinds = [event["type"] for event in log]
    return [event for index, event in enumerate(log) if len(set(kinds[max(0, index - 3) : index + 1])) > 1 or index < 3]


def _renumbered(log: Log) -> Log:
    """Give events the numbers that they would have, so that only their order can be wrong."""
    placed = copy.deepcopy(log)
    for seq, event in enumerate(placed, 1):
        event["sequenceNumber"] = seq
        event["eventId"] = f"3f9a1c07b2de.{seq}"
    return placed


def _with(log: Log, index: int, event: dict[str, Any]) -> Log:
    return [*log[:index], event, *log[index:]]


def _speaks_before_it_calls(added: dict[str, Any], log: Log) -> bool:
    """Say whether an event is the text of a copied message that calls, which could have been silent."""
    said_by = [
        event["content"]["$type"]
        for event in log
        if event.get("messageId") == added.get("messageId") and "content" in event
    ]
    return "content" in added and added["content"]["$type"] == "text" and "functionCall" in said_by


def _is_refused(log: Log) -> bool:
    try:
        check_log(_renumbered(log))
    except OutOfOrder:
        return True
    return False


@pytest.fixture(params=SAMPLES)
def sample(request: pytest.FixtureRequest, samples: dict[str, Log]) -> Log:
    """One log after the other."""
    return samples[request.param]


def test_a_real_log_is_in_order(sample: Log) -> None:
    order = check_log(sample)

    assert order.outcomes.keys() == {event["runtimeRunId"] for event in sample if "runtimeRunId" in event}


def test_nothing_but_a_delta_may_be_missing(sample: Log) -> None:
    # Of a choice that was remembered there is nothing else: no log can say whether the tool was one to ask for.
    told = [index for index, event in enumerate(sample) if event.get("reason") != "remembered"]

    taken = [sample[index] for index in told if not _is_refused([*sample[:index], *sample[index + 1 :]])]

    assert {event["type"] for event in taken if not _speaks_before_it_calls(event, sample)} - MAY_BE_MISSING == set()


def test_nothing_but_a_delta_may_come_twice(sample: Log) -> None:
    taken = {
        event["type"]
        for index, event in enumerate(sample)
        if not _is_refused([*sample[:index], event, *sample[index:]])
    }

    assert taken - MAY_REPEAT == set()


def test_nothing_comes_after_the_last_event(sample: Log) -> None:
    taken = [event["type"] for event in sample if not _is_refused([*sample, event])]

    assert taken == []


def test_a_run_ends_behind_everything_it_has_to_say(sample: Log) -> None:
    *before, end = sample

    taken = [
        before[index]["type"]
        for index in range(len(before))
        if not _is_refused([*before[:index], end, *before[index:]])
    ]

    assert taken == []


def test_a_log_stops_nowhere_within_a_run(sample: Log) -> None:
    ends = [sample[index - 1]["type"] for index in range(1, len(sample)) if not _is_refused(sample[:index])]

    forked = any(event["type"] == "BRANCH_FORKED" for event in sample)
    assert set(ends) <= {"BRANCH_CREATED", "BRANCH_RUN_COMPLETED", "MESSAGE_COMPLETED"}
    assert ends.count("MESSAGE_COMPLETED") == forked


def test_neighbours_do_not_change_places(sample: Log) -> None:
    taken = {
        (one["type"], other["type"])
        for index, (one, other) in enumerate(pairwise(sample))
        if not _is_refused([*sample[:index], other, one, *sample[index + 2 :]])
    }

    assert taken - MAY_CHANGE_PLACES == set()
