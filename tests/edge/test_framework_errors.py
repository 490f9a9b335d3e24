"""What the framework refuses comes out as problem documents too, and no path or query is a server error."""

import httpx
import pytest
from litestar import get

from hosting import create_app
from hosting.adapters.agents.demo import DemoAgent
from hosting.settings import Settings
from tests.edge.in_process import in_process
from tests.edge.problem import problem
from tests.edge.wire import Wire
from tests.harness.client import Client

PATHS = (
    "/sessions/%00",
    "/sessions/%zz",
    "/sessions/%",
    "/sessions/%ff%fe",
    "/sessions/%ed%a0%80",
    "/sessions/..",
    "/sessions/%2e%2e",
    "/sessions/%2e%2e%2f%2e%2e%2fetc%2fpasswd",
    "/sessions/a%2fb",
    "/sessions/a%0d%0aSet-Cookie:%20x",
    "/sessions/%f0%9f%98%80",
    f"/sessions/{'x' * 20_000}",
    "/sessions/'%20OR%201=1--",
    "/sessions/none/branches",
    "/sessions/none/branches/%00/runs",
    "/agents/%00/sessions/none/branches/none/runs",
    f"/agents/{'x' * 20_000}/sessions/none/branches/none",
    "/agents/demo/sessions/{session}/branches/%00",
    "/agents/demo/sessions/{session}/branches/main/runs/%00",
    "/agents/demo/sessions/{session}/branches/main/runs/..",
    "/sessions/{session}/branches/main/runs/none",
    f"/sessions/{{session}}/branches/main/runs/{'x' * 20_000}",
    "/sessions/{session}/branches/%00/events",
    "/agents/demo/sessions/{session}/branches/%00/events/live",
    "/nowhere",
    "/nowhere/" * 500,
    "/openapi.json/more",
    "/openapi.yaml",
    "/schema",
    "/.git/config",
    "/",
    "//",
    "/agents//sessions//branches//inputs",
)

QUERIES = (
    "limit=0",
    "limit=201",
    "limit=-1",
    "limit=",
    "limit=ten",
    "limit=1.5",
    "limit=%00",
    "limit=99999999999999999999999",
    f"limit={'9' * 10_000}",
    f"limit={'x' * 10_000}",
    "offset=-1",
    "offset=a",
    "offset=99999999999999999999999",
)


@pytest.mark.parametrize(
    "path",
    [
        "/agents/demo/sessions/%00/branches",
        "/agents/demo/sessions/%00/branches/main/inputs",
        "/agents/demo/sessions/{session}/branches/%00/interrupt",
        "/agents/demo/sessions/{session}/branches/main%00/fork",
    ],
)
async def test_what_cannot_be_an_id_is_not_found_under_a_key_either(edge: Client, path: str) -> None:
    session, body = await edge.session(), b'{"text":"x","sourceMessageId":"m"}'
    async with Wire(edge.base) as wire:
        headers = ("Idempotency-Key: once", f"Content-Length: {len(body)}")
        answer = await wire.request("POST", path.format(session=session), *headers, body=body)

    document = problem(httpx.Response(answer.status, headers=answer.headers, content=answer.body))
    assert document["status"] == 404


async def test_no_path_is_more_than_not_found(edge: Client) -> None:
    session = await edge.session()
    for path in PATHS:
        async with Wire(edge.base) as wire:
            answer = await wire.request("GET", path.format(session=session))

        document = problem(httpx.Response(answer.status, headers=answer.headers, content=answer.body))
        assert (path, document["status"]) == (path, 404)
        assert len(document["detail"]) < 350
        assert len(document["instance"]) < 4000
        assert document["instance"].isascii()


async def test_no_query_is_more_than_a_bad_request(edge: Client) -> None:
    for query in QUERIES:
        document = problem(await edge.http.get(f"/sessions?{query}"))

        assert (query, document["code"]) == (query, "invalid-request")
        assert f"`{query.partition('=')[0]}`" in document["detail"]
        assert len(document["detail"]) < 200


async def test_unknown_query_parameters_are_ignored(edge: Client) -> None:
    assert (await edge.http.get("/sessions?sortBy=x&%zz=%00&limit=5&a[]=1")).status_code == 200


@pytest.mark.parametrize("query", ["limit=0", "limit=10001", "limit=x", "after=x", "after=%00", f"after={'x' * 5000}"])
async def test_a_log_cannot_be_asked_for_nonsense(edge: Client, query: str) -> None:
    session = await edge.session()

    document = problem(await edge.http.get(f"/sessions/{session}/branches/main/events?{query}"))

    if query.startswith("after"):
        assert document["code"] == "invalid-position"
        assert document["earliest"].endswith(".0")
        assert document["latest"].endswith(".1")
    else:
        assert document["code"] == "invalid-request"
    assert len(document["detail"]) < 300


async def test_a_link_to_the_next_page_leads_there_under_whatever_name_the_agent_was_called(sqlite_url: str) -> None:
    app = create_app({'a b>"é': DemoAgent()}, settings=Settings(database_url=sqlite_url))
    async with in_process(app) as client:
        await client.post("/sessions", json={"sessionId": "s"})
        await client.post("/agents/demo/sessions/s/branches/main/inputs", json={"text": "hi"})

        page = await client.get("/agents/a%20b%3E%22%C3%A9/sessions/s/branches/main/events?limit=1")
        link = page.links["next"]["url"]

        assert link.startswith("/agents/a%20b%3E%22%C3%A9/sessions/s/branches/main/events?after=")
        assert [event["sequenceNumber"] for event in (await client.get(link)).json()] == [2]


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "TRACE"])
async def test_a_wrong_method_is_told_the_right_ones(plain_edge: Client, method: str) -> None:
    response = await plain_edge.http.request(method, "/sessions")

    assert response.status_code == 405
    assert response.headers["allow"] == "GET, HEAD, OPTIONS, POST"
    assert problem(response)["code"] == "method-not-allowed"


async def test_options_names_the_methods(plain_edge: Client) -> None:
    response = await plain_edge.http.options("/healthz")

    assert response.status_code == 204
    assert response.headers["allow"] == "GET, HEAD, OPTIONS"


async def test_a_get_may_say_that_it_sends_json(plain_edge: Client) -> None:
    response = await plain_edge.http.get("/sessions", headers={"content-type": "application/json"})

    assert response.status_code == 200


async def test_what_nobody_foresaw_is_a_problem_without_secrets(sqlite_url: str) -> None:
    @get("/broken", sync_to_thread=False)
    def broken() -> None:
        raise ValueError("the password is hunter2")

    @get("/half-broken", sync_to_thread=False)
    def half_broken() -> dict[str, object]:
        return {"cannot be encoded": object()}

    app = create_app(settings=Settings(database_url=sqlite_url))
    app.register(broken)
    app.register(half_broken)
    async with in_process(app) as client:
        responses = [await client.get(path) for path in ("/broken", "/half-broken")]

    for response in responses:
        assert problem(response)["code"] == "internal-error"
        assert response.status_code == 500
        assert "hunter2" not in response.text
        assert "Traceback" not in response.text
