"""`branchline credentials`, as an operator types it: a value is never an argument, and never shown."""

import os
import pty
import select
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryFile

import pytest

from hosting.client import Problem, WorkerApi, WorkerIntroduction
from hosting.domain.identity import Role
from tests.cli.sending import Sent
from tests.credentials.safe import Safe
from tests.harness.process import ServerProcess
from tests.harness.sqlite import sqlite_database
from tests.harness.warm_python import WARM_PYTHON
from tests.identity.command import branchline


@pytest.fixture(scope="module")
def safe(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Safe]:
    """A server on SQLite: what the command does is not the store's."""
    folder = tmp_path_factory.mktemp("command")
    with ServerProcess(folder, sqlite_database(folder)) as server:
        yield Safe(server, folder / "none")


def piped(value: bytes, *arguments: str, folder: Path, url: str) -> Sent:
    """Run a command that is given something by a pipe."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("BRANCHLINE_")}
    with TemporaryFile() as given, TemporaryFile() as out, TemporaryFile() as errors:
        given.write(value)
        given.seek(0)
        process = WARM_PYTHON.start(
            *("credentials", *arguments),
            folder=folder,
            environment=inherited | {"BRANCHLINE_URL": url},
            files=(given.fileno(), out.fileno(), errors.fileno()),
        )
        status = process.wait(60)
        out.seek(0)
        errors.seek(0)
        return Sent(status, out.read().decode(), errors.read().decode())


async def test_an_operator_sets_lists_and_deletes(safe: Safe, tmp_path: Path) -> None:
    url = safe.server.url
    one = piped(b"canary\n", "set", "KEY", "--project", "web", folder=tmp_path, url=url)
    two = piped(b"two\r\nlines\r\n", "set", "KEY", folder=tmp_path, url=url)
    async with safe.holder("local") as holder:
        env, everywhere = await holder.env(projectId="web"), await holder.env(projectId="api")
    listed = branchline("credentials", "list", "--url", url, folder=tmp_path)
    deleted = branchline("credentials", "delete", "KEY", "--project", "web", "--url", url, folder=tmp_path)
    again = branchline("credentials", "delete", "KEY", "--project", "web", "--url", url, folder=tmp_path)
    rotated = branchline("credentials", "rotate", "local", "github", "--url", url, folder=tmp_path)
    audit = branchline("credentials", "audit", "--limit", "2", "--url", url, folder=tmp_path)

    assert (one.status, one.out, one.errors) == (0, "", "Credential KEY is set in project 'web'.\n")
    assert (two.status, two.errors) == (0, "Credential KEY is set for the whole tenant.\n")
    assert (env, everywhere) == ({"KEY": "canary"}, {"KEY": "two\r\nlines"})
    heading, *rows = listed.out.splitlines()
    assert heading.split() == ["NAME", "PROJECT", "ENVIRONMENT", "SESSION", "UPDATED", "KEY"]
    assert [row.split()[:4] for row in rows] == [["KEY", "-", "-", "-"], ["KEY", "web", "-", "-"]]
    assert (deleted.status, deleted.errors) == (0, "Credential KEY is deleted.\n")
    assert (again.status, "credential-not-found" in again.errors) == (1, True)
    assert (rotated.status, "0 sessions" in rotated.errors) == (0, True)
    assert [line.split()[1] for line in audit.out.splitlines()[1:]] == ["rotated", "deleted"]
    assert "canary" not in listed.out + listed.errors + audit.out + one.errors


async def test_what_cannot_be_set_is_said_in_one_sentence(safe: Safe, tmp_path: Path) -> None:
    url = safe.server.url
    blocked = piped(b"canary", "set", "WORKER_API_KEY", folder=tmp_path, url=url)
    empty = piped(b"\n", "set", "KEY", folder=tmp_path, url=url)
    binary = piped(b"\xff\xfe", "set", "KEY", folder=tmp_path, url=url)
    long = piped(b"x" * (1 << 20), "set", "KEY", folder=tmp_path, url=url)
    no_layer = piped(b"canary", "set", "KEY", "--session", "none", folder=tmp_path, url=url)
    as_argument = piped(b"", "set", "KEY", "canary", folder=tmp_path, url=url)

    refused = [blocked, empty, long, no_layer]
    assert [each.status for each in (*refused, binary)] == [1] * 5
    assert ["credential-refused" in each.errors for each in refused[:3]] == [True] * 3
    assert "session-not-found" in no_layer.errors
    assert "UTF-8" in binary.errors
    assert as_argument.status == 2
    assert "canary" not in blocked.errors + no_layer.errors


@pytest.mark.parametrize(
    "typed", [("KEY", "canary"), ("KEY", "--value", "canary"), ("--canary", "KEY"), ("KEY", "-canary")]
)
async def test_a_value_that_is_typed_as_an_argument_is_refused_and_not_shown(
    safe: Safe, tmp_path: Path, typed: tuple[str, ...]
) -> None:
    sent = piped(b"", "set", *typed, folder=tmp_path, url=safe.server.url)

    assert sent.status == 2
    assert "canary" not in sent.out + sent.errors
    assert "never an argument" in " ".join(sent.errors.replace("│", " ").split())


@pytest.mark.parametrize("name", ["audit", "rekey", "A/B", "1A", "WORKER_API_KEY"])
async def test_a_name_that_cannot_be_one_is_refused_before_the_value_is_asked_for(
    safe: Safe, tmp_path: Path, name: str
) -> None:
    # Who asked for the value would wait here: nobody closes this pipe.
    reading, writing = os.pipe()
    inherited = {each: value for each, value in os.environ.items() if not each.startswith("BRANCHLINE_")}
    with TemporaryFile() as out:
        process = WARM_PYTHON.start(
            *("credentials", "set", name),
            folder=tmp_path,
            environment=inherited | {"BRANCHLINE_URL": safe.server.url},
            files=(reading, out.fileno(), out.fileno()),
        )
        status = process.wait(30)
        out.seek(0)
        said = out.read().decode()
    os.close(reading)
    os.close(writing)

    assert status == 1
    assert "credential-refused" in said


async def test_at_a_terminal_the_value_is_asked_for_and_not_shown(safe: Safe, tmp_path: Path) -> None:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("BRANCHLINE_")}
    master, slave = pty.openpty()
    process = WARM_PYTHON.start(
        *("credentials", "set", "TYPED"),
        folder=tmp_path,
        environment=inherited | {"BRANCHLINE_URL": safe.server.url, "TERM": "dumb"},
        files=(slave, slave, slave),
        at_terminal=True,
    )
    os.close(slave)

    seen = read_until(master, b"Value of TYPED")
    os.write(master, b"canary-typed\n")
    seen += read_until(master, b"whole tenant")
    status = process.wait(60)
    os.close(master)
    async with safe.holder("local") as holder:
        env = await holder.env(projectId="typed")

    assert status == 0
    assert env["TYPED"] == "canary-typed"
    assert b"canary" not in seen


async def test_a_worker_of_a_program_takes_its_environment_map(safe: Safe) -> None:
    async with safe.operator("local") as operator:
        await operator.set("OF_WORKERS", "canary", project="workers")
    key = await safe.key("local", Role.WORKER)
    async with WorkerApi(safe.server.url, WorkerIntroduction(hostname="here"), key=key) as api:
        await api.register()
        taken = await api.snapshot("local", project="workers")
        with pytest.raises(Problem) as refused:
            await api.snapshot("another", project="workers")

    assert taken.env["OF_WORKERS"] == "canary"
    assert "OF_WORKERS" in repr(taken)
    assert "canary" not in repr(taken)
    assert (refused.value.status, refused.value.code) == (403, "forbidden")


def read_until(terminal: int, mark: bytes) -> bytes:
    """Return what a terminal shows up to a mark."""
    seen, deadline = b"", time.monotonic() + 30
    while mark not in seen:
        assert select.select([terminal], [], [], max(0, deadline - time.monotonic()))[0], seen
        seen += os.read(terminal, 4096)
    return seen
