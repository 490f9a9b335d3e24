"""Providers that fail in every way they know: each run ends in time and in order, and the next input is answered."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.harness.client import Client
from tests.harness.order import check_log
from tests.harness.ports import kept_port
from tests.harness.process import ServerProcess
from tests.harness.providers.provider import FakeProvider
from tests.harness.providers.request import Request
from tests.harness.providers.steps import Call, Status, Text
from tests.harness.sqlite import sqlite_database
from tests.models.faults import CALL_SECONDS, FAULTS, FIRST_SECONDS, IDLE_SECONDS, MORE_FAULTS, Fault, FaultyProvider
from tests.models.provider_runs import Log, check_texts, discarded, duration_of, run_to_end, took

FAULTY = Path(__file__).parent / "faulty.py"
KEY = "sk-the-secret-key"
PROMISED = timedelta(seconds=1)
# The other tests that run beside this one take their part of the machine; the campaign is alone.
SLACK = timedelta(seconds=4)


@pytest.fixture(scope="module")
def nowhere() -> Iterator[int]:
    """A port where nobody listens, and a test may."""
    with kept_port() as own:
        yield own


@pytest.fixture(scope="module")
def faulty_port() -> Iterator[int]:
    """The port of the provider that has all other faults."""
    with kept_port() as own:
        yield own


@pytest.fixture(scope="module")
def faulty_server(tmp_path_factory: pytest.TempPathFactory, nowhere: int, faulty_port: int) -> Iterator[ServerProcess]:
    """A server with one agent for each fault, on SQLite, whose patience is short."""
    folder = tmp_path_factory.mktemp("faulty")
    ports = {"nowhere": nowhere}
    models = {
        fault.name: (f"http://127.0.0.1:{ports.get(fault.wire, faulty_port)}", fault.wire)
        for fault in (*FAULTS, *MORE_FAULTS)
    }
    models |= dict.fromkeys(("sick", "sound"), (f"http://127.0.0.1:{faulty_port}", "openai"))
    (folder / "models.json").write_text(json.dumps(models))
    settings = {
        "model_first_seconds": FIRST_SECONDS,
        "model_idle_seconds": IDLE_SECONDS,
        "model_call_seconds": CALL_SECONDS,
    }
    with ServerProcess(folder, sqlite_database(folder), str(FAULTY), **settings) as server:
        yield server


@pytest.mark.timeout(90)
async def test_each_fault_ends_its_run_in_time_and_in_order_and_the_next_input_is_answered(
    faulty_server: ServerProcess, faulty_port: int, nowhere: int
) -> None:
    await _meet_each_fault(faulty_server, faulty_port, nowhere, SLACK)


@pytest.mark.campaign
@pytest.mark.timeout(90)
async def test_b16_each_fault_ends_its_run_within_its_timeout_and_a_second(
    faulty_server: ServerProcess, faulty_port: int, nowhere: int
) -> None:
    await _meet_each_fault(faulty_server, faulty_port, nowhere, PROMISED)


async def _meet_each_fault(faulty_server: ServerProcess, faulty_port: int, nowhere: int, slack: timedelta) -> None:
    faults = (*FAULTS, *MORE_FAULTS)
    async with AsyncExitStack() as stack:
        provider = await stack.enter_async_context(FaultyProvider(faults, faulty_port))
        sound = await stack.enter_async_context(Client(faulty_server.url, "sound"))
        clients = {fault: await stack.enter_async_context(Client(faulty_server.url, fault.name)) for fault in faults}
        sessions = {fault: await client.session() for fault, client in clients.items()}
        # The first call of a server's life loads the clients of providers, and is no fault's to be late for.
        await run_to_end(sound, await sound.session(), "Hello")

        runs = await asyncio.gather(*(run_to_end(clients[fault], sessions[fault], "Hello") for fault in faults))
        logs = [await clients[fault].log(sessions[fault]) for fault in faults]
        provider.healed.update(provider.asked)
        dead = await stack.enter_async_context(FaultyProvider(faults, nowhere))
        dead.healed.update(dead.asked)
        next_runs = await asyncio.gather(*(run_to_end(clients[fault], sessions[fault], "Again") for fault in faults))
        next_logs = [await clients[fault].log(sessions[fault]) for fault in faults]

    for fault, run, log, next_run, next_log in zip(faults, runs, logs, next_runs, next_logs, strict=True):
        tries = provider.asked[fault.name]
        try:
            _check_ending(fault, run, log, slack)
            _check_retries(fault, log, tries)
            check_texts(log)
            _check_next(next_run, log, next_log, tries)
        except AssertionError as error:
            error.add_note(f"the fault: {fault.name}")
            raise
    logged = faulty_server.errors.read_text()
    _check_secrets(logged, json.dumps(next_logs), faulty_port, nowhere)
    for told in (f"127.0.0.1:{faulty_port}", f"127.0.0.1:{nowhere}", "Connection refused"):
        assert told in logged


@pytest.mark.timeout(60)
async def test_a_runs_own_timeout_ends_it_whatever_its_provider_does(
    faulty_server: ServerProcess, faulty_port: int
) -> None:
    faults = [fault for fault in FAULTS if fault.error is not None]
    within = timedelta(seconds=2)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(FaultyProvider(faults, faulty_port))
        clients = [await stack.enter_async_context(Client(faulty_server.url, fault.name)) for fault in faults]
        sessions = [await client.session() for client in clients]

        runs = await asyncio.gather(
            *(run_to_end(client, session, "Hello", within) for client, session in zip(clients, sessions, strict=True))
        )
        logs = [await client.log(session) for client, session in zip(clients, sessions, strict=True)]

    for fault, run, log in zip(faults, runs, logs, strict=True):
        assert run["status"] == "failed", fault
        assert took(run) <= within + SLACK, fault
        assert log[-1]["errorType"] == "RunTimedOut", fault
        check_texts(log)
        check_log(log)


async def test_a_provider_that_fails_one_run_after_the_other_is_left_alone_and_no_other_is(
    faulty_server: ServerProcess, faulty_port: int
) -> None:
    briefly = timedelta(seconds=0.5)
    async with AsyncExitStack() as stack:
        provider = await stack.enter_async_context(FakeProvider(faulty_port))
        sick = await stack.enter_async_context(Client(faulty_server.url, "sick"))
        sound = await stack.enter_async_context(Client(faulty_server.url, "sound"))
        provider.otherwise = lambda request: [Status(500) if request.body["model"] == "sick" else Text("Fine.")]
        one = await sick.session()
        await run_to_end(sick, one, "Hello", briefly)
        others = [await sick.session() for _ in range(4)]
        await asyncio.gather(*(run_to_end(sick, session, "Hello", briefly) for session in others))
        asked = len(provider.requests)

        refused = await run_to_end(sick, one, "Hello")
        answered = await run_to_end(sound, await sound.session(), "Hello")

        log = await sick.log(one)
    told = next(event for event in reversed(log) if event["type"] == "MESSAGE_TURN_ERROR")
    assert (told["errorType"], told["category"], told["isRetryable"]) == ("ModelUnavailable", "unavailable", True)
    assert "The model sick has failed several times and is not asked for another" in told["message"]
    assert log[-1]["type"] == "BRANCH_RUN_COMPLETED"
    assert took(refused) < SLACK
    assert answered["status"] == "completed"
    assert len(provider.requests) == asked + 1
    check_log(log)


async def test_arguments_that_are_no_json_are_told_to_the_model_which_may_try_again(
    faulty_server: ServerProcess, faulty_port: int
) -> None:
    async with FakeProvider(faulty_port) as provider, Client(faulty_server.url, "sound") as client:
        provider.answers(Call("weather", '{"city": "Os', id="call_1"))
        provider.answers(Call("weather", '{"city": "Oslo"}', id="call_2"))
        provider.answers(Text("Rain."))
        session = await client.session()

        run = await run_to_end(client, session, "Hello")

        log = await client.log(session)
    assert run["status"] == "completed"
    told = [event for event in log if event["type"] == "TOOL_CALL_RESULT"]
    assert [(event["callId"], event["result"].get("resultType")) for event in told] == [
        ("call_1", "error"),
        ("call_2", None),
    ]
    check_log(log)


def _check_ending(fault: Fault, run: dict[str, Any], log: Log, slack: timedelta) -> None:
    check_log(log)
    assert run["status"] == ("completed" if fault.error is None else "failed")
    assert log[-1].get("errorType") == fault.error
    pauses = sum((duration_of(event["delay"]) for event in log if event["type"] == "MODEL_CALL_RETRY"), timedelta())
    failed_tries = fault.retries + (fault.error is not None)
    # Each try on its own: so many at once are slower than one.
    assert took(run) <= failed_tries * (timedelta(seconds=fault.seconds) + slack) + pauses + slack
    told = [event for event in log if event["type"] == "MESSAGE_TURN_ERROR"]
    if fault.error is not None:
        assert [(event["errorType"], event["category"]) for event in told] == [(fault.error, fault.category)]
        assert told[0]["isModelNotFound"] == (fault.category == "model_not_found")


def _check_retries(fault: Fault, log: Log, tries: list[Request]) -> None:
    told = [event for event in log if event["type"] == "MODEL_CALL_RETRY"]
    assert [(event["attempt"], event["maxRetries"]) for event in told] == [(n + 1, 3) for n in range(fault.retries)]
    assert {event["category"] for event in told} <= {fault.category}
    if tries:
        # Whatever a client library does by itself would be seen here.
        first = tries[: fault.retries + 1]
        assert [request.messages() for request in first] == [tries[0].messages()] * (fault.retries + 1)
        assert [request.headers["x-stainless-retry-count"] for request in tries] == ["0"] * len(tries)
    if fault.name == "429-once":
        assert duration_of(told[0]["delay"]) >= timedelta(seconds=1)


def _check_next(run: dict[str, Any], log: Log, whole: Log, tries: list[Request]) -> None:
    check_log(whole)
    assert run["status"] == "completed"
    assert [event["text"] for event in whole[len(log) :] if event["type"] == "TEXT_DELTA"] == ["Fine."]
    if tries:
        asked = json.dumps(tries[-1].messages())
        given_up = discarded(log)
        assert all(text not in asked for text in given_up)
        kept = "".join(
            event["text"] for event in log if event["type"] == "TEXT_DELTA" and event["text"] not in given_up
        )
        assert kept in asked


def _check_secrets(logged: str, told: str, *ports: int) -> None:
    assert KEY not in logged
    for secret in (KEY, *(f"127.0.0.1:{port}" for port in ports)):
        assert secret not in told
