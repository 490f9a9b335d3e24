"""HEAD is GET without a body, and what a route answers is told by OPTIONS and by every refusal of a method."""

import re

import pytest

from tests.edge.wire import Wire
from tests.harness.client import Client
from tests.harness.process import ServerProcess

PATHS = (
    "/healthz",
    "/readyz",
    "/openapi.json",
    "/sessions?limit=1",
    "/sessions/{session}",
    "/sessions/none",
    "/nowhere",
    "/agents/demo/sessions/{session}/branches/main/events",
    "/agents/demo/sessions/{session}/branches/main/ws",
)
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


@pytest.mark.parametrize("path", PATHS)
async def test_head_is_what_get_is_without_its_body(plain_edge: Client, path: str) -> None:
    path = path.format(session=await plain_edge.session())

    whole = await plain_edge.http.get(path)
    head = await plain_edge.http.head(path)

    assert (head.status_code, head.content) == (whole.status_code, b"")
    assert _lasting(head.headers) == _lasting(whole.headers)


async def test_head_of_a_live_feed_ends_and_keeps_nobody(plain_edge: Client) -> None:
    session = await plain_edge.session()

    async with Wire(plain_edge.base) as wire:
        head = await wire.request("HEAD", f"{plain_edge.path(session)}/events/live")
        after = await wire.request("GET", "/healthz")

    assert head.status == 200
    assert head.headers["content-type"].startswith("text/event-stream")
    assert (after.status, after.body) == (200, b'{"status":"ok"}')


async def test_head_of_a_route_that_has_no_get_is_405(plain_edge: Client) -> None:
    session = await plain_edge.session()

    response = await plain_edge.http.head(f"{plain_edge.path(session)}/inputs")

    assert (response.status_code, response.content) == (405, b"")
    assert response.headers["allow"] == "OPTIONS, POST"


async def test_every_refusal_of_a_method_names_the_methods_that_are_answered(plain_server: ServerProcess) -> None:
    wrong = []

    async with Client(plain_server.url) as client:
        for path in (await client.http.get("/openapi.json")).json()["paths"]:
            url = re.sub(r"\{\w+\}", "none", path)
            allowed = (await client.http.options(url)).headers["allow"]
            for method in METHODS:
                response = await client.http.request(method, url, content=b"no JSON")
                refused = response.status_code == 405
                if refused == (method in allowed.split(", ")):
                    wrong.append(f"{method} {url} is {response.status_code}, and OPTIONS says {allowed}")
                if refused and response.headers["allow"] != allowed:
                    wrong.append(f"{method} {url} says {response.headers['allow']}, and OPTIONS says {allowed}")

    assert wrong == []


def _lasting(headers: object) -> list[tuple[str, str]]:
    assert hasattr(headers, "items")
    return sorted((name, value) for name, value in headers.items() if name not in {"date", "transfer-encoding"})
