"""Clients that come back with a place of a life that is over, and the reckoning of what they are told."""

import random
from dataclasses import dataclass, field

from tests.harness.client import Client
from tests.harness.feed import Feed, Frame, completed, opened


@dataclass
class OldClient:
    """One that followed a branch; `places` are all ids that it was sent, from the opening on."""

    session: str
    places: list[str] = field(default_factory=list)


@dataclass
class Reckoning:
    """How many came back, how many of them were told at once, and what they were sent that is not so."""

    total: int = 0
    told: int = 0
    wrong: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return f"a7 {self.told} ok / {self.total} total, {len(self.wrong)} wrong events"


async def follow_runs(client: Client, old: OldClient, texts: list[str]) -> None:
    """Follow a branch from its beginning while inputs are done there, and remember every place."""
    async with client.feed(old.session) as feed:
        opening = await feed.frame()
        assert opening is not None
        assert opening.id is not None
        old.places.append(opening.id)
        for text in texts:
            await client.accepted(old.session, text)
            old.places += [str(frame.id) for frame in await feed.until(completed)]


async def come_back(
    client: Client, known: list[OldClient], reckoning: Reckoning, chance: random.Random, places: int
) -> None:
    """Come back with so many places of each, by header or query in turn, and compare with the log there is now."""
    chosen = [(old, place) for old in known for place in chance.sample(old.places, min(places, len(old.places)))]
    feeds = [
        client.feed(old.session, last_event_id=place) if index % 2 else client.feed(old.session, after=place)
        for index, (old, place) in enumerate(chosen)
    ]
    async with opened(feeds):
        openings = [(await feed.frame(), await feed.frame()) for feed in feeds]
        for old in known:
            await client.accepted(old.session, "/tokens 5")
        live = [await _until_completed(feed) for feed in feeds]
    logs = {old.session: await client.log(old.session) for old in known}
    for (old, place), (opening, reset), frames in zip(chosen, openings, live, strict=True):
        reckoning.total += 1
        now = {event["eventId"]: event for event in logs[old.session]}
        reckoning.told += _is_told(opening, reset, place, now)
        expected = [event for event in logs[old.session] if reset and _number(event["eventId"]) > _number(reset.id)]
        reckoning.wrong += [f"{old.session} {frame.id}" for frame in frames if now.get(frame.id or "") != frame.json]
        reckoning.wrong += [f"{old.session}: a hole"] if [frame.json for frame in frames] != expected else []


def _is_told(opening: Frame | None, reset: Frame | None, place: str, now: dict[str, object]) -> bool:
    if opening is None or reset is None or reset.data is None:
        return False
    told = reset.json
    return (
        (told["type"], told.get("reason"), told.get("requested")) == ("STREAM_RESET", "foreign", place)
        and opening.id == reset.id == told["latest"]
        and told["latest"] in now
    )


async def _until_completed(feed: Feed) -> list[Frame]:
    return await feed.until(completed, seconds=60)


def _number(place: str | None) -> int:
    return int(str(place).partition(".")[2])
