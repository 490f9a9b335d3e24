"""Sessions are patched, searched and deleted."""

import asyncio
from typing import Any

from tests.edge.problem import problem
from tests.harness.client import Client
from tests.harness.raw_store import RawStore
from tests.tree.branching import code_of, delete, fork, patch, said, shown
from tests.tree.left import rows_of


async def search(client: Client, **body: Any) -> list[str]:
    """Return the ids that a search finds."""
    response = await client.http.post("/sessions/search", json=body)
    assert response.status_code == 200, response.text
    return [each["id"] for each in response.json()]


async def made(client: Client, **metadata: Any) -> str:
    """Create a session with metadata."""
    response = await client.http.post("/sessions", json={"metadata": metadata})
    assert response.status_code == 201, response.text
    return str(response.json()["id"])


async def test_metadata_is_merged_and_null_takes_a_name_away(client: Client) -> None:
    session = await made(client, kept=1, gone=2, inside={"a": {"b": None}})
    before = await shown(client, f"/sessions/{session}")

    merged = await patch(client, session, metadata={"gone": None, "new": [None, {"x": None}], "never": None})
    again = await patch(client, session, metadata={"inside": "flat", "new": None})

    assert merged["metadata"] == {"kept": 1, "inside": {"a": {"b": None}}, "new": [None, {"x": None}]}
    assert again["metadata"] == {"kept": 1, "inside": "flat"}
    assert again == await shown(client, f"/sessions/{session}")
    assert before["lastActivity"] < merged["lastActivity"] < again["lastActivity"]
    assert again["createdAt"] == before["createdAt"]
    assert len(await client.log(session)) == 1


async def test_a_patch_makes_a_session_the_newest_whatever_it_says(client: Client) -> None:
    first, second = await made(client, a=1), await made(client, a=2)

    async def newest() -> list[str]:
        return [each["id"] for each in await shown(client, "/sessions?limit=2")]

    orders = [await newest()]
    for body in ({}, {"metadata": None}, {"metadata": {}}):
        for session in (first, second):
            assert "metadata" in await patch(client, session, **body)
            orders.append(await newest())

    assert orders == [[second, first], *([[first, second], [second, first]] * 3)]
    assert (await shown(client, f"/sessions/{first}"))["metadata"] == {"a": 1}


async def test_patches_at_once_lose_nothing_of_each_other(client: Client) -> None:
    session = await made(client)

    await asyncio.gather(*(patch(client, session, metadata={f"k{number}": number}) for number in range(20)))

    assert (await shown(client, f"/sessions/{session}"))["metadata"] == {f"k{number}": number for number in range(20)}


async def test_a_search_compares_names_and_the_texts_of_values(client: Client) -> None:
    mark = await client.session()
    values: dict[str, Any] = {
        "one": 1,
        "text one": "1",
        "float": 1.0,
        "true": True,
        "text true": "true",
        "null": None,
        "list": [1, "a"],
        "nested": {"x": {"y": [True, None]}},
        "empty": "",
        "unicode": "Grüße \N{GRINNING FACE}",
    }
    ids = {name: await made(client, mark=mark, value=value) for name, value in values.items()}
    names = {session: name for name, session in ids.items()}

    async def like(value: Any) -> set[str]:
        return {names[found] for found in await search(client, metadata={"mark": mark, "value": value})}

    assert await like(1) == await like("1") == {"one", "text one"}
    assert await like(1.0) == await like("1.0") == {"float"}
    assert await like(True) == await like("true") == {"true", "text true"}
    assert await like("True") == set()
    assert await like(None) == await like("null") == {"null"}
    assert await like([1, "a"]) == {"list"}
    assert await like({"x": {"y": [True, None]}}) == {"nested"}
    assert await like({"x": {}}) == set()
    assert await like("") == {"empty"}
    assert await like("grüße \N{GRINNING FACE}") == set()
    assert await like("Grüße \N{GRINNING FACE}") == {"unicode"}
    assert await search(client, metadata={"mark": mark, "Value": 1}) == []
    assert await search(client, metadata={"mark": mark, "value": 1, "other": 1}) == []


