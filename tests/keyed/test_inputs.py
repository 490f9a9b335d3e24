"""An input under a key begins, waits, is added or interrupts once, and each kind of answer is given again."""

from collections.abc import Callable
from pathlib import Path

import pytest

from hosting.adapters.files.key_file import ensure_key_file
from tests.harness.client import Client
from tests.harness.process import ServerProcess
from tests.harness.worker import FleetWorker, define_worker_agent
from tests.keyed.sending import is_again, is_first, send


@pytest.fixture
def server(make_server: Callable[..., ServerProcess], database_url: str, tmp_path: Path) -> ServerProcess:
    """A server that signs the tokens of workers, on a database of each kind."""
    ensure_key_file(tmp_path / "keys")
    return make_server(database_url, key_file=tmp_path / "keys").start()


async def test_an_input_that_waits_waits_once_and_one_that_interrupts_interrupts_once(client: Client) -> None:
    session = await client.session()
    path = f"{client.path(session)}/inputs"
    running = await client.accepted(session, "/tokens 100000 1")

    waits = {"text": "hi", "runningRunBehavior": "queue"}
    waiting = await send(client.http, path, waits, "waits")
    waiting_again = await send(client.http, path, waits, "waits")
    queue = (await client.http.get(f"{client.path(session)}/queue")).json()["items"]
    envelope = {"type": "INTERRUPTION_REQUEST", "reason": "enough"}
    interrupting = await send(client.http, path, envelope, "ends")
    ended = await client.ended(session, running["runtimeRunId"])
    follower = await client.ended(session, waiting.json()["runtimeRunId"])
    interrupting_again = await send(client.http, path, envelope, "ends")

    assert is_first(waiting)
    assert is_again(waiting_again, waiting)
    assert waiting.json()["queuedPosition"] == 1
    assert [item["runtimeRunId"] for item in queue] == [waiting.json()["runtimeRunId"]]
    assert is_first(interrupting)
    assert is_again(interrupting_again, interrupting)
    assert (ended["status"], follower["status"]) == ("cancelled", "completed")
    assert len((await client.http.get(f"/sessions/{session}/branches/main/runs")).json()) == 2


async def test_what_a_worker_hears_meanwhile_it_hears_once(client: Client) -> None:
    client.agent = await define_worker_agent(client.http, furtherInputs="inject")
    worker = await FleetWorker.register(client.http)
    session = await client.session()
    running = await client.accepted(session, "begin")
    held = (await worker.claimed())["sessionId"]

    path, said = f"{client.path(session)}/inputs", {"text": "and this", "runningRunBehavior": "queue"}
    added = await send(client.http, path, said, "a")
    again = await send(client.http, path, said, "a")
    prompted = await send(client.http, f"/api/public/sessions/{held}/prompt", {"prompt": "quick"}, "a")
    prompted_again = await send(client.http, f"/api/public/sessions/{held}/prompt", {"prompt": "quick"}, "a")
    begun = [event for event in await client.log(session) if event["type"] == "MESSAGE_STARTED"]

    assert is_first(added)
    assert is_again(again, added)
    assert added.json()["runtimeRunId"] == running["runtimeRunId"]
    assert is_first(prompted)
    assert is_again(prompted_again, prompted)
    assert [event["messageId"] for event in begun[1:]] == [added.json()["messageId"], prompted.json()["messageId"]]
