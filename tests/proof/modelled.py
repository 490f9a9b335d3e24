"""A session that everything is done to, beside its model; after each step both must agree."""

import asyncio
import json
from typing import Any

from tests.harness.client import Client, split_array
from tests.harness.conversation import answer_to
from tests.harness.order import check_log
from tests.interrupt.talk import Talk
from tests.proof.model import RunningBranch
from tests.tree.branching import delete, history, tree, try_fork
from tests.tree.model import Model
from tests.tree.projection import copies, messages


class Modelled:
    """Does each thing at the server and in the model, and compares the answers and what is there then."""

    def __init__(self, session: str) -> None:
        self.session = session
        self._model = Model(RunningBranch)
        self._messages: list[str] = []
        self._made = 0
        self.forks = 0

    def branch(self, pick: int) -> str:
        """Return one of the branches that there are, or one that there is not: the tenth is never there."""
        names = list(self._model.branches)
        return "missing" if pick % 10 == 9 else names[pick % len(names)]

    def new(self, pick: int) -> str:
        """Return a name that is free, or one that is taken."""
        self._made += 1
        return self.branch(pick) if pick % 4 == 3 else f"b{self._made}"

    def message(self, branch: str, pick: int) -> str:
        """Return a message of a branch, or one of any branch."""
        model = self._model.branches.get(branch)
        known = model.messages if model is not None and pick % 5 else self._messages
        return known[pick % len(known)] if known else "msg_none"

    async def submit(self, client: Client, branch: str, text: str, *, queues: bool) -> None:
        """Say something on a branch."""
        response = await Talk(client, self.session, branch).send(text, "queue" if queues else None)
        model = self._model.branches.get(branch)
        assert response.status_code == (404 if model is None else model.submit(text, queues=queues)), response.text
        if model is not None and response.status_code == 202:
            model.begin(response.json()["runtimeRunId"], text)
        await self._check(client, branch)

    async def answer(self, client: Client, branch: str, *, approved: bool) -> None:
        """Answer what a branch asks, if it does."""
        model = self._model.branches.get(branch)
        if model is None or model.asking is None:
            return
        talk = Talk(client, self.session, branch)
        (question,) = await talk.asked()
        body = answer_to(question["request"], approved=approved)
        statuses = [(await talk.post("responses", body)).status_code for _ in range(2)]
        assert statuses == [model.end("completed"), 409]
        await self._check(client, branch)

    async def interrupt(self, client: Client, branch: str) -> None:
        """Interrupt what runs there."""
        response = await Talk(client, self.session, branch).interrupt()
        model = self._model.branches.get(branch)
        assert response.status_code == (404 if model is None else model.end("cancelled")), response.text
        await self._check(client, branch)

    async def remove(self, client: Client, branch: str, index: int) -> None:
        """Take a run out of the queue."""
        model = self._model.branches.get(branch)
        if model is not None:
            run_id, expected = model.remove(index)
            assert (await Talk(client, self.session, branch).remove(run_id)).status_code == expected
            await self._check(client, branch)

    async def create(self, client: Client, branch: str) -> None:
        """Make a branch without messages."""
        path = f"/agents/demo/sessions/{self.session}/branches"
        response = await client.http.post(path, json={"branchId": branch})
        assert response.status_code == self._model.create(branch), response.text
        await self._check(client, branch)

    async def fork(self, client: Client, source: str, at: str, new: str) -> None:
        """Fork a branch at a message."""
        response = await try_fork(client, self.session, at, new, of=source)
        assert response.status_code == self._model.fork(source, at, new), response.text
        self.forks += response.status_code == 201
        for branch in (source, new):
            await self._check(client, branch)

    async def delete(self, client: Client, branch: str, *, recursive: bool) -> None:
        """Delete a branch."""
        response = await delete(client, self.session, branch, "?recursive=true" if recursive else "")
        assert response.status_code == self._model.delete(branch, recursive=recursive), response.text

    async def check(self, client: Client) -> None:
        """Compare the whole session."""
        drawn = await tree(client, self.session)
        assert [branch["branchId"] for branch in drawn] == list(self._model.branches)
        for each in drawn:
            model = self._model.branches[each["branchId"]]
            assert (each.get("forkedFrom"), each.get("forkedAtMessageId")) == (model.source, model.at)
            assert each["children"] == self._model.children(each["branchId"])
            await self._check(client, each["branchId"])
            if model.asking is None:
                assert each["messageCount"] == len(model.messages)

    async def finish(self, client: Client) -> None:
        """Compare once more, and what agents are given: the fold of the log as the server makes it; then delete all."""
        await self.check(client)
        for name, model in self._model.branches.items():
            if model.asking is None:
                assert await history(client, self.session, name) == model.messages
        # Or each server to come would take up what waits in all the sessions before.
        deleted = await client.http.delete(f"/sessions/{self.session}?force=true")
        assert deleted.is_success, deleted.text

    async def _check(self, client: Client, name: str) -> None:
        model, talk = self._model.branches.get(name), Talk(client, self.session, name)
        if model is None:
            return
        await talk.until(lambda: talk.get("runs"), lambda runs: _statuses(runs) == model.runs)
        asked, queue, log = await asyncio.gather(
            talk.get("interactions") if model.asking is None else talk.asked(),
            talk.queue(),
            client.log_text(self.session, name),
        )
        assert bool(asked) == (model.asking is not None)
        assert [item["runtimeRunId"] for item in queue] == [run for run, _ in model.queue]
        self._check_log(model, log)

    def _check_log(self, model: RunningBranch, text: str) -> None:
        """Compare the fold of the log with the model; what was in it before is in it still, byte by byte."""
        lines, log = split_array(text), json.loads(text)
        assert lines[: len(model.lines)] == model.lines
        model.lines = lines
        order = check_log(log, ended=model.asking is None)
        ended = {run: status for run, status in model.runs.items() if status not in {"active", "queued"}}
        assert order.outcomes == ended
        assert order.waiting == [run for run, _ in model.queue]
        assert (order.run.id if order.run else None) == model.asking
        told = [message.id for message in messages(log)]
        assert told[: len(model.messages)] == model.messages
        self._learn(model, told)
        if model.source is not None:
            copied = [message for message, *_ in copies(log)]
            assert (copied, copied[-1]) == (told[: len(copied)], model.at)

    def _learn(self, model: RunningBranch, told: list[str]) -> None:
        # The last message of one that asks has not ended yet, so nobody can fork there.
        ended = told if model.asking is None else told[:-1]
        self._messages += [message for message in ended if message not in self._messages]
        model.messages = ended


def _statuses(runs: list[dict[str, Any]]) -> dict[str, str]:
    return {run["runtimeRunId"]: run["status"] for run in runs}
