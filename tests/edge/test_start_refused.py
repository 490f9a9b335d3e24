"""A server that cannot start says why in one sentence, and ends with status 1."""

import contextlib
import os
import socket
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hosting import create_app
from hosting.bootstrap import server_of
from hosting.domain.errors import StorageRefused, StorageUnavailable
from hosting.settings import Settings
from tests.edge.in_process import in_process
from tests.harness.client import Client
from tests.harness.process import ServerProcess
from tests.harness.warm_python import WARM_PYTHON

Make = Callable[..., ServerProcess]
NOBODY = 65534


async def test_a_second_server_on_a_sqlite_file_is_refused(make_server: Make, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "other").symlink_to(tmp_path / "data")
    (tmp_path / "data" / "link.db").symlink_to("test.db")
    first = make_server(f"sqlite+aiosqlite:///{tmp_path}/data/test.db").start()
    async with Client(first.url) as client:
        session = await client.session()
        for way in (
            "data/test.db",
            f"{tmp_path}/other/test.db",
            f"{tmp_path}/data/link.db",
        ):
            said = refused(tmp_path, f"sqlite+aiosqlite:///{way}")

            assert "Another Branchline server is using" in said, way
            assert "BRANCHLINE_DATABASE_URL" in said
        assert (await client.accepted(session, "still there?"))["status"] == "active"


async def test_a_lock_does_not_outlive_its_server(make_server: Make, sqlite_url: str) -> None:
    first = make_server(sqlite_url).start()
    first.kill()

    second = make_server(sqlite_url).start()

    async with Client(second.url) as client:
        assert await client.session()


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("sqlite+aiosqlite:///{folder}/nowhere/test.db", "nowhere of the SQLite file does not exist"),
        ("sqlite+aiosqlite:///{folder}/a-file/test.db", "a-file of the SQLite file does not exist"),
        ("sqlite+aiosqlite:///{folder}/a-folder", "a-folder"),
        ("sqlite+aiosqlite:///{folder}/a-file", "a-file"),
        ("sqlite+aiosqlite:///{folder}/locked/test.db", "locked"),
        ("sqlite+aiosqlite://", "SQLite needs a file"),
        ("sqlite+aiosqlite:///:memory:", "SQLite needs a file"),
        ("sqlite:///test.db", "'sqlite'"),
        ("mysql+aiomysql://root@localhost/x", "'mysql+aiomysql'"),
        ("postgresql://localhost/x", "'postgresql'"),
        ("test.db", "cannot be read"),
        ("", "cannot be read"),
        ("postgresql+asyncpg://nobody:hunter2@127.0.0.1:{free}/x", "127.0.0.1"),
        ("postgresql+asyncpg://nobody:hunter2@/x?host=/nowhere", "/nowhere"),
        ("postgresql+asyncpg://nobody:hunter2@127.0.0.1:port/x", "cannot be read"),
        ("postgresql+asyncpg://nobody:hunter2@127.0.0.1:{free}/x?sslmode=require", "sslmode"),
    ],
)
async def test_a_database_that_cannot_be_opened_is_named(tmp_path: Path, port: int, url: str, says: str) -> None:
    (tmp_path / "a-file").write_text("This is no database, and long enough to have a header that is wrong. " * 100)
    (tmp_path / "a-folder").mkdir()
    (tmp_path / "locked" / "test.db.lock").mkdir(parents=True)  # root may write anywhere: something must be in the way
    app = create_app(settings=Settings(database_url=url.format(folder=tmp_path, free=port)))

    with pytest.raises(BaseExceptionGroup) as raised:
        async with in_process(app):
            pass

    assert raised.group_contains((StorageRefused, StorageUnavailable))
    sentence = server_of(app).refused
    assert says in sentence
    assert sentence.endswith(".")
    assert "\n" not in sentence
    assert "hunter2" not in sentence
    assert not any(name.endswith(".db") for _, _, names in os.walk(tmp_path) for name in names)


