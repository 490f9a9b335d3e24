"""One line through all layers: a keyed request, a crash, the same request again."""

from collections.abc import Callable

import httpx

from tests.harness.process import ServerProcess

KEY = {"Idempotency-Key": "the-first-of-all"}


async def test_a_session_that_is_asked_for_again_after_kill_9_is_the_same_one(
    make_server: Callable[..., ServerProcess], database_url: str
) -> None:
    server = make_server(database_url).start()
    async with httpx.AsyncClient(base_url=server.url) as http:
        first = await http.post("/sessions", json={"metadata": {"of": "one"}}, headers=KEY)
    server.kill()

    server.start()
    async with httpx.AsyncClient(base_url=server.url) as http:
        again = await http.post("/sessions", json={"metadata": {"of": "one"}}, headers=KEY)
        other = await http.post("/sessions", json={"metadata": {"of": "two"}}, headers=KEY)
        sessions = (await http.get("/sessions")).json()

    assert (first.status_code, "Idempotency-Replayed" in first.headers) == (201, False)
    assert (again.status_code, again.headers["Idempotency-Replayed"]) == (201, "true")
    assert (again.content, again.headers["Location"]) == (first.content, first.headers["Location"])
    assert (other.status_code, other.json()["code"]) == (422, "idempotency-key-reused")
    assert [session["id"] for session in sessions] == [first.json()["id"]]
