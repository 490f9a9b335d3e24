"""A client's hands: requests to one server, and the events of its branches."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Final, Self
from urllib.parse import quote

import msgspec

from events.branches import MessageStarted
from events.catalog import Catalog
from events.event import Event
from events.ids import MAIN_BRANCH, BranchId, ContentId, MessageId, RunId, SessionId
from events.inputs import Input
from events.interactions import Response
from events.queue import BranchQueueUpdated, QueueItem
from events.runs import BranchRunCompleted, BranchRunStarted
from events.serializer import Serializer
from hosting.client.accepted import Accepted
from hosting.client.address import BranchAddress
from hosting.client.answer import check_answer, read_answer
from hosting.client.connection import Connection
from hosting.client.contents import Content, delete, download, listed, upload
from hosting.client.errors import Problem
from hosting.client.feed import Feed, OnCut
from hosting.client.forked import Forked
from hosting.client.interaction import Interaction, ListedInteraction
from hosting.client.interrupting import Interrupting
from hosting.client.known_agent import KnownAgent
from hosting.client.patience import Patience
from hosting.client.received import Received
from hosting.client.responded import Responded
from hosting.client.tree_branch import TreeBranch

_PAGE: Final = 200


class _Session(msgspec.Struct):
    id: SessionId


class _Branch(msgspec.Struct):
    id: str


class _Queue(msgspec.Struct):
    items: tuple[QueueItem, ...]


class _Tree(msgspec.Struct):
    branches: tuple[TreeBranch, ...]


class Client:
    """Speaks to one server; `async with` closes its connections.

    Custom events come decoded when the catalog given knows them, and as their JSON in any case.

    What creates or starts something has one effect, however often it takes to hear of it: each call goes under a key of
    its own (docs/how-to/send-again-safely.md), and is sent again while its answer is lost or the server cannot answer
    now, as often as `Patience.sends` allows. Who calls again after that, says the same `idempotency_key` both times.

    Every request raises these, beside what it names itself:
        ServerUnreachable: no connection came about.
        AnswerLost: the connection broke before the answer; whether the request was done is not known.
        Problem: the server refused.
        AnswerUnreadable: what answers is no server of Branchline's.
    """

    def __init__(
        self, url: str, *, key: str | None = None, patience: Patience | None = None, catalog: Catalog | None = None
    ) -> None:
        """Prepare to speak to the server at `url`; no connection is made yet.

        `key` shows the server who is asking; one on this machine wants none.

        Raises:
            AddressRefused: the URL is no address of a server.
            KeyRefused: the key cannot be one.
        """
        self._patience = patience or Patience()
        self._serializer = Serializer(catalog or Catalog.standard())
        self._connection = Connection(url, key, self._patience)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._connection.close()

    async def agents(self) -> list[KnownAgent]:
        """Return the agents of the server, those that it was started with first."""
        found: list[KnownAgent] = []
        while True:
            page = await self._connection.get(f"/agents?limit={_PAGE}&offset={len(found)}", list[KnownAgent])
            found += page
            if len(page) < _PAGE:
                return found

    async def ensure_session(
        self, session_id: SessionId | None = None, *, idempotency_key: str | None = None
    ) -> SessionId:
        """Return a session that exists: the one named, made if need be, or without an id a new one."""
        body = {} if session_id is None else {"sessionId": session_id}
        try:
            return (await self._connection.create("/sessions", body, _Session, idempotency_key)).id
        except Problem as problem:
            if problem.code != "session-exists" or session_id is None:
                raise
            return session_id

    async def ensure_branch(self, at: BranchAddress, *, idempotency_key: str | None = None) -> None:
        """Make sure that the branch exists in its session; `main` always does."""
        if at.branch_id == MAIN_BRANCH:
            return
        try:
            await self._connection.create(at.branches, {"branchId": at.branch_id}, _Branch, idempotency_key)
        except Problem as problem:
            if problem.code != "branch-exists":
                raise

    async def fork(
        self,
        at: BranchAddress,
        message_id: MessageId,
        branch_id: BranchId | None = None,
        *,
        name: str | None = None,
        description: str | None = None,
        idempotency_key: str | None = None,
    ) -> Forked:
        """Make a branch that begins with the messages up to and with one that has ended; without an id it gets one."""
        given = {"fromMessageId": message_id, "newBranchId": branch_id, "name": name, "description": description}
        return await self._connection.create(f"{at.path}/fork", _given(given), Forked, idempotency_key)

    async def tree(self, session_id: SessionId) -> tuple[TreeBranch, ...]:
        """Return the branches of a session, in order of creation."""
        return read_answer(await self._connection.request("GET", f"{_path(session_id)}/tree"), _Tree).branches

    async def delete_branch(self, at: BranchAddress, *, recursive: bool = False, force: bool = False) -> None:
        """Delete a branch, with `recursive` its forks too; with `force` what runs there is interrupted first.

        An agent that does not hear of the interrupt may take longer to end than an answer may (`Patience.answer`).
        """
        wish = _wish(recursive=recursive, force=force)
        path = f"{_path(at.session_id)}/branches/{quote(at.branch_id, safe='')}"
        check_answer(await self._connection.request("DELETE", path + wish))

    async def delete_session(self, session_id: SessionId, *, force: bool = False) -> None:
        """Delete a session with all its branches; with `force` what runs there is interrupted first."""
        check_answer(await self._connection.request("DELETE", _path(session_id) + _wish(force=force)))

    async def submit(self, at: BranchAddress, received: Input, *, idempotency_key: str | None = None) -> Accepted:
        """Submit an input; when this returns, the server has stored it and will answer it.

        Raises:
            UnicodeEncodeError: the input holds text that is not Unicode.
        """
        body = {"type": received.wire_type, **_members(received)}
        return await self._connection.create(f"{at.path}/inputs", body, Accepted, idempotency_key)

    def follow(
        self, at: BranchAddress, *, after: str | None = None, on_cut: OnCut | None = None
    ) -> AsyncGenerator[Received]:
        """Yield every event of the branch's log behind `after`, or from now on, once and in order, without an end.

        A cut connection is made again from the last place reached, after the pause that the server asks for; `on_cut`
        is told why each time. Close the generator (`contextlib.aclosing`) to leave.

        Raises:
            FeedLost: too many connections in a row brought nothing.
            PlaceLost: the log has no such place, or no longer.
            Problem, AnswerUnreadable: the branch is not there, or no more, or what answers is no server.
        """
        return Feed(self._connection.http, self._serializer, at, self._patience, after=after, on_cut=on_cut).events()

    async def follow_run(
        self, at: BranchAddress, accepted: Accepted, *, on_cut: OnCut | None = None
    ) -> AsyncGenerator[Received]:
        """Yield the events of an accepted input's run, from its first to its BRANCH_RUN_COMPLETED; see `follow`.

        Of an input that waits, its places in the queue (BRANCH_QUEUE_UPDATED) come first. One that was added to a run
        which a worker has brings the rest of that run, from its own message on.
        """
        began = False
        async with aclosing(self.follow(at, after=accepted.position, on_cut=on_cut)) as events:
            async for received in events:
                event = received.event
                ours = getattr(event, "runtime_run_id", None) == accepted.runtime_run_id
                # A queued run's own events begin later, behind those of the runs before it.
                began = began or (ours and isinstance(event, BranchRunStarted | BranchRunCompleted))
                began = began or (isinstance(event, MessageStarted) and event.message_id == accepted.message_id)
                if began or _waits(event, accepted.runtime_run_id):
                    yield received
                if ours and isinstance(event, BranchRunCompleted):
                    return

    async def respond(self, at: BranchAddress, response: Response, *, idempotency_key: str | None = None) -> Responded:
        """Answer a question of the branch's run; when this returns, the answer counts and is stored.

        Raises:
            ResponseRefused: the answer counts for nothing; `outcome` says why.
            NotAnEvent: the client's catalog does not know the class of the response.
            UnicodeEncodeError: the answer holds text that is not Unicode.
        """
        name = self._serializer.catalog.name_of(type(response))
        body = {"type": name, **_members(response)}
        return await self._connection.create(f"{at.path}/responses", body, Responded, idempotency_key)

    async def interrupt(
        self,
        at: BranchAddress,
        reason: str | None = None,
        *,
        event_flow_id: str | None = None,
        idempotency_key: str | None = None,
    ) -> Interrupting:
        """Ask for the end of the branch's active run, or of the event flow named; when this returns, it is stored.

        With the flow of the run's turn, as its events carry it, no other run can be meant: not the next one either.
        """
        body = _given({"reason": reason, "eventFlowId": event_flow_id})
        return await self._connection.create(f"{at.path}/interrupt", body, Interrupting, idempotency_key)

    async def rate(self, at: BranchAddress, run_id: RunId, rating: float) -> None:
        """Say how good a run was that has ended, from 0 to 1: once, and the same again changes nothing."""
        path = f"{at.path}/runs/{quote(run_id, safe='')}/rating"
        check_answer(await self._connection.request("POST", path, msgspec.json.encode({"rating": rating})))

    async def interactions(self, at: BranchAddress) -> list[Interaction]:
        """Return the questions that wait for an answer, oldest first."""
        response = await self._connection.request("GET", f"{at.path}/interactions")
        return [listed.read(self._serializer) for listed in read_answer(response, list[ListedInteraction])]

    async def queue(self, at: BranchAddress) -> tuple[QueueItem, ...]:
        """Return the inputs that wait for the branch, the next one first."""
        return read_answer(await self._connection.request("GET", f"{at.path}/queue"), _Queue).items

    async def remove_queued(self, at: BranchAddress, run_id: RunId) -> None:
        """Take an input out of the queue; when this returns, it never runs."""
        check_answer(await self._connection.request("DELETE", f"{at.path}/queue/{quote(run_id, safe='')}"))

    async def upload(
        self, at: BranchAddress, file: Path | BinaryIO, *, name: str | None = None, content_type: str | None = None
    ) -> Content:
        """Upload a file through a branch; when this returns, it is stored, and messages can refer to its `uri`.

        It is read piece by piece. Its type is guessed by its name when it is not said.
        """
        return await upload(self._connection, at, file, name, content_type)

    async def contents(self, at: BranchAddress) -> list[Content]:
        """Return what was uploaded through a branch, the oldest first."""
        return await listed(self._connection, at)

    def download(self, at: BranchAddress, content_id: ContentId) -> AsyncGenerator[bytes]:
        """Yield the bytes of an uploaded file, whichever branch of the session it came through.

        When it ends without an error, these are all. Close the generator (`contextlib.aclosing`) to leave before.
        """
        return download(self._connection, at, content_id)

    async def delete_content(self, at: BranchAddress, content_id: ContentId) -> None:
        """Delete an uploaded file; messages that refer to it stay, and models are told that it is gone."""
        await delete(self._connection, at, content_id)


def _path(session_id: SessionId) -> str:
    return f"/sessions/{quote(session_id, safe='')}"


def _wish(**wanted: bool) -> str:
    return "".join(f"{'&' if index else '?'}{name}=true" for index, name in enumerate(filter(wanted.get, wanted)))


def _given(members: dict[str, str | None]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}


def _waits(event: Event | None, run_id: RunId) -> bool:
    if not isinstance(event, BranchQueueUpdated):
        return False
    return event.runtime_run_id == run_id or any(item.runtime_run_id == run_id for item in event.items)


def _members(given: Input | Response) -> dict[str, Any]:
    """Return what was given of an input or an answer, by its names on the wire."""
    members = {field.encode_name: getattr(given, field.name) for field in msgspec.structs.fields(given)}
    return {name: value for name, value in members.items() if value is not None and value != msgspec.Raw()}
