"""Forged tokens at the server's door: one answer for all of them."""

import socket
from datetime import UTC, datetime, timedelta

import httpx

from hosting.adapters.files.key_file import KeyFile
from tests.identity.forgeries import forgeries
from tests.identity.office import Office
from tests.identity.tokens import claims, tokens_of


async def test_every_forgery_gets_the_same_401_and_learns_nothing(sqlite_office: Office) -> None:
    tokens = tokens_of(sqlite_office.key_file)
    good = await sqlite_office.token()
    other = tokens.issue(claims(datetime.now(UTC) + timedelta(hours=2), "other")).reveal()
    forged = forgeries(good, other, list(KeyFile(sqlite_office.key_file).keys().values())[-1])
    before = await sqlite_office.everything()

    answers = {name: answer_to(sqlite_office, token) for name, token in forged.items()}

    assert len(answers) >= 60
    assert set(answers.values()) == {answer_to(sqlite_office, "x")}
    status, body = answer_to(sqlite_office, "x")
    assert (status, body["message"], body["error"]) == (401, "Invalid or missing API key", "Unauthorized")
    assert await sqlite_office.everything() == before
    # The token that they were made from is taken: a worker may not see sessions, but it is known.
    assert answer_to(sqlite_office, good, "/sessions")[0] == 403


async def test_a_token_that_is_only_too_old_is_told_so(sqlite_office: Office, anyone: httpx.AsyncClient) -> None:
    expired = sqlite_office.expired_token()

    told = await anyone.get("/sessions", headers={"Authorization": f"Bearer {expired}"})
    on_the_fleets_paths = answer_to(sqlite_office, expired)

    assert (told.status_code, told.json()["code"], told.json()["detail"]) == (
        401,
        "token-expired",
        "Runtime token expired.",
    )
    assert on_the_fleets_paths[1]["message"] == "Runtime token expired"


class Body(dict[str, object]):
    """A body that can be a member of a set."""

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(tuple(sorted((name, repr(value)) for name, value in self.items())))


def answer_to(office: Office, token: str, path: str = "/api/nothing") -> tuple[int, Body]:
    """Send a token as it is, which no client library would do, and return status and body."""
    url = httpx.URL(office.server.url)
    head = f"GET {path} HTTP/1.1\r\nHost: {url.host}\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\r\n"
    with socket.create_connection((url.host, url.port or 80), timeout=10) as connection:
        connection.sendall(head.encode())
        received = b""
        while piece := connection.recv(65536):
            received += piece
    status = int(received.split(b" ", 2)[1])
    return status, Body(httpx.Response(status, content=received.partition(b"\r\n\r\n")[2]).json())
