"""An interrupt that is sent as soon as an event is seen, whichever it is: one end, and the next input works."""

import asyncio
from typing import Any

from tests.harness.client import Client
from tests.harness.feed import completed
from tests.harness.order import check_log
from tests.interrupt.talk import Log, Talk

TOGETHER = 8


async def _answer_what_is_asked(talk: Talk, event: dict[str, Any]) -> None:
    if event["type"] == "PERMISSION_REQUEST":
        body = {"type": "PERMISSION_RESPONSE", "permissionId": event["permissionId"], "approved": True}
        # The interrupt may have been first.
        assert (await talk.post("responses", body)).status_code in {200, 409}


async def _undisturbed(talk: Talk, text: str) -> Log:
    await talk.say(text)
    await talk.answer((await talk.asked())[0], approved=True)
    return await talk.idle()


async def _interrupted_at(talk: Talk, text: str, seq: int) -> tuple[int, str]:
    """Interrupt as soon as event `seq` is seen; return the interrupt's status, and the run's."""
    beginning = (await talk.log())[0]["eventId"]
    status = 0
    accepted = await talk.say(text)
    async with talk.client.feed(talk.session, after=beginning) as feed, asyncio.timeout(30):
        while (frame := await feed.event()) is not None:
            await _answer_what_is_asked(talk, frame.json)
            if frame.json["sequenceNumber"] == seq:
                status = (await talk.interrupt()).status_code
            if completed(frame.json):
                break
    log = await talk.log()
    outcome = check_log(log).outcomes[accepted["runtimeRunId"]]
    await talk.say("Hi")
    again = await talk.idle()
    assert again[: len(log)] == log
    assert again[-1]["status"] == "completed"
    return status, outcome


async def test_the_run_has_one_end_at_whichever_event_it_is_interrupted(client: Client) -> None:
    text = "/subagent 1"
    length = len(await _undisturbed(await Talk.begin(client), text))
    places, endings = iter(range(2, length + 1)), {}

    async def interrupt_some() -> None:
        for seq in places:
            endings[seq] = await _interrupted_at(await Talk.begin(client), text, seq)

    await asyncio.gather(*(interrupt_some() for _ in range(TOGETHER)))

    assert sorted(endings) == list(range(2, length + 1))
    assert set(endings.values()) <= {(202, "cancelled"), (202, "completed"), (409, "completed")}
    # Those before the question cannot have come too late.
    assert {endings[seq] for seq in range(2, length // 2)} == {(202, "cancelled")}
    assert endings[length] == (409, "completed")
