"""A long run arrives once and in order, and every way to read it gives the same bytes."""

import re

import pytest

from tests.following.log_bytes import LogBytes
from tests.harness.client import Client, split_array
from tests.harness.feed import COMPLETED

LENGTH = 2012
TOKENS = 2000


async def test_a_2000_token_run_arrives_once_and_in_order_while_it_streams(client: Client) -> None:
    session = await client.session()
    start = await client.position(session)

    async with client.feed(session, after=start) as feed:
        await client.accepted(session, f"/tokens {TOKENS}")
        received = await feed.read_through(COMPLETED)

    log = await LogBytes.of(client, session)
    assert received == log.stream_from(1)
    places = [int(seq) for seq in re.findall(rf"^id: {log.epoch}\.(\d+)$", received.decode(), re.MULTILINE)]
    assert places == list(range(1, LENGTH + 1))
    assert re.findall(r'"text":"(tok\d+ )"', received.decode()) == [f"tok{index} " for index in range(TOKENS)]


@pytest.mark.parametrize("under_agent", [False, True])
async def test_the_log_is_the_same_bytes_under_sessions_and_agents(
    client: Client, long_run: LogBytes, under_agent: bool
) -> None:
    text = await client.log_text(long_run.session, under_agent=under_agent)

    assert text == f"[{','.join(long_run.lines)}]"


@pytest.mark.parametrize("prefix", ["/sessions/{}", "/agents/demo/sessions/{}"])
@pytest.mark.parametrize("limit", [137, 503, 2011, 2012])
async def test_pages_along_the_link_header_give_the_same_bytes(
    client: Client, long_run: LogBytes, prefix: str, limit: int
) -> None:
    pages: list[list[str]] = []
    following: str | None = f"{prefix.format(long_run.session)}/branches/main/events?limit={limit}"

    while following is not None and len(pages) < LENGTH:
        response = await client.http.get(following)
        pages.append(split_array(response.text))
        following = response.links["next"]["url"] if "next" in response.links else None

    assert [line for page in pages for line in page] == long_run.lines
    assert {len(page) for page in pages[:-1]} <= {limit}
    assert len(pages) == -(-LENGTH // limit)


async def test_a_page_begins_behind_its_position_and_the_head_is_an_empty_page(
    client: Client, long_run: LogBytes
) -> None:
    middle = await client.log_text(long_run.session, query=f"?after={long_run.place(1000)}&limit=3")
    rest = await client.log_text(long_run.session, query=f"?after={long_run.place(2000)}")
    empty = await client.log_text(long_run.session, query=f"?after={long_run.place(LENGTH)}")
    absent = await client.log_text(long_run.session, query="?after=&limit=2")

    assert split_array(middle) == long_run.lines[1000:1003]
    assert split_array(rest) == long_run.lines[2000:]
    assert empty == "[]"
    assert split_array(absent) == long_run.lines[:2]


@pytest.mark.parametrize("limit", ["0", "-1", "10001", "x", "", "1.5", "%00", "9" * 400])
async def test_a_limit_out_of_range_is_a_problem(client: Client, long_run: LogBytes, limit: str) -> None:
    response = await client.http.get(f"/sessions/{long_run.session}/branches/main/events?limit={limit}")

    assert (response.status_code, response.json()["code"]) == (400, "invalid-request")
    assert response.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "after", ["x", "{epoch}.2013", "{epoch}.01", "{epoch}.-1", "{epoch}.", "0123456789ab.1", "%00", "a" * 5000]
)
async def test_a_position_that_cannot_be_read_from_is_a_problem_that_names_the_ends(
    client: Client, long_run: LogBytes, after: str
) -> None:
    asked = after.format(epoch=long_run.epoch)

    response = await client.http.get(f"/sessions/{long_run.session}/branches/main/events?after={asked}&limit=5")

    problem = response.json()
    assert (response.status_code, problem["code"]) == (400, "invalid-position")
    assert (problem["earliest"], problem["latest"]) == (long_run.place(0), long_run.place(LENGTH))
    assert len(problem["detail"]) < 300
