"""`branchline keys`: on the database that the settings name, beside a server or without one."""

import asyncio
import os
import re
import sqlite3
import stat
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from hosting.adapters.files.key_file import KeyFile
from tests.cli.sending import Sent, send
from tests.harness.process import ServerProcess
from tests.identity.command import branchline

KEY = re.compile(r"rs[kp]_live_[A-Za-z0-9_-]{43}\n")


def keys(database_url: str, folder: Path, *arguments: str, **settings: str) -> Sent:
    """Run `branchline keys`."""
    return branchline("keys", *arguments, folder=folder, BRANCHLINE_DATABASE_URL=database_url, **settings)


def status_with(server: ServerProcess, key: str) -> int:
    """Return how a server answers who shows this key."""
    return httpx.get(f"{server.url}/sessions", headers={"Authorization": f"Bearer {key.strip()}"}).status_code


def test_a_key_is_made_listed_and_revoked_beside_a_running_server(server: ServerProcess, tmp_path: Path) -> None:
    url = server.database_url

    made = keys(url, tmp_path, "create", "--tenant", "acme", "--role", "user")
    before = status_with(server, made.out)
    listed = keys(url, tmp_path, "list", "--tenant", "acme")
    key_id = listed.out.splitlines()[1].split()[0]
    revoked = keys(url, tmp_path, "revoke", key_id)
    after = status_with(server, made.out)
    still_listed = keys(url, tmp_path, "list")

    assert KEY.fullmatch(made.out), made
    assert made.errors.startswith(f"Key {key_id} is for the role user of tenant acme.")
    assert (before, after) == (200, 401)
    told_later = "".join(each.out + each.errors for each in (listed, revoked, still_listed))
    assert made.out.strip() not in told_later
    assert listed.out.splitlines()[1].split()[1:5] == ["acme", "user", "-", f"{made.out[:13]}..."]
    assert (revoked.status, revoked.out, key_id in revoked.errors) == (0, "", True)
    assert still_listed.out.splitlines()[1].split()[6] != "-"


