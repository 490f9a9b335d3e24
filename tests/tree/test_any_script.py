"""Whatever is created, forked, said and deleted, the tree is what a small model of it says."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.harness.client import Client
from tests.harness.order import check_log
from tests.harness.postgres import PostgresCluster
from tests.interrupt.hosted import hosted
from tests.tree.branching import delete, said, shown, siblings, tree, tree_updates, try_fork
from tests.tree.model import Model, ModelBranch
from tests.tree.projection import copies

Action = tuple[str, Any]
Play = Callable[[Sequence[Action]], None]

# Few names, so that they are taken, missing and used again.
_NAMES = st.sampled_from(["main", "a", "b", "c", "d"])
_PLACES = st.integers(0, 6)
_FORKS = st.tuples(st.just("fork"), st.tuples(_NAMES, _PLACES, _NAMES))
_SAYS = st.tuples(st.just("say"), _NAMES)
_CREATES = st.tuples(st.just("create"), _NAMES)
_DELETES = st.tuples(st.just("delete"), st.tuples(_NAMES, st.booleans()))
SCRIPTS = st.lists(st.one_of(_FORKS, _FORKS, _SAYS, _CREATES, _DELETES), min_size=3, max_size=14)


class Session:
    """A session that everything is done to, beside its model."""

    def __init__(self, client: Client, session: str) -> None:
        self._client = client
        self._session = session
        self._model = Model(ModelBranch)
        self._messages: list[str] = []

    async def do(self, action: Action) -> None:
        """Do something, and make sure that the model foresees the answer."""
        name, argument = action
        if name == "say":
            await self.say(argument)
        elif name == "fork":
            source, place, new = argument
            message = self._messages[place % len(self._messages)]
            answer = await try_fork(self._client, self._session, message, new, of=source)
            assert answer.status_code == self._model.fork(source, message, new), answer.text
        elif name == "create":
            path = f"/agents/demo/sessions/{self._session}/branches"
            answer = await self._client.http.post(path, json={"branchId": argument})
            assert answer.status_code == self._model.create(argument), answer.text
        else:
            branch, recursive = argument
            answer = await delete(self._client, self._session, branch, "?recursive=true" if recursive else "")
            assert answer.status_code == self._model.delete(branch, recursive=recursive), answer.text

    async def say(self, branch: str) -> None:
        """Say something on a branch, if there is one."""
        if branch in self._model.branches:
            messages = await said(self._client, self._session, "Hi", branch)
            self._model.branches[branch].messages += messages
            self._messages += messages
        else:
            assert (await self._client.send(self._session, "Hi", branch)).status_code == 404

    async def check(self) -> None:
        """Make sure that everything that is shown is as the model has it."""
        model, drawn = self._model, await tree(self._client, self._session)
        assert [branch["branchId"] for branch in drawn] == list(model.branches)
        views = {view["id"]: view for view in await shown(self._client, f"/sessions/{self._session}/branches")}
        for branch in drawn:
            name = branch["branchId"]
            expected = model.branches[name]
            assert (branch["children"], views[name]["childBranches"]) == (model.children(name),) * 2
            assert (branch.get("forkedFrom"), branch.get("forkedAtMessageId")) == (expected.source, expected.at)
            assert tuple(views[name].get("ancestors", {}).values()) == expected.ancestors
            assert branch["messageCount"] == len(expected.messages)
            assert [each["id"] for each in await siblings(self._client, self._session, name)] == model.group(name)
            await self._check_log(name)

    async def _check_log(self, name: str) -> None:
        expected, log = self._model.branches[name], await self._client.log(self._session, name)
        check_log(log)
        begun = [event["messageId"] for event in log if event["type"] in {"MESSAGE_STARTED", "TEXT_MESSAGE_START"}]
        assert begun == expected.messages
        if expected.source is not None:
            copied = [message for message, *_ in copies(log)]
            assert copied == expected.messages[: len(copied)]
            assert copied[-1] == expected.at
        told = [update["childBranches"] for update in tree_updates(log)]
        assert (told or [[]])[-1] == self._model.children(name)


def _player(database_url: str) -> Iterator[Play]:
    """Serve in this process, and play each script in a session of its own."""
    with asyncio.Runner() as runner:
        server = hosted(database_url)
        url, _ = runner.run(server.__aenter__())
        yield lambda script: runner.run(_play(url, script))
        runner.run(server.__aexit__(None, None, None))


async def _play(url: str, script: Sequence[Action]) -> None:
    async with Client(url) as client:
        session = Session(client, await client.session())
        await session.say("main")
        for action in script:
            await session.do(action)
        await session.check()


@pytest.fixture
def on_sqlite(tmp_path: Path) -> Iterator[Play]:
    """Play on SQLite."""
    yield from _player(f"sqlite+aiosqlite:///{tmp_path}/test.db")


@pytest.fixture
def on_postgresql(postgres: PostgresCluster) -> Iterator[Play]:
    """Play on PostgreSQL."""
    yield from _player(postgres.create_database())


# One server plays all scripts: each has a session of its own.
_SHARED = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


@settings(max_examples=30, suppress_health_check=_SHARED)
@given(script=SCRIPTS)
def test_the_tree_is_what_its_model_says_on_sqlite(on_sqlite: Play, script: list[Action]) -> None:
    on_sqlite(script)


@settings(max_examples=8, suppress_health_check=_SHARED)
@given(script=SCRIPTS)
def test_the_tree_is_what_its_model_says_on_postgresql(on_postgresql: Play, script: list[Action]) -> None:
    on_postgresql(script)
