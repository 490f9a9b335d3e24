"""`branchline worker` does with an agent what a server does with it."""

import asyncio
import json
from typing import Any

from tests.edge.deadline import seconds_until
from tests.fleet.own import Site, has, seen, taken_over, told
from tests.harness.client import Client
from tests.harness.conversation import answer_to, conversation, is_request, open_questions, order, post_answer
from tests.harness.order import check_log, types
from tests.interactions.kinds import CLIENT_TOOLS

_SCENES: dict[str, dict[str, Any]] = {
    "/tokens 300": {},
    "/reason": {},
    "/fail": {},
    "/history": {},
    "/tool Oslo": {},
    "/permission": {},
    "/parallel": {},
    "/clarify": {},
    "/continue 5": {},
    "/subagent 2": {},
    "/compact 1 hard": {},
    "/client-tool hello": {"clientToolInput": CLIENT_TOOLS},
}
_ANSWERS: dict[str, dict[str, Any]] = {
    "PERMISSION_REQUEST": {"approved": True, "choice": "allow_always"},
    "CLARIFICATION_REQUEST": {"answer": "green"},
    "CONTINUATION_REQUEST": {"approved": True},
    "CLIENT_TOOL_INVOKE_REQUEST": {"success": True, "content": [{"type": "text", "text": "shown"}]},
}


async def _played(client: Client, agent: str, scene: str) -> list[dict[str, Any]]:
    """Play a scene with an agent, twice in one session, and return the events of both runs."""
    one = Client(client.base, agent)
    session = await client.session()
    events: list[dict[str, Any]] = []
    async with one:
        for _ in range(2):
            async with conversation(one, scene, session, **_SCENES[scene]) as talk:
                while not talk.has_ended:
                    frames = await talk._feed.until(_asks_or_ends)
                    talk.events += [frame.json for frame in frames]
                    if is_request(talk.events[-1]):
                        asked = talk.events[-1]
                        answer = await talk.respond(answer_to(asked, **_ANSWERS[asked["type"]]))
                        assert answer.status_code == 200, answer.text
                events += await talk.log()
    return events


def _asks_or_ends(event: dict[str, Any]) -> bool:
    return is_request(event) or event["type"] == "BRANCH_RUN_COMPLETED"


async def test_every_scene_is_told_as_a_server_tells_it(site: Site, reader: Client) -> None:
    agent = await site.define(reader, "scripted")
    worker = site.worker()

    here = await asyncio.gather(*(_played(reader, "demo", scene) for scene in _SCENES))
    there = await asyncio.gather(*(_played(reader, agent, scene) for scene in _SCENES))

    for scene, local, remote in zip(_SCENES, here, there, strict=True):
        of_the_run = [event for event in remote if not event["type"].startswith("WORK_")]
        # Three calls side by side are told in the order in which they come back.
        settled = sorted if scene == "/parallel" else list
        assert (scene, settled(order(of_the_run))) == (scene, settled(order(local)))
        assert (scene, settled(_results(of_the_run))) == (scene, settled(_results(local)))
    assert worker.stop() == 0


def _results(events: list[dict[str, Any]]) -> list[str]:
    kept = ("TOOL_CALL_RESULT", "TOOL_CALL_ARGS", "BRANCH_RUN_COMPLETED", "BRANCH_MIDDLEWARE_STATE_COMMITTED")
    names = ("result", "argsJson", "status", "errorType", "errorMessage", "state")
    return [json.dumps({name: event.get(name) for name in names}) for event in events if event["type"] in kept]


async def test_what_a_worker_compacts_softly_stays_on_the_branch(site: Site, reader: Client) -> None:
    agent = await site.define(reader, "scripted")
    worker = site.worker()
    session = await reader.session()

    async with Client(reader.base, agent) as client:
        for text in ("Hi", "/compact 1", "/history"):
            accepted = await client.accepted(session, text)
            await client.ended(session, accepted["runtimeRunId"])
        log = await client.log(session)
        shown = (await client.http.get(f"/sessions/{session}/branches/main")).json()

    check_log(log)
    assert [event["status"] for event in log if event["type"] == "COMPACTION"] == ["started", "performed"]
    assert "I was given 5 messages: sum_" in told(log)
    assert shown["messageCount"] == 6
    assert worker.stop() == 0


async def test_tokens_stream_while_the_worker_is_still_at_it(site: Site, reader: Client) -> None:
    await site.define(reader, "singer")
    worker = site.worker()
    session = await reader.session()
    await reader.accepted(session, "song")

    texts = []
    for number in range(3):
        site.open(f"song-{number}")
        log = await seen(reader, session, lambda log, number=number: f"word{number}" in told(log))
        texts.append((told(log), log[-1]["type"]))

    check_log(await seen(reader, session, has("BRANCH_RUN_COMPLETED")))
    assert texts == [
        ("word0 ", "TEXT_DELTA"),
        ("word0 word1 ", "TEXT_DELTA"),
        ("word0 word1 word2 ", texts[-1][1]),
    ]
    assert worker.stop() == 0


async def test_an_interrupt_stops_the_agent_at_the_worker_within_two_seconds(site: Site, reader: Client) -> None:
    await site.define(reader, "stayer")
    worker = site.worker()
    session = await reader.session()
    await reader.accepted(session, "stay")
    await seen(reader, session, lambda log: "I stay." in told(log))
    before = len(site.notes())

    response = await reader.http.post(f"{reader.path(session)}/interrupt", json={"reason": "enough"})

    async def stopped() -> bool:
        return len(site.notes()) > before

    took = await seconds_until(stopped, within=10)

    log = await seen(reader, session, has("BRANCH_RUN_COMPLETED"))
    check_log(log)
    assert response.status_code == 202
    assert (log[-1]["status"], log[-1]["reason"]) == ("cancelled", "enough")
    assert took < 2
    assert worker.stop() == 0


