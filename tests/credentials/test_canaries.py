"""Whatever goes wrong, no secret shows where it has nothing to do (C10)."""

import json
import os
import sys
from base64 import b64encode, urlsafe_b64encode
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import quote

import pytest

from hosting.adapters.files.key_file import KeyFile, ensure_key_file
from hosting.domain.identity import Role
from tests.credentials.canaries import Canaries
from tests.credentials.safe import Safe
from tests.credentials.secretive_world import REPOSITORY, TENANT, World
from tests.credentials.watched_server import WatchedServer
from tests.harness.providers.provider import FakeProvider

SHOWN_OF_KEY = 13
AGENT = """
systemInstructions = "Keep."

[clients.chat]
providerKey = "openai"
modelName = "gpt-5-mini"
endpoint = "{provider}"
apiKeyVariable = "CANARY_VARIABLE"

[[mcpServers]]
name = "time"
command = "{python}"
args = ["-m", "mcp_server_time", "--local-timezone", "UTC"]
environment = {{TIME_TOKEN = "{token}"}}
"""


@pytest.fixture
def canaries() -> Canaries:
    """Secrets that can be told from everything else."""
    return Canaries()


@asynccontextmanager
async def world_on(database_url: str, folder: Path, canaries: Canaries) -> AsyncIterator[World]:
    """Start a server that has secrets of every kind, and stop it at the end."""
    key_file = folder / "keys"
    ensure_key_file(key_file)
    for key in KeyFile(key_file).keys().values():
        canaries.known(f"bytes of signing key {key.id}", key.reveal())
        canaries.known(f"line of signing key {key.id}", key_file.read_text("utf-8").split()[1])
    shared = canaries.new("shared key")
    git = [{"token": canaries.new("git token"), "cloneUrl": REPOSITORY}]
    url = database_url.replace("postgres@", f"postgres:{canaries.new('database password', plain=True)}@")
    settings = {"key_file": key_file, "worker_api_key": shared, "git_credentials": json.dumps(git)}
    server = WatchedServer(folder, url, client_endpoints="true", sweep_seconds=0.1, **settings)
    safe = Safe(server, key_file)
    async with FakeProvider() as provider:
        tool = canaries.new("variable of a tool")
        (folder / "agents").mkdir()
        text = AGENT.format(provider=provider.openai, python=sys.executable, token=tool)
        (folder / "agents" / "keeper.toml").write_text(text, "utf-8")
        keys = {"shared": shared, "of run": canaries.new("run key"), "header of run": canaries.new("header of run")}
        keys |= {"of tool": canaries.new("key of toolset"), "of provider": canaries.new("provider key")}
        for role in Role:
            keys[role.value] = await safe.key(TENANT, role)
            canaries.known(f"key of {role}", keys[role.value], behind=SHOWN_OF_KEY)
        with server:
            yield World(server, safe, provider, canaries, keys)


@pytest.fixture(autouse=True)
def variable(canaries: Canaries, monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable of the server's environment that has a provider's key."""
    monkeypatch.setenv("CANARY_VARIABLE", canaries.new("variable key"))


async def play(world: World, rounds: int, *, thorough: bool) -> None:
    """Play rounds, look around while a run is under way, and at the log once the server has ended."""
    for _ in range(rounds):
        await world.play_round(thorough=thorough)
    path = await world.hold_a_run(await world.define())
    await world.look_around()
    await world.ask("user", "POST", f"{path}/interrupt", status=202, json={})
    assert world.server.terminate() == 0
    world.look_at_log()


async def test_no_secret_shows_in_an_answer_an_event_the_log_a_process_or_the_database(
    database_url: str, tmp_path: Path, canaries: Canaries
) -> None:
    async with world_on(database_url, tmp_path, canaries) as world:
        await play(world, 1, thorough=False)

    assert world.leaks == []


@pytest.mark.campaign
@pytest.mark.timeout(1500)
async def test_c10_no_secret_shows_in_three_hundred_requests_with_all_errors(
    database_url: str, tmp_path: Path, canaries: Canaries
) -> None:
    async with world_on(database_url, tmp_path, canaries) as world:
        await play(world, int(os.environ.get("ROUNDS", "4")), thorough=True)
        stored = len(await world.server.stored())

    print(f"c10 {world.requests - len(world.leaks)} / {world.requests}, {len(canaries.names)} secrets, {stored} bytes")
    assert world.leaks == []
    assert world.requests >= 300


REFUSED: dict[str, Callable[[str], dict[str, str]]] = {
    "an unreachable database": lambda secret: {
        "database_url": f"postgresql+asyncpg://u:{secret}@127.0.0.1:9/x?password={secret}"
    },
    "an option that is none": lambda secret: {
        "database_url": f"postgresql+asyncpg://u@/x?host=/nowhere&token={secret}"
    },
    "a database of no kind": lambda secret: {"database_url": f"mysql://u:{secret}@127.0.0.1:9/x"},
    "no JSON": lambda secret: {"git_credentials": f'[{{"token": "{secret}"'},
    "a token that is none": lambda secret: {"git_credentials": json.dumps([{"token": [secret], "cloneUrl": "x"}])},
    "a misspelt setting": lambda secret: {"worker_api_kee": secret},
}


@pytest.fixture(params=REFUSED)
def refused(request: pytest.FixtureRequest, tmp_path: Path, canaries: Canaries) -> Iterator[WatchedServer]:
    """A server that cannot start, because of a setting that is secret."""
    settings = REFUSED[request.param](canaries.new("setting", plain=True))
    url = settings.pop("database_url", f"sqlite+aiosqlite:///{tmp_path}/test.db")
    server = WatchedServer(tmp_path, url, **settings)
    yield server
    server.__exit__()


def test_a_server_that_cannot_start_says_why_and_nothing_of_what_is_secret(
    refused: WatchedServer, canaries: Canaries
) -> None:
    status, said = refused.refuse()

    assert (status, said.startswith("branchline cannot start:")) == (1, True)
    assert canaries.found_in(said.encode() + refused.said.encode()) == []


@pytest.mark.parametrize("form", ["{}", "x{}", "xy{}z"])
def test_a_secret_is_found_in_whatever_form_it_is_written(canaries: Canaries, form: str) -> None:
    text = form.format(canaries.new("one")).encode()
    written = [text, text.hex().encode(), quote(text).encode(), b64encode(text), urlsafe_b64encode(text)]

    assert [bool(canaries.found_in(b"before" + each + b"behind")) for each in written] == [True] * len(written)
    assert canaries.found_in(b"".join(written), but=["one", "variable key"]) == []
