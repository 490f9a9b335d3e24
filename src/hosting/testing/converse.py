"""Holding a conversation with an agent: on the real application, in a database that lasts as long."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, Unpack

import msgspec
from litestar import Litestar

from events.event import Event
from events.ids import AgentId
from events.inputs import UserTextInput
from events.interactions import Request
from hosting.bootstrap import create_app
from hosting.domain.secret import Secret
from hosting.hostable import id_of
from hosting.settings import Settings
from hosting.testing.answers import Answers
from hosting.testing.conversation import Conversation
from hosting.testing.options import Options
from hosting.testing.stage import Stage

_WITHIN: Final = timedelta(seconds=30)


def converse(agent: object, *texts: str, **options: Unpack[Options]) -> Conversation:
    """Say the texts to an agent, one after the other on one branch, and return what came of it.

    The agent is whatever can be served; see Options for the rest. A test that runs in an event loop awaits
    `converse_async` instead.

    Raises:
        NotAnswered: the agent asked something that the test has no answer to.
        TimeoutError: it all took too long.
        TypeError: the agent is none.
        RunConfigRefused, InvalidInput: the server does not take such an input.
    """
    return asyncio.run(converse_async(agent, *texts, **options))


async def converse_async(agent: object, *texts: str, **options: Unpack[Options]) -> Conversation:
    """Do what `converse` does, for a test that runs in an event loop."""
    agent_id = AgentId(id_of(agent, getattr(agent, "__name__", "agent")))
    served = {**options.get("agents", {}), agent_id: agent}
    tools, events = tuple(options.get("tools", ())), tuple(options.get("events", ()))
    with TemporaryDirectory(prefix="branchline-test-") as folder:
        settings = Settings(database_url=Secret(f"sqlite+aiosqlite:///{Path(folder)}/test.db"), grace_seconds=0)

        def make_app() -> Litestar:
            return create_app(served, settings=settings, tools=tools, events=events)

        async with Stage(make_app, agent_id) as stage, _limit(options.get("within", _WITHIN)):
            return Conversation(await _talk(stage, texts, options))


async def _talk(stage: Stage, texts: Sequence[str], options: Options) -> list[Event]:
    config = msgspec.Raw(msgspec.json.encode(options.get("run_config", {})))
    given = Answers(options.get("approve"), options.get("answers", ()), options.get("respond"))
    heard: list[Event] = []
    for text in texts:
        place = await stage.submit(UserTextInput(text=text, run_config=config))
        async with aclosing(stage.events(place)) as run:
            async for event in run:
                heard.append(event)
                if isinstance(event, Request):
                    answer = given.to(event)
                    if options.get("restarts"):
                        await stage.restart()
                    await stage.respond(answer)
    return heard


@asynccontextmanager
async def _limit(within: timedelta) -> AsyncIterator[None]:
    clock = asyncio.timeout(within.total_seconds())
    try:
        async with clock:
            yield
    except TimeoutError as error:
        if not clock.expired():
            raise
        raise TimeoutError(f"The conversation took longer than {within.total_seconds():g} seconds.") from error
