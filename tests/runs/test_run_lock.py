"""One active run a branch, whoever asks and however many at once."""

import asyncio
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.harness.client import Client
from tests.harness.feed import Feed, completed
from tests.harness.process import ServerProcess

SECOND_AGENT = """
import hosting


@hosting.agent("second")
async def second(context):
    yield "Second here."
"""


async def test_of_50_simultaneous_inputs_one_is_accepted_and_49_are_conflicts(client: Client) -> None:
    session = await client.session()

    responses = await asyncio.gather(*(client.send(session, f"/tokens 400 15 {index}") for index in range(50)))

    assert Counter(response.status_code for response in responses) == {202: 1, 409: 49}
    accepted = next(response for response in responses if response.status_code == 202)
    for response in responses:
        if response.status_code == 409:
            assert _is_conflict(response.headers["content-type"], response.json(), f"{client.path(session)}/inputs")
    await client.ended(session, accepted.json()["runtimeRunId"])
    events = await client.log(session)
    assert Counter(event["type"] for event in events if event["type"].startswith("BRANCH_RUN")) == {
        "BRANCH_RUN_STARTED": 1,
        "BRANCH_RUN_COMPLETED": 1,
    }
    assert [event["messageId"] for event in events if event["type"] == "MESSAGE_STARTED"] == [
        accepted.json()["messageId"]
    ]


async def test_two_branches_of_a_session_run_at_the_same_time(client: Client) -> None:
    session = await client.session()
    branches = ["main", await client.branch(session, "other")]
    runs = [await client.accepted(session, "/tokens 300 10", branch) for branch in branches]

    async with (
        client.feed(session, branches[0], after=runs[0]["position"]) as one,
        client.feed(session, branches[1], after=runs[1]["position"]) as other,
    ):
        early = await asyncio.gather(one.until(_token(20)), other.until(_token(20)))
        actives = [(await client.http.get(f"{client.path(session, branch)}/runs/active")).json() for branch in branches]
        late = await asyncio.gather(one.until(completed), other.until(completed))

    assert [active["runtimeRunId"] for active in actives] == [run["runtimeRunId"] for run in runs]
    for branch, before, after in zip(branches, early, late, strict=True):
        assert [frame.data for frame in before + after] == (await client.log_lines(session, branch))[1:]
        assert {frame.json["branchId"] for frame in before + after} == {branch}
    first_end = min(frames[-1].json["timestamp"] for frames in late)
    assert all(frames[-1].json["timestamp"] < first_end for frames in early)


async def test_the_run_goes_on_when_every_reader_has_gone(client: Client) -> None:
    session = await client.session()
    accepted = await client.accepted(session, "/tokens 300 10")

    feeds = [client.feed(session, after=accepted["position"]) for _ in range(8)]
    await asyncio.gather(*(_cut_at(feed, token=10 + 5 * index) for index, feed in enumerate(feeds)))
    left_behind = (await client.http.get(f"{client.path(session)}/runs/active")).json()
    run = await client.ended(session, accepted["runtimeRunId"])

    assert (left_behind["runtimeRunId"], left_behind["status"]) == (accepted["runtimeRunId"], "active")
    assert run["status"] == "completed"
    events = await client.log(session)
    text = "".join(event["text"] for event in events if event["type"] == "TEXT_DELTA")
    assert text == "".join(f"tok{index} " for index in range(300))
    assert completed(events[-1])


async def test_two_agents_cannot_run_on_one_branch_and_each_lists_its_own_runs(
    make_server: Callable[..., ServerProcess], database_url: str, tmp_path: Path
) -> None:
    (tmp_path / "second.py").write_text(SECOND_AGENT)
    server = make_server(database_url, "second.py").start()
    async with Client(server.url) as demo, Client(server.url, agent="second") as second:
        session = await demo.session()
        first = await demo.accepted(session, "/tokens 200 15")

        refused = await second.send(session, "Hi")
        await demo.ended(session, first["runtimeRunId"])
        then = await second.accepted(session, "Hi")
        await second.ended(session, then["runtimeRunId"])

        assert _is_conflict(refused.headers["content-type"], refused.json(), f"{second.path(session)}/inputs")
        ids = [first["runtimeRunId"], then["runtimeRunId"]]
        assert await _run_ids(demo, f"/sessions/{session}/branches/main/runs") == ids
        assert await _run_ids(demo, f"{demo.path(session)}/runs") == ids[:1]
        assert await _run_ids(demo, f"{second.path(session)}/runs") == ids[1:]


async def _run_ids(client: Client, path: str) -> list[str]:
    return [run["runtimeRunId"] for run in (await client.http.get(path)).json()]


async def _cut_at(feed: Feed, token: int) -> None:
    async with feed:
        await feed.until(_token(token))


def _token(number: int) -> Callable[[dict[str, Any]], bool]:
    return lambda event: event.get("text") == f"tok{number} "


def _is_conflict(media_type: str, problem: dict[str, Any], instance: str) -> bool:
    detail = problem["detail"]
    return media_type == "application/problem+json" and problem == {
        "type": "urn:branchline:problem:branch-run-active",
        "title": "Branch run active",
        "status": 409,
        "detail": detail,
        "instance": instance,
        "code": "branch-run-active",
        "errors": {"BranchRunActive": [detail]},
    }
