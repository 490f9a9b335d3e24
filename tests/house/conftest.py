"""The distribution, built as it would be published, and installed where nothing of the clone can be reached."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Distribution:
    """The built wheel, and the folder it is installed in."""

    wheel: Path
    folder: Path


@pytest.fixture(scope="session")
def distribution(tmp_path_factory: pytest.TempPathFactory) -> Distribution:
    """Build a source distribution, the wheel from it, and install the wheel without its dependencies."""
    built, folder = tmp_path_factory.mktemp("built"), tmp_path_factory.mktemp("installed")
    python(["-m", "build", "--no-isolation", "--outdir", str(built), str(ROOT)])
    (wheel,) = built.glob("*.whl")
    python(["-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(folder), str(wheel)])
    return Distribution(wheel, folder)


def python(arguments: list[str], folder: Path | None = None) -> str:
    """Run this Python in a folder and return what it printed."""
    done = subprocess.run(
        [sys.executable, *arguments], cwd=folder, capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
