"""D11: limits, offsets, cursors and filters that are nonsense or attacks are refused, or served, at once."""

import json
from time import perf_counter

import httpx
import pytest

from tests.edge.problem import problem
from tests.harness.client import Client

AT_MOST_SECONDS = 0.2
TRIES = 5

NUMBERS = ("1000000000", "-1", "0x10", "1e-3", "1_000", "٣", "NaN", "9" * 5000, "1;DROP TABLE sessions", " ", "1,2")
FORGED = (
    "{epoch}.2",
    "{epoch}.999999999999999999",
    "{epoch}.9999999999999999999999",
    "{epoch}.-1",
    "{epoch}.01",
    "{epoch}.1.1",
    "{epoch}.٣",
    "{epoch}. 1",
    "{epoch}.1\n",
    "{other}.1",
    "000000000000.0",
    "{upper}.1",
    "' OR 1=1 --",
    "%",
    "../../etc/passwd",
    "\x00",
    "9" * 5000,
    "{epoch}." + "9" * 5000,
)
REGULAR_EXPRESSIONS = ("(a+)+$", "(.*a){30}", "%" * 5000, "_" * 5000, "\\" * 5000, "$.a.b", "' OR 1=1 --", "*" * 5000)


async def fastest(client: Client, method: str, path: str, **request: object) -> tuple[httpx.Response, float]:
    """Return an answer, and how long it took: the machine may have other things to do, but not every time."""
    took = []
    for _ in range(TRIES):
        began = perf_counter()
        response = await client.http.request(method, path, **request)  # type: ignore[arg-type]
        took.append(perf_counter() - began)
        if took[-1] <= AT_MOST_SECONDS:
            break
    return response, min(took)


@pytest.mark.parametrize("name", ["limit", "offset"])
async def test_a_number_that_is_none_or_too_large_is_refused_at_once(edge: Client, name: str) -> None:
    # An offset that is too large is no mistake: there is nothing there.
    for number in NUMBERS[name == "offset" :]:
        response, seconds = await fastest(edge, "GET", "/sessions", params={name: number})

        assert (number, problem(response)["code"]) == (number, "invalid-request")
        assert (number, seconds <= AT_MOST_SECONDS) == (number, True)


async def test_the_limit_of_a_log_is_held_to(edge: Client) -> None:
    session = await edge.session()
    for number in NUMBERS:
        path = f"/sessions/{session}/branches/main/events"
        response, seconds = await fastest(edge, "GET", path, params={"limit": number})

        assert (number, problem(response)["code"]) == (number, "invalid-request")
        assert (number, seconds <= AT_MOST_SECONDS) == (number, True)


async def test_a_forged_cursor_is_refused_at_once(edge: Client) -> None:
    session = await edge.session()
    epoch, other = [(await edge.position(one)).partition(".")[0] for one in (session, await edge.session())]
    for form in FORGED:
        cursor = form.format(
            epoch=epoch, other=other, upper=epoch.upper() if epoch.upper() != epoch else "ABCDEF123456"
        )
        path = f"/sessions/{session}/branches/main/events"
        response, seconds = await fastest(edge, "GET", path, params={"after": cursor})

        document = problem(response)
        assert (cursor, document["code"]) == (cursor, "invalid-position")
        assert (document["earliest"], document["latest"]) == (f"{epoch}.0", f"{epoch}.1")
        assert (cursor, seconds <= AT_MOST_SECONDS) == (cursor, True)


@pytest.mark.parametrize(
    "body",
    [
        {"limit": 10**9},
        {"limit": -1},
        {"limit": "10"},
        {"limit": 10**400},
        {"offset": -1},
        {"offset": 10**400},
        {"offset": 1.5},
        {"metadata": []},
        {"metadata": "x"},
    ],
    ids=lambda body: json.dumps(body)[:30],
)
async def test_a_search_that_makes_no_sense_is_refused_at_once(edge: Client, body: dict[str, object]) -> None:
    response, seconds = await fastest(edge, "POST", "/sessions/search", json=body)

    assert problem(response)["code"] == "invalid-request"
    assert seconds <= AT_MOST_SECONDS


async def test_a_search_takes_what_it_looks_for_as_it_is(edge: Client) -> None:
    text = "a" * 5000
    created = await edge.http.post("/sessions", json={"metadata": {"text": text}})
    assert created.status_code == 201

    for expression in REGULAR_EXPRESSIONS:
        for metadata in ({"text": expression}, {expression: "x"}):
            response, seconds = await fastest(edge, "POST", "/sessions/search", json={"metadata": metadata})

            assert (response.status_code, response.json()) == (200, [])
            assert (expression, seconds <= AT_MOST_SECONDS) == (expression, True)
    found = await edge.http.post("/sessions/search", json={"metadata": {"text": text}})
    assert created.json()["id"] in [session["id"] for session in found.json()]


async def test_the_largest_offset_is_served_at_once(edge: Client) -> None:
    response, seconds = await fastest(edge, "GET", "/sessions", params={"limit": 200, "offset": 2**53})

    assert (response.status_code, response.json()) == (200, [])
    assert seconds <= AT_MOST_SECONDS
