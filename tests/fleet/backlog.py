"""A long backlog of work, put on offer by the same code that serves inputs."""

import asyncio
from collections.abc import Iterator

from events.ids import MAIN_BRANCH, AgentId
from events.inputs import UserTextInput
from hosting import Settings, create_app
from hosting.bootstrap import server_of
from hosting.domain.config_text import read_config
from hosting.domain.definition import AgentConfig
from hosting.domain.identity import LOCAL
from hosting.runtime.definitions import create_definition
from hosting.runtime.sessions import create_session
from hosting.runtime.submit import submit_input

_AT_ONCE = 200


async def put_on_offer(database_url: str, count: int) -> None:
    """Submit so many inputs, each to a session of its own; no other server is there yet."""
    app = create_app(settings=Settings(database_url=database_url))
    async with app.lifespan():
        runtime = server_of(app).caller(LOCAL).runtime
        config = read_config(b'{"runtime": "worker", "workType": "research"}', AgentConfig)
        agent = AgentId((await create_definition(runtime, LOCAL.tenant, "helper", config, {})).id)

        async def submit_each(numbers: Iterator[int]) -> None:
            for number in numbers:
                session = await create_session(runtime, LOCAL.tenant, None, {})
                branch = await runtime.tenant(LOCAL.tenant).branch(session.id, MAIN_BRANCH)
                assert branch is not None
                await submit_input(runtime, branch, agent, UserTextInput(text=f"Task {number}"))

        numbers = iter(range(count))
        async with asyncio.TaskGroup() as tasks:
            for _ in range(_AT_ONCE):
                tasks.create_task(submit_each(numbers))
