"""A6: a position that cannot be followed from is answered by a reset or refused, on every way that a client has."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Final
from urllib.parse import quote

import pytest

from hosting.adapters.files.key_file import ensure_key_file
from hosting.domain.identity import Role
from tests.harness.client import Client
from tests.harness.feed import Feed
from tests.harness.process import ServerProcess
from tests.harness.tally import Tally
from tests.harness.trimmed import is_trimmed, log_once
from tests.identity.office import Office
from tests.interrupt.talk import Talk as Talking
from tests.sockets.talk import Talk

Make = Callable[..., ServerProcess]

MILLISECOND_IN_DAYS: Final = 0.00000001

MALFORMED: Final = {
    "nonsense": "nonsense",
    "10 kB": "a" * 10_000,
    "10 kB of digits": "{epoch}." + "1" * 10_000,
    "negative": "{epoch}.-1",
    "signed": "{epoch}.+1",
    "2^63": "{epoch}.9223372036854775808",
    "2^64": "{epoch}.18446744073709551616",
    "leading zeros": "{epoch}.01",
    "no number": "{epoch}.",
    "no dot": "{epoch}",
    "no epoch": ".1",
    "only a number": "1",
    "only a dot": ".",
    "two numbers": "{epoch}.1.1",
    "decimal": "{epoch}.1.0",
    "exponent": "{epoch}.1e0",
    "hexadecimal": "{epoch}.0x1",
    "underscore": "{epoch}.1_0",
    "space within": "{epoch}. 1",
    "emoji": "😀",
    "emoji behind": "{epoch}.1😀",
    "other digits": "{epoch}.١",
    "short epoch": "0123456789a.1",
    "long epoch": "0123456789abc.1",
    "epoch in capitals": "0123456789AB.1",
    "JSON": '{{"a":1}}',
    "SQL": "' OR 1=1 --",
    "a path": "../../etc/passwd",
}
FOREIGN: Final = {
    "another branch's": "{branch}",
    "another session's": "{session}",
    "another tenant's": "{tenant}",
    "a deleted branch's": "{deleted}",
    "nobody's": "0123456789ab.1",
}
FUTURE: Final = {"one ahead": "{epoch}.2", "far ahead": "{epoch}.999999999999999999"}
# What no header may hold, the server's parser refuses before anybody looks at it.
NO_HEADER: Final = {
    "NUL": "\0",
    "NUL behind": "{epoch}.1\0",
    "line feed": "{epoch}.1\nx",
    "carriage return": "{epoch}.1\rdata: x",
}


LIVE: Final = "BRANCH_RUN_STARTED"


class ByQuery:
    """Follows with the position as `after`."""

    def __init__(self, client: Client, session: str, text: str) -> None:
        self._feed = self.opened_by(client, session, text)

    def opened_by(self, client: Client, session: str, text: str) -> Feed:
        """Return who follows."""
        return client.feed(session, after=quote(text, safe=""))

    async def begin(self) -> list[object]:
        """Follow, and return the status and what the reset says."""
        await self._feed.__aenter__()
        if self._feed.status != 200:
            return [self._feed.status]
        frame = await self._feed.event()
        assert frame is not None
        return [200, *_told(frame.json)]

    async def live(self) -> list[object]:
        """Return the first event behind the reset, if there was one."""
        if self._feed.status != 200:
            return []
        frame = await self._feed.event()
        return [] if frame is None else [frame.json["type"]]

    def leave(self) -> None:
        """Cut the connection."""
        self._feed.cut()


class ByHeader(ByQuery):
    """Follows with the position as Last-Event-ID."""

    def opened_by(self, client: Client, session: str, text: str) -> Feed:
        return client.feed(session, last_event_id=text)


class BySocket:
    """Follows on a WebSocket."""

    def __init__(self, client: Client, session: str, text: str) -> None:
        self._talk = Talk(client, session, after=quote(text, safe=""))

    async def begin(self) -> list[object]:
        """Follow, and return the status and what the reset says."""
        await self._talk.__aenter__()
        return [200, *_told(await self._talk.frame())]

    async def live(self) -> list[object]:
        """Return the first event behind the reset."""
        return [(await self._talk.frame())["type"]]

    def leave(self) -> None:
        """Cut the connection."""
        self._talk.cut()


WAYS: Final[tuple[type[ByQuery] | type[BySocket], ...]] = (ByQuery, ByHeader, BySocket)


def _told(reset: dict[str, object]) -> list[object]:
    return [reset.get("reason", reset["type"]), reset.get("earliest"), reset.get("latest")]


@pytest.fixture
def office(make_server: Make, database_url: str, tmp_path: Path) -> Office:
    """A server that has keys, so that there can be another tenant."""
    ensure_key_file(tmp_path / "keys")
    return Office(make_server(database_url, key_file=tmp_path / "keys").start(), tmp_path / "keys")


async def test_a6_every_position_that_cannot_be_followed_from_is_defined_on_every_way(office: Office) -> None:
    tally = Tally("a6")
    async with Client(office.server.url) as client:
        session = await client.session()
        places = await _places(client, office, session)
        asked = [("malformed", name, text) for name, text in (MALFORMED | NO_HEADER).items()]
        asked += [("foreign", name, text) for name, text in FOREIGN.items()]
        asked += [("future", name, text) for name, text in FUTURE.items()]
        trials = [(reason, name, text.format(**places)) for reason, name, text in asked]

        listeners = [way(client, session, text) for way in WAYS for _, _, text in trials]
        openings = await asyncio.gather(*(listener.begin() for listener in listeners))
        await client.accepted(session, "Hi")
        lives = await asyncio.gather(*(listener.live() for listener in listeners))
        for listener in listeners:
            listener.leave()

    heard = iter([opening + live for opening, live in zip(openings, lives, strict=True)])
    for way in WAYS:
        for reason, name, _ in trials:
            is_no_header = way is ByHeader and name in NO_HEADER
            expected = [400] if is_no_header else [200, reason, f"{places['epoch']}.0", places["head"], LIVE]
            told = next(heard)
            tally.add(*([] if told == expected else [f"{name} {way.__name__}: {told} instead of {expected}"]))
    tally.close(f"{len(trials)} positions, three ways")


async def test_a6_positions_that_were_trimmed_are_told_so_on_every_way(make_server: Make, database_url: str) -> None:
    tally = Tally("a6")
    server = make_server(database_url, retention_days=MILLISECOND_IN_DAYS, retention_sweep_seconds=0.2).start()
    async with Client(server.url) as client:
        talk = await Talking.begin(client)
        await client.ended(talk.session, (await talk.say("Hi"))["runtimeRunId"])
        # What a run that waits has written is never trimmed.
        await talk.say("/permission")
        (question,) = await talk.asked()
        log = await log_once(client, talk.session, lambda log: bool(log) and is_trimmed(log))
        epoch, _, first = log[0]["eventId"].partition(".")
        texts = [f"{epoch}.{seq}" for seq in (0, 1, int(first) - 2)]
        listeners = [way(client, talk.session, text) for way in WAYS for text in texts]
        openings = await asyncio.gather(*(listener.begin() for listener in listeners))
        await talk.answer(question, approved=True)
        lives = await asyncio.gather(*(listener.live() for listener in listeners))
        for listener in listeners:
            listener.leave()

    expected = [200, "trimmed", f"{epoch}.{int(first) - 1}", log[-1]["eventId"], "PERMISSION_RESPONSE"]
    for opening, live in zip(openings, lives, strict=True):
        tally.add(*([] if opening + live == expected else [f"{opening + live} instead of {expected}"]))
    tally.close("trimmed positions, three ways")


async def _places(client: Client, office: Office, session: str) -> dict[str, str]:
    head = await client.position(session)
    branch = await client.position(session, await client.branch(session, "other"))
    deleted = await client.position(session, await client.branch(session, "gone"))
    assert (await client.http.delete(f"/sessions/{session}/branches/gone")).status_code == 204
    async with office.client(await office.key("elsewhere", Role.USER)) as http:
        theirs = str((await http.post("/sessions", json={})).json()["id"])
        tenant = (await http.get(f"/sessions/{theirs}/branches/main/events")).json()[-1]["eventId"]
    return {
        "epoch": head.split(".")[0],
        "head": head,
        "branch": branch,
        "session": await client.position(await client.session()),
        "tenant": str(tenant),
        "deleted": deleted,
    }
