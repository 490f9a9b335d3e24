"""A position that cannot be followed from is answered by a reset, and the stream goes on live."""

import asyncio
from urllib.parse import quote, unquote

import pytest

from tests.harness.client import Client
from tests.harness.feed import Frame, completed, opened
from tests.runs.written import named

NOT_POSITIONS = {
    "nonsense": "nonsense",
    "5 000 characters": "a" * 5000,
    "a very long number": "{epoch}." + "1" * 4000,
    "no number": "{epoch}.",
    "no dot": "{epoch}",
    "no epoch": ".1",
    "only a number": "1",
    "only a dot": ".",
    "negative": "{epoch}.-1",
    "signed": "{epoch}.%2B1",
    "leading zeros": "{epoch}.01",
    "many zeros": "{epoch}.000",
    "2^63": "{epoch}.9223372036854775808",
    "2^64": "{epoch}.18446744073709551616",
    "space before": "%20{epoch}.1",
    "space after": "{epoch}.1%20",
    "space within": "{epoch}.%201",
    "line feed after": "{epoch}.1%0A",
    "carriage return": "{epoch}.1%0D%0Adata:%20x",
    "NUL": "%00",
    "NUL after": "{epoch}.1%00",
    "emoji": "%F0%9F%98%80",
    "other digits": "{epoch}.%D9%A1",
    "not UTF-8": "%FF%FE",
    "surrogate": "%ED%A0%80",
    "underscore": "{epoch}.1_0",
    "exponent": "{epoch}.1e0",
    "decimal": "{epoch}.1.0",
    "hexadecimal": "{epoch}.0x1",
    "epoch too short": "0123456789a.1",
    "epoch too long": "0123456789abc.1",
    "epoch in capitals": "0123456789AB.1",
    "JSON": "%7B%22a%22%3A1%7D",
}
FOREIGN = {
    "another branch's": "{other}",
    "another life's": "0123456789ab.1",
    "the beginning of another": "{elsewhere}.0",
}
FUTURE = {"one ahead": "{epoch}.2", "far ahead": "{epoch}.999999999999999999"}


async def test_every_bad_position_is_reset_with_its_reason_and_goes_on_live(client: Client) -> None:
    session = await client.session()
    latest = await client.position(session)
    epoch = latest.split(".")[0]
    other = await client.position(session, await client.branch(session, "other"))
    kinds = [("malformed", NOT_POSITIONS), ("foreign", FOREIGN), ("future", FUTURE)]
    asked = [
        (reason, name, text.format(epoch=epoch, other=other, elsewhere=other.split(".")[0]))
        for reason, texts in kinds
        for name, text in texts.items()
    ]
    feeds = [client.feed(session, after=text) for _, _, text in asked]

    async with opened(feeds):
        openings = [(await feed.frame(), await feed.frame()) for feed in feeds]
        await client.accepted(session, "Hi")
        live = await asyncio.gather(*(feed.until(completed) for feed in feeds))

    log = await client.log_lines(session)
    assert {feed.status for feed in feeds} == {200}
    for (reason, name, text), (opening, reset), frames in zip(asked, openings, live, strict=True):
        requested = unquote(text, errors="replace")
        assert opening == Frame(id=latest, retry="2000"), name
        assert reset is not None, name
        assert (reset.id, reset.event, reset.retry) == (latest, None, None), name
        members = {"type", "reason", "requested", "earliest", "latest"}
        assert {member: reset.json[member] for member in members} == {
            "type": "STREAM_RESET",
            "reason": reason,
            "requested": requested[:100],
            "earliest": f"{epoch}.0",
            "latest": latest,
        }, name
        assert [frame.data for frame in frames] == log[1:], name


@pytest.mark.parametrize(
    ("asked", "reason", "requested"),
    [
        ("nonsense", "malformed", "nonsense"),
        ("a" * 5000, "malformed", "a" * 100),
        ("😀", "malformed", "😀".encode().decode("latin-1")),
        ("%00", "malformed", "%00"),
        ("0123456789ab.1", "foreign", "0123456789ab.1"),
    ],
)
async def test_a_bad_last_event_id_is_reset_even_beside_a_good_after(
    client: Client, asked: str, reason: str, requested: str
) -> None:
    session = await client.session()
    latest = await client.position(session)

    async with client.feed(session, after=latest, last_event_id=asked) as feed:
        opening, reset = await feed.frame(), await feed.frame()
        await client.accepted(session, "Hi")
        live = await feed.until(completed)

    assert opening == Frame(id=latest, retry="2000")
    assert reset is not None
    assert (reset.id, reset.json["reason"], reset.json["requested"]) == (latest, reason, requested)
    assert [frame.data for frame in live] == (await client.log_lines(session))[1:]


async def test_a_reset_is_these_bytes_and_not_in_the_log(client: Client) -> None:
    session = await client.session()
    latest = await client.position(session)

    async with client.feed(session, after="nonsense") as feed:
        received = await feed.read_through(b"STREAM_RESET")

    data = (
        '{"version":"1.0","type":"STREAM_RESET","timestamp":"TIME","sessionId":"ses_1","branchId":"main",'
        '"channel":"control","kind":"control","reason":"malformed","requested":"nonsense",'
        '"earliest":"EPOCH.0","latest":"EPOCH.1"}'
    )
    expected = f"retry: 2000\nid: EPOCH.1\n\nid: EPOCH.1\ndata: {data}\n\n"
    assert "".join(named([received.decode().replace(latest.split(".")[0], "EPOCH")])) == expected
    assert len(await client.log_lines(session)) == 1


@pytest.mark.parametrize("place", ["0", "1"])
async def test_the_beginning_and_the_head_are_good_positions(client: Client, place: str) -> None:
    session = await client.session()
    epoch = (await client.position(session)).split(".")[0]

    async with client.feed(session, after=f"{epoch}.{place}") as feed:
        opening = await feed.frame()
        await client.accepted(session, "Hi")
        frames = await feed.until(completed)

    assert opening == Frame(id=f"{epoch}.{place}", retry="2000")
    assert [frame.data for frame in frames] == (await client.log_lines(session))[int(place) :]


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/agents/none/sessions/none/branches/none", "agent-not-found"),
        ("/agents/none/sessions/{session}/branches/main", "agent-not-found"),
        ("/agents/demo/sessions/none/branches/none", "session-not-found"),
        ("/agents/demo/sessions/none/branches/main", "session-not-found"),
        ("/agents/demo/sessions/{session}/branches/none", "branch-not-found"),
    ],
)
@pytest.mark.parametrize("after", ["", "nonsense"])
async def test_what_is_not_there_is_a_problem_before_any_header_of_a_stream(
    client: Client, path: str, code: str, after: str
) -> None:
    session = await client.session()

    response = await client.http.get(f"{path.format(session=quote(session))}/events/live?after={after}")

    assert (response.status_code, response.json()["code"]) == (404, code)
    assert response.headers["content-type"] == "application/problem+json"