async def test_a_run_that_says_what_the_server_does_not_know_fails_with_a_sentence(site: Site, reader: Client) -> None:
    await site.define(reader, "inventor")
    worker = site.worker()
    session = await reader.session()
    await reader.accepted(session, "invent")

    log = await seen(reader, session, has("BRANCH_RUN_COMPLETED"))

    assert (log[-1]["status"], log[-1]["errorType"]) == ("failed", "WorkerFailed")
    assert "The server does not know this type of event" in log[-1]["errorMessage"]
    assert told(log) == "Listen."
    assert worker.stop() == 0


async def test_an_interrupt_of_nested_work_ends_that_alone(site: Site, reader: Client) -> None:
    await site.define(reader, "scripted")
    worker = site.worker()

    async with conversation(reader, "/subagent 1") as talk:
        asked = await talk.asked()
        wish = {"reason": "enough", "eventFlowId": asked["eventFlowId"]}
        response = await reader.http.post(f"{talk.path}/interrupt", json=wish)
        await talk.end()

    assert response.status_code == 202
    (handled,) = (event for event in talk.events if event["type"] == "INTERRUPTION_HANDLED")
    assert handled["eventFlowId"] == asked["eventFlowId"]
    assert talk.events[-1]["status"] == "completed"
    assert worker.stop() == 0


async def test_what_waits_behind_a_run_of_a_worker_is_done_next(site: Site, reader: Client) -> None:
    await site.define(reader, "singer")
    worker = site.worker()
    session = await reader.session()
    await reader.accepted(session, "first")
    for text in ("second", "third"):
        body = {"text": text, "runningRunBehavior": "queue"}
        assert (await reader.http.post(f"{reader.path(session)}/inputs", json=body)).status_code == 202

    for gate in [f"{song}-{number}" for song in ("first", "second", "third") for number in range(3)]:
        site.open(gate)
    log = await seen(reader, session, lambda log: types(log).count("BRANCH_RUN_COMPLETED") == 3)

    check_log(log)
    assert told(log) == "word0 word1 word2 " * 3
    assert [event["status"] for event in log if event["type"] == "BRANCH_RUN_COMPLETED"] == ["completed"] * 3
    assert worker.stop() == 0


async def test_an_agent_of_pydantic_ais_works_there_too(site: Site, reader: Client) -> None:
    await site.define(reader, "modelled")
    worker = site.worker()
    session = await reader.session()

    for _ in range(2):
        await reader.accepted(session, "Who are you?")
        log = await seen(reader, session, lambda log: log[-1]["type"] == "BRANCH_RUN_COMPLETED")

    check_log(log)
    assert told(log) == "I am a model." * 2
    assert worker.stop() == 0


async def test_a_worker_that_was_removed_registers_again(site: Site, reader: Client) -> None:
    await site.define(reader, "scripted")
    worker = site.worker()
    session = await reader.session()

    removed = await reader.http.delete(f"/api/workers/{worker.worker_id}")
    await reader.accepted(session, "Hello")
    log = await seen(reader, session, has("BRANCH_RUN_COMPLETED"))

    (claimed,) = (event for event in log if event["type"] == "WORK_CLAIMED")
    assert removed.status_code == 200
    assert claimed["workerId"] != worker.worker_id
    assert log[-1]["status"] == "completed"
    assert worker.stop() == 0


async def test_a_worker_that_is_told_to_stop_gives_its_run_back_and_another_goes_on(site: Site, reader: Client) -> None:
    await site.define(reader, "helper")

    log, returned, first, second = await taken_over(site, reader, lambda worker: worker.stop())

    assert (returned["workerId"], returned["reason"]) == (first.worker_id, "refused")
    assert log[-1]["status"] == "completed"
    assert second.stop() == 0


async def test_nothing_is_lost_or_doubled_when_the_server_is_killed_and_started_again(
    site: Site, reader: Client
) -> None:
    helper, scripted = await site.define(reader, "helper"), await site.define(reader, "scripted")
    worker = site.worker()
    before = len(site.notes())
    first, asking, streaming = [await reader.session() for _ in range(3)]
    reader.agent = helper
    await reader.accepted(first, "restart")
    reader.agent = scripted
    await reader.accepted(asking, "/permission")
    await reader.accepted(streaming, "/tokens 60 50")
    await seen(reader, first, lambda log: "I did one." in told(log))
    await seen(reader, asking, has("PERMISSION_REQUEST"))
    await seen(reader, streaming, lambda log: "tok5 " in told(log))

    site.server.kill()
    site.open("restart")
    site.server.start()
    (question,) = await open_questions(reader, asking)
    answered = await post_answer(reader, asking, answer_to(question["request"], approved=True))
    logs = [await seen(reader, session, has("BRANCH_RUN_COMPLETED")) for session in (first, asking, streaming)]

    for log in logs:
        check_log(log)
    assert answered.status_code == 200, answered.text
    assert [log[-1]["status"] for log in logs] == ["completed"] * 3
    assert told(logs[0]) == "I did one.I did two."
    assert told(logs[2]) == "".join(f"tok{number} " for number in range(60))
    assert [word for word, _ in site.notes()[before:]] == ["first", "second"]
    assert not any(event["type"] == "WORK_RETURNED" for log in logs for event in log)
    assert worker.stop() == 0
