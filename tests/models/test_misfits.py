"""Answers that an agent does not take: the model is told, and the conversation goes on without them."""

from collections.abc import Callable
from pathlib import Path

from tests.harness.client import Client
from tests.harness.order import check_log
from tests.harness.process import ServerProcess
from tests.harness.providers.provider import FakeProvider
from tests.harness.providers.steps import Call, Hold, Text
from tests.interrupt.talk import Talk

_WIRED = Path(__file__).parent / "wired.py"
_FITS = Call("final_result", '{"city": "Oslo", "degrees": 3}')


async def test_an_answer_that_its_agent_does_not_take_leaves_the_conversation_once_whatever_crashes(
    make_server: Callable[..., ServerProcess], database_url: str, tmp_path: Path, provider_port: int
) -> None:
    async with FakeProvider(provider_port) as provider:
        (tmp_path / "provider.txt").write_text(provider.url)
        server = make_server(database_url, str(_WIRED)).start()
        misfits = Call("final_result", '{"city": "Oslo", "degrees": "warm"}'), Text("It is warm.")
        for step in (misfits[0], Hold(), _FITS, misfits[1], _FITS, _FITS):
            provider.answers(step)
        async with Client(server.url, "structured") as client:
            talk = await Talk.begin(client)
            await talk.say("How is Oslo?")
            await talk.logged(lambda event: event["type"] == "AGENT_TURN_STARTED" and event["iteration"] == 2)
            await provider.request(1)
        server.kill()

        server.start()
        async with Client(server.url, "structured") as client:
            talk = Talk(client, talk.session)
            await talk.idle()
            for text in ("And now?", "And later?"):
                await talk.say(text)
                log = await talk.idle()
            branch = (await client.http.get(client.path(talk.session))).json()

    asked = ["warm" in str(request.messages()) for request in provider.requests]
    assert asked == [False, True, True, False, True, False]
    assert branch["messageCount"] == 6
    told = [event for event in log if event["type"] == "MODEL_CALL_RETRY"]
    assert [(each["exceptionType"], each.get("category"), each["attempt"]) for each in told] == [
        ("AnswerMisfit", "misfit", 1),
        ("RunInterrupted", None, 1),
        ("AnswerMisfit", "misfit", 1),
    ]
    check_log(log)
