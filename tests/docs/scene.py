"""What happens on a branch under the title of a listing: an input, and behind a comma what is done about its run."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Sequence
from itertools import groupby
from typing import Any, Final

from tests.harness.client import Client
from tests.harness.conversation import answer_to, post_answer
from tests.harness.patience import Patience

_TOOLS: Final = {
    "clientToolHarnesses": [{"name": "page", "tools": [{"name": "read", "parametersSchema": {"type": "object"}}]}]
}


class Scene:
    """One branch from an input on; everything is looked up in its log."""

    def __init__(self, client: Client, session: str, position: str) -> None:
        self.client = client
        self.session = session
        self.branch = "main"
        self.position = position

    async def say(self, text: str, *, behavior: str = "reject", **config: Any) -> dict[str, Any]:
        """Submit a text that must be accepted, and return the answer."""
        body = {"text": text, "runConfig": config, "runningRunBehavior": behavior}
        response = await self.client.http.post(f"{self.client.path(self.session, self.branch)}/inputs", json=body)
        assert response.status_code == 202, response.text
        accepted: dict[str, Any] = response.json()
        return accepted

    async def events(self) -> list[dict[str, Any]]:
        """Return what has come since the scene began."""
        seen: list[dict[str, Any]] = json.loads(
            await self.client.log_text(self.session, self.branch, query=f"?after={self.position}&limit=10000")
        )
        return seen

    async def seen(self, wire_type: str, times: int = 1) -> None:
        """Wait until an event has come so many times."""
        patience = Patience()
        async with asyncio.timeout(30):
            while True:
                if [event["type"] for event in await self.events()].count(wire_type) >= times:
                    return
                await patience.wait()

    async def asked(self, count: int = 1) -> list[dict[str, Any]]:
        """Return so many open requests, once they are there."""
        patience = Patience()
        async with asyncio.timeout(30):
            while True:
                response = await self.client.http.get(f"{self.client.path(self.session)}/interactions")
                asked = [question["request"] for question in response.json()]
                if len(asked) >= count:
                    return asked
                await patience.wait()

    async def answer(self, request: dict[str, Any], **members: Any) -> None:
        """Answer a request; that must be accepted."""
        response = await post_answer(self.client, self.session, answer_to(request, **members))
        assert response.status_code == 200, response.text

    async def fork(self, message: str) -> None:
        """Make the branch `fork`."""
        body = {"fromMessageId": message, "newBranchId": "fork"}
        response = await self.client.http.post(f"{self.client.path(self.session)}/fork", json=body)
        assert response.status_code == 201, response.text

    async def interrupt(self, **wish: Any) -> None:
        """End the run, or a flow in it."""
        response = await self.client.http.post(f"{self.client.path(self.session)}/interrupt", json=wish)
        assert response.status_code == 202, response.text


async def _plain(scene: Scene, text: str) -> None:
    await scene.say(text)


async def _approved(scene: Scene, text: str) -> None:
    await scene.say(text)
    (request,) = await scene.asked()
    await scene.answer(request, approved=True)


async def _denied(scene: Scene, text: str) -> None:
    await scene.say(text)
    (request,) = await scene.asked()
    await scene.answer(request, approved=False)


async def _expired(scene: Scene, text: str) -> None:
    await scene.say(text, permissionTimeout="PT0.2S")


async def _remembered(scene: Scene, text: str) -> None:
    await scene.say(text)
    (request,) = await scene.asked()
    await scene.answer(request, approved=True, choice="allow_always")
    await scene.seen("BRANCH_RUN_COMPLETED")
    scene.position = (await scene.events())[-1]["eventId"]
    await scene.say(text)


async def _approved_one_after_the_other(scene: Scene, text: str) -> None:
    await scene.say(text)
    for done, request in enumerate(await scene.asked(3), 1):
        await scene.answer(request, approved=True)
        await scene.seen("TOOL_CALL_END", done)


async def _answered(scene: Scene, text: str) -> None:
    is_tool = text == "/client-tool"
    await scene.say(text, **({"clientToolInput": _TOOLS} if is_tool else {}))
    (request,) = await scene.asked()
    content = [{"type": "text", "text": "three lines"}]
    await scene.answer(request, **({"content": content} if is_tool else {"answer": "green"}))


async def _interrupted(scene: Scene, text: str) -> None:
    await scene.say(text)
    await (scene.seen("TEXT_DELTA") if text.startswith("/slow") else scene.asked())
    await scene.interrupt()


async def _interrupted_inside(scene: Scene, text: str) -> None:
    await scene.say(text)
    (request,) = await scene.asked()
    await scene.interrupt(eventFlowId=request["eventFlowId"])


async def _another_queued(scene: Scene, text: str) -> None:
    await scene.say(text)
    (request,) = await scene.asked()
    await scene.say("Hello", behavior="queue")
    await scene.answer(request, approved=True)
    await scene.seen("BRANCH_RUN_COMPLETED", 2)


async def _another_queued_and_removed(scene: Scene, text: str) -> None:
    await scene.say(text)
    (request,) = await scene.asked()
    queued = await scene.say("Hello", behavior="queue")
    path = f"{scene.client.path(scene.session)}/queue/{queued['runtimeRunId']}"
    assert (await scene.client.http.delete(path)).status_code == 204
    await scene.answer(request, approved=True)
    await scene.seen("BRANCH_RUN_COMPLETED", 2)


async def _another_interrupting(scene: Scene, text: str) -> None:
    await scene.say(text)
    await scene.asked()
    await scene.say("Hello", behavior="interrupt")
    await scene.seen("BRANCH_RUN_COMPLETED", 2)


async def _forked_and_continued(scene: Scene, text: str) -> None:
    await scene.say(text)
    await scene.seen("BRANCH_RUN_COMPLETED")
    await scene.fork(next(event["messageId"] for event in await scene.events() if event["type"] == "TOOL_CALL_START"))
    epoch = (await scene.client.position(scene.session, "fork")).partition(".")[0]
    scene.branch, scene.position = "fork", f"{epoch}.0"
    await scene.say("Hello")


async def _forked_and_approved(scene: Scene, text: str) -> None:
    accepted = await scene.say(text)
    (request,) = await scene.asked()
    await scene.fork(accepted["messageId"])
    await scene.answer(request, approved=True)


_PLAYS: Final[dict[str, Callable[[Scene, str], Awaitable[None]]]] = {
    "": _plain,
    "approved": _approved,
    "denied": _denied,
    "expired": _expired,
    "remembered": _remembered,
    "approved one after the other": _approved_one_after_the_other,
    "answered": _answered,
    "interrupted": _interrupted,
    "interrupted inside": _interrupted_inside,
    "another queued": _another_queued,
    "another queued and removed": _another_queued_and_removed,
    "another interrupting": _another_interrupting,
    "forked and continued": _forked_and_continued,
    "forked and approved": _forked_and_approved,
}


async def play(client: Client, title: str) -> list[dict[str, Any]]:
    """Do what a title says, on a branch of its own, and return the events once every run has ended."""
    text, _, what = title.partition(", ")
    session = await client.session()
    scene = Scene(client, session, await client.position(session))
    await _PLAYS[what](scene, text)
    await scene.seen("BRANCH_RUN_COMPLETED")
    return await scene.events()


def listed(events: Sequence[dict[str, Any]]) -> list[str]:
    """Write events as listings have them: what is nested is indented, and deltas in a row are one."""
    lines = ["  " * (event.get("metadata") or {}).get("depth", 0) + event["type"] for event in events]
    return [line for line, same in groupby(lines) for _ in ([0] if line.endswith("_DELTA") else same)]


def holds(lines: Sequence[str], listing: Sequence[str]) -> bool:
    """Say whether lines are those of a listing, in which `...` stands for any others."""
    pattern = "".join("(?:.*\n)*?" if line == "..." else f"{re.escape(line)}\n" for line in listing)
    return re.fullmatch(pattern, "".join(f"{line}\n" for line in lines)) is not None
