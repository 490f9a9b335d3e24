"""Who asks from another machine needs a key."""

import socket
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from hosting.api.keyless import Keyless, is_local
from hosting.domain.admission import Unauthenticated
from hosting.domain.identity import LOCAL, Role
from tests.edge.problem import problem
from tests.harness.process import ServerProcess
from tests.identity.every_route import each_route
from tests.identity.office import Office

HERE = ("127.0.0.1", 8000)
NEAR = ["127.0.0.1", "127.8.7.6", "::1", "::ffff:127.0.0.1", "0:0:0:0:0:0:0:1"]
AWAY = [
    "192.0.2.7",
    "10.0.0.1",
    "0.0.0.0",
    "::",
    "::2",
    "fe80::1%eth0",
    "::ffff:192.0.2.7",
    "2130706433",
    "127.1",
    "127.0.0.1.example",
    "localhost",
    "unknown",
    "",
]


PROXIES = [
    "cf-connecting-ip",
    "forwarded",
    "true-client-ip",
    "via",
    "x-client-ip",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-original-host",
    "x-real-ip",
]
OWN_NAMES = [
    "127.0.0.1:8000",
    "[::1]:8000",
    "192.168.7.7",
    "LocalHost:8000",
    "chat.localhost",
    "box.lan:9",
    "chat.example",
    "fleet.example:8443",
]
FOREIGN_NAMES = [
    "rebound.example",
    "rebound.example:8000",
    "localhost.rebound.example",
    "localhost.",
    "127.1",
    "",
    "a b",
]
KEYLESS = Keyless("Box.lan", ["https://chat.example"], "http://fleet.example:8443")


def scope(client: tuple[str, int] | None, server: tuple[str, int | None] | None, **headers: str) -> Any:
    """Return what an application is told of a connection."""
    named = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {"client": client, "server": server, "headers": named}


@pytest.mark.parametrize("host", NEAR)
def test_who_comes_by_the_loopback_is_local(host: str) -> None:
    assert is_local(scope((host, 5), HERE))
    assert KEYLESS.identify(scope((host, 5), HERE)) is LOCAL


@pytest.mark.parametrize("host", AWAY)
def test_who_comes_from_elsewhere_is_not(host: str) -> None:
    assert not is_local(scope((host, 5), HERE))
    with pytest.raises(Unauthenticated, match="branchline keys create"):
        KEYLESS.identify(scope((host, 5), HERE))


def test_who_comes_by_a_socket_that_is_a_file_is_local() -> None:
    assert is_local(scope(None, ("/run/branchline.sock", None)))


@pytest.mark.parametrize("server", [HERE, None])
def test_a_peer_that_has_gone_before_its_address_was_read_is_not_local(server: tuple[str, int] | None) -> None:
    assert not is_local(scope(None, server))


@pytest.mark.parametrize("header", PROXIES)
def test_what_a_proxy_on_this_machine_passes_on_is_not_local(header: str) -> None:
    with pytest.raises(Unauthenticated):
        KEYLESS.identify(scope(("127.0.0.1", 5), HERE, **{header: "for=192.0.2.7"}))


@pytest.mark.parametrize("asked", OWN_NAMES)
def test_who_asks_by_a_name_that_leads_here_alone_is_local(asked: str) -> None:
    assert KEYLESS.identify(scope(("127.0.0.1", 5), HERE, host=asked)) is LOCAL


@pytest.mark.parametrize("asked", FOREIGN_NAMES)
def test_who_asks_by_a_name_that_others_made_lead_here_needs_a_key(asked: str) -> None:
    with pytest.raises(Unauthenticated, match="BRANCHLINE_ORIGINS"):
        KEYLESS.identify(scope(("127.0.0.1", 5), HERE, host=asked))


def test_a_name_matters_only_where_a_port_does() -> None:
    assert KEYLESS.identify(scope(None, ("/run/branchline.sock", None), host="rebound.example")) is LOCAL


