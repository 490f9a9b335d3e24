"""Old events go from the front of logs; whoever asks for what is gone is told, and conversations go on without it."""

from collections.abc import Callable
from functools import partial

from hosting.adapters.sql.trimming import Wish, trim_log
from tests.harness.client import Client
from tests.harness.feed import Frame, completed
from tests.harness.process import ServerProcess
from tests.harness.trimmed import is_trimmed, log_once
from tests.sockets.talk import Talk
from tests.storage.logs import run_with_deltas, stored_rows
from tests.store.units import make_branch, opened

_AT_ONCE = 0.00000001
"""Of a day: a millisecond."""


async def _run(client: Client, session: str, text: str) -> dict[str, str]:
    accepted = await client.accepted(session, text)
    await client.ended(session, accepted["runtimeRunId"])
    return accepted


async def test_old_events_go_and_everything_else_goes_on(
    make_server: Callable[..., ServerProcess], database_url: str
) -> None:
    server = make_server(database_url, retention_days=_AT_ONCE, retention_sweep_seconds=0.2).start()
    async with Client(server.url) as client:
        session = await client.session("kept")
        first = await _run(client, session, "one")
        asking = await client.accepted(session, "/permission")
        await log_once(client, session, lambda log: bool(log) and log[-1]["type"] == "PERMISSION_REQUEST")
        log = await log_once(client, session, is_trimmed)

        begins = str(log[0]["eventId"])
        epoch, _, number = begins.partition(".")
        earliest = f"{epoch}.{int(number) - 1}"
        async with (
            client.feed(session, after=f"{epoch}.1") as trimmed,
            client.feed(session, after=earliest) as whole,
            Talk(client, session, after=f"{epoch}.1") as talk,
        ):
            by_socket = await talk.frame()
            opening, reset = await trimmed.frame(), await trimmed.frame()
            frames = [await whole.event() for _ in log]
        refused = await client.http.get(f"/sessions/{session}/branches/main/events?after={epoch}.1")
        page = await client.log_text(session, query=f"?after={earliest}&limit=2")
        waiting = (await client.http.get(f"{client.path(session)}/interactions")).json()

    latest = str(log[-1]["eventId"])
    # What the run that still waits has written is all there.
    assert [event["runtimeRunId"] for event in log if event["type"] == "BRANCH_RUN_STARTED"] == [asking["runtimeRunId"]]
    assert log[0]["type"] == "BRANCH_RUN_STARTED"
    assert first["position"] != earliest
    assert opening == Frame(id=latest, retry="2000")
    assert reset is not None
    told = reset.json
    assert (reset.id, told["type"], told["reason"]) == (latest, "STREAM_RESET", "trimmed")
    assert (told["earliest"], told["latest"], told["requested"]) == (earliest, latest, f"{epoch}.1")
    assert {**by_socket, "timestamp": told["timestamp"]} == told
    assert [frame and frame.json for frame in frames] == log
    assert refused.status_code == 400
    assert (refused.json()["earliest"], refused.json()["latest"]) == (earliest, latest)
    assert page.count('"eventId"') == 2
    assert [each["runtimeRunId"] for each in waiting] == [asking["runtimeRunId"]]


async def test_large_rows_go_a_few_at_a_time(database_url: str) -> None:
    async with opened(database_url) as database:
        branch = await make_branch(database)
        await run_with_deltas(database, branch, ["x" * 900_000] * 20)
        wish, left = Wish(branch.key, 0, 10**6), list[int]()

        more = True
        while more:
            more = await database._transactor.run(partial(trim_log, wish=wish))
            left.append(len(await stored_rows(database_url, branch.key)))

    assert left == [12, 3, 0]


async def test_a_conversation_with_a_trimmed_log_goes_on_and_is_forked_with_every_message(
    make_server: Callable[..., ServerProcess], database_url: str
) -> None:
    server = make_server(database_url, retention_days=_AT_ONCE, retention_sweep_seconds=0.2).start()
    async with Client(server.url) as client:
        session = await client.session("kept")
        for text in ("one", "two", "three"):
            last = await _run(client, session, text)
        await log_once(client, session, is_trimmed)
        forked = await client.http.post(
            f"{client.path(session)}/fork", json={"newBranchId": "copy", "fromMessageId": last["messageId"]}
        )
        told = await client.accepted(session, "/history", branch="copy")
        async with client.feed(session, branch="copy", after=told["position"]) as feed:
            frames = await feed.until(completed)

    text = "".join(frame.json["text"] for frame in frames if frame.json["type"] == "TEXT_DELTA")
    assert forked.status_code == 201, forked.text
    assert text.startswith("I was given 6 messages")
