"""A request whose answer is not there yet, and the same one again."""

import json

from tests.edge.problem import problem
from tests.edge.wire import Wire
from tests.harness.client import Client
from tests.keyed.sending import REPLAYED, is_first, keyed, send

BODY = json.dumps({"metadata": {"of": "x" * (65 << 10)}}).encode()
"""So long that its request is worked on before it has come."""


async def test_a_request_that_is_under_way_is_asked_for_again_in_vain_and_later_answered(client: Client) -> None:
    async with Wire(client.base) as wire:
        await begin(wire, "slow")
        vain = await client.http.post("/sessions", content=BODY, headers=keyed("slow"))
        other_key = await send(client.http, "/sessions", {}, "quick")
        await wire.write(BODY)
        slow = await wire.answer()
    again = await client.http.post("/sessions", content=BODY, headers=keyed("slow"))

    assert (vain.status_code, problem(vain)["code"]) == (409, "idempotency-key-under-way")
    assert vain.headers["retry-after"] == "1"
    assert is_first(other_key)
    assert (slow.status, REPLAYED in slow.headers) == (201, False)
    assert (again.content, again.headers[REPLAYED]) == (slow.body, "true")
    assert len((await client.http.get("/sessions")).json()) == 2


async def test_a_request_whose_client_leaves_amid_its_body_frees_its_key(client: Client) -> None:
    async with Wire(client.base) as wire:
        await begin(wire, "left")
    response = await client.http.post("/sessions", content=BODY, headers=keyed("left"))
    while response.status_code == 409:
        response = await client.http.post("/sessions", content=BODY, headers=keyed("left"))

    assert is_first(response)


async def begin(wire: Wire, key: str) -> None:
    """Begin a request; when this returns, the server waits for its body."""
    head = f"Host: localhost\r\nIdempotency-Key: {key}\r\nContent-Length: {len(BODY)}\r\nExpect: 100-continue"
    await wire.write(f"POST /sessions HTTP/1.1\r\n{head}\r\n\r\n".encode())
    await wire.read_until(b"100 Continue\r\n\r\n")