@pytest.fixture(scope="module")
def open_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server that listens on all addresses."""
    folder = tmp_path_factory.mktemp("away")
    with ServerProcess(folder, f"sqlite+aiosqlite:///{folder}/test.db", host="0.0.0.0") as server:
        yield server


@pytest.fixture(params=["through a proxy", "by another address"])
async def away(request: pytest.FixtureRequest, open_server: ServerProcess) -> AsyncIterator[httpx.AsyncClient]:
    """A client that the server does not see on the loopback."""
    port = httpx.URL(open_server.url).port
    own = another_address()
    if request.param == "by another address" and own is not None:
        async with httpx.AsyncClient(base_url=f"http://{own}:{port}") as client:
            yield client
        return
    behind = {"X-Forwarded-For": "192.0.2.7"}
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=behind) as client:
        yield client


async def test_no_route_takes_who_comes_from_elsewhere_without_a_key(
    open_server: ServerProcess, away: httpx.AsyncClient, tmp_path: Path
) -> None:
    office = Office(open_server, tmp_path)
    before = await office.everything()

    answers = [await away.request(route.method, route.at({}), headers=route.headers) for route in each_route()]

    assert {answer.status_code for answer in answers} == {401}
    assert {answer.headers["www-authenticate"] for answer in answers} == {"Bearer"}
    assert "branchline keys create" in problem(answers[0])["detail"]
    assert await office.everything() == before


async def test_who_comes_from_elsewhere_with_a_key_is_taken(
    open_server: ServerProcess, away: httpx.AsyncClient, tmp_path: Path
) -> None:
    key = await Office(open_server, tmp_path).key("acme", Role.USER)

    taken = await away.get("/sessions", headers={"Authorization": f"Bearer {key}"})
    free = [(await away.get(path)).status_code for path in ("/healthz", "/readyz", "/openapi.json")]

    assert (taken.status_code, taken.json(), free) == (200, [], [200, 200, 200])


async def test_who_only_says_that_it_is_local_is_not_believed(away: httpx.AsyncClient) -> None:
    said = away.headers.get("X-Forwarded-For", "")

    answers = [
        await away.get("/sessions", headers={"Host": "localhost"}),
        await away.get("/sessions", headers={"X-Forwarded-For": f"127.0.0.1, {said}".rstrip(", ")}),
        await away.get("/sessions", headers={"X-Real-IP": "127.0.0.1", "Forwarded": "for=127.0.0.1"}),
    ]

    assert [answer.status_code for answer in answers] == [401, 401, 401]


def test_who_comes_by_the_loopback_needs_none(open_server: ServerProcess) -> None:
    port = httpx.URL(open_server.url).port

    assert httpx.get(f"http://127.0.0.1:{port}/sessions").status_code == 200


def test_a_request_of_somebody_who_has_reset_the_connection_has_no_effect(
    make_server: Callable[..., ServerProcess], sqlite_url: str
) -> None:
    server = make_server(sqlite_url, host="0.0.0.0").start()
    port = httpx.URL(server.url).port
    body = b'{"sessionId":"ghost"}'
    request = b"POST /sessions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nX-Forwarded-For: 192.0.2.7\r\n"

    for _ in range(50):
        with socket.create_connection((another_address() or "127.0.0.1", port), timeout=5) as connection:
            # Closed without a farewell: the server may find a request of a peer whose address nobody knows any more.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
            connection.sendall(request + b"Content-Length: %d\r\n\r\n" % len(body) + body)

    listed = httpx.get(f"http://127.0.0.1:{port}/sessions").json()
    assert listed == []


def another_address() -> str | None:
    """Return an address of this machine's that is not the loopback; None where there is no other."""
    found = (one for each in psutil.net_if_addrs().values() for one in each if one.family == socket.AF_INET)
    return next((one.address for one in found if not one.address.startswith("127.")), None)
