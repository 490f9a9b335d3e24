"""`branchline new agent`: what it writes works, and what is there already stays as it is."""

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from hosting.cli.new import new


def write(name: str) -> Result:
    """Call the command in this process, in the working folder."""
    return CliRunner().invoke(new, ["agent", name])


def test_the_starter_passes_its_own_test_and_is_served(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "hosting", "new", "agent", "tidier"], cwd=tmp_path, check=True, timeout=60)

    tested = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:asyncio", "-p", "no:cacheprovider", "test_tidier.py"],
        cwd=tmp_path,
        check=False,
        timeout=60,
        capture_output=True,
        text=True,
    )

    assert "2 passed" in tested.stdout, tested.stdout + tested.stderr
    assert "warning" not in tested.stdout
    assert sorted(path.name for path in tmp_path.glob("*.py")) == ["test_tidier.py", "tidier.py"]


def test_it_says_what_to_do_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    said = write("tidier").stdout

    commands = [line.strip() for line in said.splitlines() if line.startswith("  ")]
    assert commands == [
        "python -m pytest test_tidier.py",
        "branchline serve tidier.py",
        'branchline send "kitchen" --agent tidier',
    ]


@pytest.mark.parametrize("there", ["tidier.py", "test_tidier.py"])
def test_nothing_is_written_where_one_of_the_files_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / there).write_text("mine")

    refused = write("tidier")

    assert refused.exit_code == 1
    assert refused.stderr == f"branchline new: There is a {there} here already, and it stays as it is.\n"
    assert [path.name for path in tmp_path.iterdir()] == [there]
    assert (tmp_path / there).read_text() == "mine"


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("my-agent", "a letter first. Try my_agent."),
        ("1st", "'1st' cannot be the name of a Python function: letters, digits and _, and a letter first."),
        ("class", "'class' cannot be the name"),
        ("../above", "'../above' cannot be the name"),
        ("Ünder", "'Ünder' cannot be the name"),
        ("_mine", "'_mine' cannot be the name"),
        ("", "'' cannot be the name"),
        ("json", "There is a module 'json' already, and json.py would be taken for it; take another name."),
        ("converse", "The agent's own code has another use for the name 'converse'; take another one."),
        ("demo", "The agent's own code has another use for the name 'demo'; take another one."),
    ],
)
def test_a_name_that_would_not_work_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, sentence: str
) -> None:
    monkeypatch.chdir(tmp_path)

    refused = write(name)

    assert refused.exit_code == 1
    assert sentence in refused.stderr
    assert list(tmp_path.iterdir()) == []
