"""An installed wheel works in an empty folder: nothing it needs lies only in the clone."""

import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import httpx
import pytest

from tests.harness.process import ColdServerProcess
from tests.house.conftest import ROOT, Distribution, python


@pytest.fixture
def elsewhere(tmp_path: Path, distribution: Distribution, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, from which processes find the installed wheel before the clone."""
    monkeypatch.setenv("PYTHONPATH", str(distribution.folder))
    return tmp_path


@pytest.fixture
def installed_server(elsewhere: Path) -> Iterator[ColdServerProcess]:
    """A server of the installed wheel in the empty folder, on the database it takes by default."""
    assert list(elsewhere.iterdir()) == []
    with ColdServerProcess(elsewhere, "sqlite+aiosqlite:///./branchline.db") as server:
        yield server


def files(folder: Path) -> set[PurePosixPath]:
    """Return what lies in a folder of the clone, without what Python left behind there."""
    return {
        PurePosixPath(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_the_wheel_holds_the_packages_the_migrations_and_the_license_and_nothing_else(
    distribution: Distribution,
) -> None:
    with zipfile.ZipFile(distribution.wheel) as wheel:
        names = [PurePosixPath(name) for name in wheel.namelist()]

    packaged = {name for name in names if not name.parts[0].endswith(".dist-info")}
    migrations = {PurePosixPath("hosting/adapters/sql/migrations") / name for name in files(ROOT / "migrations")}
    assert packaged == files(ROOT / "src") | migrations
    assert "LICENSE" in {name.name for name in names}


def test_a_server_of_the_wheel_makes_its_tables_in_an_empty_folder(
    installed_server: ColdServerProcess, elsewhere: Path, distribution: Distribution
) -> None:
    home = python(["-c", "import hosting; print(hosting.__file__)"], elsewhere).strip()

    ready = httpx.get(f"{installed_server.url}/readyz", verify=False)
    created = httpx.post(f"{installed_server.url}/sessions", json={"sessionId": "s1"}, verify=False)

    assert Path(home).is_relative_to(distribution.folder)
    assert (ready.status_code, created.status_code) == (200, 201)
    assert (elsewhere / "branchline.db").is_file()


def test_the_command_of_the_wheel_says_its_version(elsewhere: Path, distribution: Distribution) -> None:
    command = distribution.folder / "bin" / "branchline"

    said = subprocess.run([command, "--version"], cwd=elsewhere, capture_output=True, text=True, timeout=60, check=True)

    version = distribution.wheel.name.split("-")[1]
    assert said.stdout.strip() == f"branchline, version {version}"


def test_an_editable_install_points_at_the_clone_and_copies_nothing(tmp_path: Path) -> None:
    build = f"from hatchling.build import build_editable; print(build_editable({str(tmp_path)!r}))"

    name = python(["-c", build], ROOT).split()[-1]

    with zipfile.ZipFile(tmp_path / name) as wheel:
        outside = [path for path in wheel.namelist() if ".dist-info/" not in path]
        pointer = wheel.read(outside[0]).decode().strip()
    assert len(outside) == 1
    assert Path(pointer) == ROOT / "src"


def test_the_command_of_the_clone_says_its_version(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}

    said = subprocess.run(
        [Path(sys.executable).with_name("branchline"), "--version"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    assert said.stdout.startswith("branchline, version ")