def test_a_key_of_a_project_says_so_in_its_first_letters(sqlite_url: str, tmp_path: Path) -> None:
    made = keys(sqlite_url, tmp_path, "create", "--role", "worker", "--project", "My Web")
    listed = keys(sqlite_url, tmp_path, "list")

    assert made.out.startswith("rsp_live_")
    assert "local   worker  My Web" in listed.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("create",), "--role"),
        (("create", "--role", "admin"), "'admin' is not one of"),
        (("create", "--role", "user", "--tenant", "a b"), "--tenant takes"),
        (("create", "--role", "user", "--project", "web"), "--project goes with --role worker"),
        (("create", "--role", "worker", "--project", "a\nb"), "--project takes"),
        (("revoke", "key_of_nobody"), "There is no key 'key_of_nobody'"),
        (("revoke", "\x1b[31m"), "There is no key"),
    ],
)
def test_what_cannot_be_done_is_refused_and_prints_no_key(
    sqlite_url: str, tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    refused = keys(sqlite_url, tmp_path, *arguments)

    assert refused.status != 0
    assert refused.out == ""
    assert said in " ".join(refused.errors.replace("\u2502", " ").split())
    assert "\x1b[31m" not in refused.errors
    assert len(keys(sqlite_url, tmp_path, "list").out.splitlines()) == 1


def test_the_first_key_makes_the_tables_and_says_so(bare_database_url: str, tmp_path: Path) -> None:
    first = keys(bare_database_url, tmp_path, "create", "--role", "user")
    second = keys(bare_database_url, tmp_path, "create", "--role", "user")

    assert (first.status, second.status) == (0, 0)
    assert first.errors.startswith("Bringing the tables of ")
    assert "Bringing" not in second.errors
    assert KEY.fullmatch(first.out)


def test_tables_are_not_changed_under_a_server_that_is_older(
    make_server: Callable[..., ServerProcess], sqlite_url: str, tmp_path: Path
) -> None:
    make_server(sqlite_url).start()
    with closing(sqlite3.connect(sqlite_url.removeprefix("sqlite+aiosqlite:///"))) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '0004'")

    refused = keys(sqlite_url, tmp_path, "create", "--role", "user")

    assert (refused.status, refused.out) == (1, "")
    assert "Another Branchline server is using" in refused.errors


def test_a_database_that_is_not_there_is_told_in_one_sentence(tmp_path: Path) -> None:
    nowhere = keys("postgresql+asyncpg://nobody:secret@127.0.0.1:1/x", tmp_path, "list")
    no_folder = keys(f"sqlite+aiosqlite:///{tmp_path}/no/such.db", tmp_path, "list")

    assert [(each.status, each.out, len(each.errors.splitlines())) for each in (nowhere, no_folder)] == [(1, "", 1)] * 2
    assert "secret" not in nowhere.errors


async def test_many_keys_made_at_once_beside_a_busy_server_are_all_there(
    sqlite_server: ServerProcess, tmp_path: Path
) -> None:
    url = sqlite_server.database_url
    async with httpx.AsyncClient(base_url=sqlite_server.url) as client:
        made, answers = await asyncio.gather(
            asyncio.gather(*(asyncio.to_thread(keys, url, tmp_path, "create", "--role", "user") for _ in range(4))),
            asyncio.gather(*(client.post("/sessions", json={}) for _ in range(50))),
        )

    assert [answer.status_code for answer in answers] == [201] * 50
    assert [status_with(sqlite_server, each.out) for each in made] == [200] * 4


def test_rotating_adds_a_key_that_a_running_server_knows(sqlite_server: ServerProcess, tmp_path: Path) -> None:
    url = sqlite_server.database_url
    path = tmp_path / "test.db.keys"
    before = KeyFile(path).keys()

    rotated = keys(url, tmp_path, "rotate")

    after = KeyFile(path).keys()
    assert (rotated.status, rotated.out) == (0, "")
    assert list(after)[:-1] == list(before)
    assert list(after)[-1] in rotated.errors
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [secret for secret in path.read_text().split()[1::2] if secret in rotated.errors] == []


def test_rotating_makes_the_file_that_is_named_and_wants_a_name_on_postgresql(tmp_path: Path) -> None:
    url = "postgresql+asyncpg://nobody@127.0.0.1:1/x"

    unnamed = keys(url, tmp_path, "rotate")
    named = keys(url, tmp_path, "rotate", BRANCHLINE_KEY_FILE=str(tmp_path / "keys"))

    assert (unnamed.status, "BRANCHLINE_KEY_FILE" in unnamed.errors) == (1, True)
    assert (named.status, len(KeyFile(tmp_path / "keys").keys())) == (0, 1)
    assert stat.S_IMODE(os.stat(tmp_path / "keys").st_mode) == 0o600


def test_send_shows_its_key_and_says_what_to_do_without_one(sqlite_server: ServerProcess, tmp_path: Path) -> None:
    key = keys(sqlite_server.database_url, tmp_path, "create", "--tenant", "acme", "--role", "user").out.strip()

    sent = send("hello", "--session", "mine", url=sqlite_server.url, BRANCHLINE_KEY=key)
    revoked = send("hello", url=sqlite_server.url, BRANCHLINE_KEY=f"{key}x")
    no_key = send("hello", "--key", "two words", url=sqlite_server.url)

    with_key = {"Authorization": f"Bearer {key}"}
    assert (sent.status, revoked.status, no_key.status) == (0, 1, 1)
    assert httpx.get(f"{sqlite_server.url}/sessions/mine", headers=with_key).status_code == 200
    assert httpx.get(f"{sqlite_server.url}/sessions/mine").status_code == 404
    assert "BRANCHLINE_KEY" in revoked.errors
    assert "two words" not in no_key.errors