def test_a_database_that_cannot_be_reached_ends_the_process_with_a_sentence(tmp_path: Path, port: int) -> None:
    said = refused(tmp_path, f"postgresql+asyncpg://nobody:hunter2@127.0.0.1:{port}/x")

    assert f"127.0.0.1:{port}/x cannot be opened" in said
    assert "hunter2" not in said


@pytest.fixture
def anybody() -> Iterator[None]:
    """Not being root, who may write everywhere."""
    was = os.geteuid()
    if was == 0:
        os.seteuid(NOBODY)
    yield
    os.seteuid(was)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that everybody may enter."""
    with tempfile.TemporaryDirectory(prefix="branchline-edge-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.mark.parametrize("mode", [0o555, 0o000])
async def test_a_folder_that_cannot_be_used_is_named(
    open_folder: Path, mode: int, request: pytest.FixtureRequest
) -> None:
    sealed = open_folder / "sealed"
    sealed.mkdir()
    os.chmod(sealed, mode)
    app = create_app(settings=Settings(database_url=f"sqlite+aiosqlite:///{sealed}/test.db"))
    request.getfixturevalue("anybody")

    with pytest.raises(BaseExceptionGroup) as raised:
        async with in_process(app):
            pass

    assert raised.group_contains((StorageRefused, StorageUnavailable))
    assert "sealed" in server_of(app).refused


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"PORT": "x"}, "BRANCHLINE_PORT must be a whole number"),
        ({"PRT": "1"}, "BRANCHLINE_PRT. Perhaps BRANCHLINE_PORT is meant"),
        ({"LEASE_SECONDS": "nan"}, "BRANCHLINE_LEASE_SECONDS"),
        ({"DEFAULT_AGENT": "nobody"}, "'nobody'"),
        ({"HOST": "256.0.0.1"}, "256.0.0.1"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(tmp_path: Path, settings: dict[str, str], says: str) -> None:
    assert says in refused(tmp_path, f"sqlite+aiosqlite:///{tmp_path}/test.db", **settings)


def test_a_settings_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "branchline.toml").write_text("port = [")

    assert "branchline.toml" in refused(tmp_path, f"sqlite+aiosqlite:///{tmp_path}/test.db")


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = str(taken.getsockname()[1])

        assert port in refused(tmp_path, f"sqlite+aiosqlite:///{tmp_path}/test.db", PORT=port)


@pytest.mark.parametrize("port", ["65536", "70000", "-1", "x"])
def test_a_port_that_is_none_is_no_other_one(tmp_path: Path, port: str) -> None:
    with (tmp_path / "said").open("w+") as said:
        files = (said.fileno(),) * 3
        status = WARM_PYTHON.start("serve", "--port", port, folder=tmp_path, environment=os.environ, files=files)

        assert status.wait(60) == 2
    assert "--port" in (tmp_path / "said").read_text()


def refused(folder: Path, database_url: str, **settings: str) -> str:
    """Start a server that must not start; return the one sentence that it says."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BRANCHLINE_")}
    given = {"DATABASE_URL": database_url, "PORT": "0", **settings}
    environment = kept | {f"BRANCHLINE_{name}": value for name, value in given.items()}
    said, errors = folder / "said", folder / "errors"
    with open(os.devnull) as nothing, said.open("w") as output, errors.open("w") as log:
        files = (nothing.fileno(), output.fileno(), log.fileno())
        status = WARM_PYTHON.start("serve", folder=folder, environment=environment, files=files).wait(60)
    assert (status, said.read_text()) == (1, ""), errors.read_text()
    assert "Traceback" not in errors.read_text()
    lines = errors.read_text().strip().splitlines()
    assert len(lines) == 1, errors.read_text()
    assert lines[0].startswith("branchline cannot start: ")
    assert lines[0].endswith(".")
    return lines[0]