async def test_hundreds_of_sessions_are_found_once_each_page_by_page_and_newest_first(
    client: Client, store: RawStore
) -> None:
    mark = await client.session()
    for even in (0, 1):
        await made(client, mark=mark, even=even)
    seeds = await search(client, metadata={"mark": mark})
    # As many of one moment as fill a page and more: what comes first of those is settled by their ids.
    await store.run(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 549) "
        "INSERT INTO sessions (tenant, id, created_at, last_activity, metadata) "
        "SELECT tenant, id || '-' || i, created_at, created_at - i / 400, metadata FROM sessions, n WHERE id IN (?, ?)",
        *seeds,
    )
    rows = await store.run(
        "SELECT last_activity, id FROM sessions WHERE id LIKE ? OR id LIKE ?", *(f"{seed}%" for seed in seeds)
    )
    expected = [session for _, session in sorted((-active, session) for active, session in rows)]

    found = [
        session
        for offset in range(0, 1200, 150)
        for session in await search(client, metadata={"mark": mark}, limit=150, offset=offset)
    ]
    odd = [
        session
        for offset in range(0, 600, 200)
        for session in await search(client, metadata={"mark": mark, "even": "0"}, limit=200, offset=offset)
    ]

    assert found == expected
    assert len(found) == 1100
    assert odd == [session for session in expected if session.startswith(seeds[1])]
    assert len(await search(client, metadata={"mark": mark})) == 50
    assert await search(client, metadata={"mark": mark}, offset=1100) == []
    assert await search(client, metadata={"mark": mark}, offset=2**53) == []
    await store.run("DELETE FROM sessions WHERE id LIKE ? OR id LIKE ?", *(f"{seed}-%" for seed in seeds))


async def test_a_search_for_nothing_lists_the_newest_sessions(client: Client) -> None:
    sessions = [await client.session() for _ in range(3)]

    assert await search(client, limit=3) == await search(client, metadata={}, limit=3) == sessions[::-1]
    assert await search(client, limit=1, offset=1) == sessions[1:2]
    assert (await client.http.post("/sessions/search")).status_code == 200


async def test_a_search_that_makes_no_sense_is_refused(client: Client) -> None:
    for body in ({"limit": 0}, {"limit": 201}, {"limit": "1"}, {"offset": -1}, {"offset": 1.5}, {"metadata": []}):
        response = await client.http.post("/sessions/search", json=body)
        assert (body, problem(response)["code"]) == (body, "invalid-request")
    assert problem(await client.http.post("/sessions/search", json={"sortBy": "id"}))["code"] == "unknown-member"


async def test_nothing_is_left_of_a_session_that_is_deleted_and_its_id_is_free_again(
    client: Client, store: RawStore
) -> None:
    session = await client.session()
    first, answer = await said(client, session, "Hi")
    await fork(client, session, answer, "f1")
    await fork(client, session, first, "f2", of="f1")
    await said(client, session, "/tool", "f2")
    path = f"/agents/keeper/sessions/{session}/branches/f1/inputs"
    kept = (await client.http.post(path, json={"text": "/keep one two"})).json()
    await client.ended(session, kept["runtimeRunId"], "f1")
    position = await client.position(session)
    before = await rows_of(store, session)
    assert [before[table] for table in ("branches", "runs", "session_state", "branch_state")] == [3, 3, 1, 1]

    gone = await delete(client, session)
    rows = await rows_of(store, session)
    again = await delete(client, session)
    missing = [await client.http.get(f"/sessions/{session}{rest}") for rest in ("", "/tree", "/branches/main/events")]

    assert (gone.status_code, gone.content) == (204, b"")
    assert set(rows.values()) == {0}
    assert code_of(again) == (404, "session-not-found")
    assert {code_of(each) for each in missing} == {(404, "session-not-found")}
    assert session not in {each["id"] for each in await shown(client, "/sessions?limit=200")}
    assert await client.session(session) == session
    assert [branch["id"] for branch in await shown(client, f"/sessions/{session}/branches")] == ["main"]
    assert (await client.position(session)).partition(".")[0] != position.partition(".")[0]
    assert len(await client.log(session)) == 1


async def test_what_is_not_there_is_neither_patched_nor_deleted(client: Client) -> None:
    for response in (
        await client.http.patch("/sessions/none", json={}),
        await client.http.patch("/sessions/none", content=b"["),
        await client.http.delete("/sessions/none"),
        await client.http.delete("/sessions/none?force=true"),
    ):
        assert problem(response)["code"] == "session-not-found"
    session = await client.session()
    assert problem(await delete(client, session, query="?force=perhaps"))["code"] == "invalid-request"
    assert problem(await client.http.patch(f"/sessions/{session}", json={"id": "a"}))["code"] == "unknown-member"


async def test_a_session_cannot_have_the_name_of_a_route(client: Client) -> None:
    response = await client.http.post("/sessions", json={"sessionId": "search"})

    refused = problem(response)
    assert (response.status_code, refused["code"]) == (400, "invalid-request")
    assert refused["detail"] == "`sessionId` cannot be 'search': /sessions/search is a route."
