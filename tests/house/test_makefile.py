"""`make campaigns` runs the tests that are marked as campaigns, with what it was given."""

import os
import shlex
import subprocess

from tests.house.conftest import ROOT, python


def campaigns(*arguments: str) -> list[str]:
    """Return the words of the command that make would run."""
    environment = {name: value for name, value in os.environ.items() if name not in {"ROW", "SEED", "ROUNDS"}}
    printed = subprocess.run(
        ["make", "--dry-run", "--no-print-directory", "campaigns", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    ).stdout
    return shlex.split(printed.splitlines()[-1])


def test_a_row_of_campaigns_is_run_with_its_seed_and_rounds() -> None:
    words = campaigns("ROW=a1", "SEED=7", "ROUNDS=10")

    assert words[:2] == ["SEED=7", "ROUNDS=10"]
    assert words[3:] == ["-m", "pytest", "-m", "campaign", "-k", "a1", "-s"]


def test_all_campaigns_are_run_with_their_defaults() -> None:
    assert campaigns()[1:] == ["-m", "pytest", "-m", "campaign", "-s"]


def test_there_are_campaigns_in_the_row_that_the_help_names() -> None:
    found = python(["-m", "pytest", "-m", "campaign", "-k", "a1", "--collect-only", "-q"], ROOT)

    assert "test_a1_" in found
