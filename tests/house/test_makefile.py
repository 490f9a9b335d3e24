"""`make test` and `make campaigns` run the tests that they are for, with what they were given."""

import os
import shlex
import subprocess

from tests.house.conftest import ROOT, python

# What this run of the tests was given may be in the environment, by hand or by the make that has started it.
GIVEN = {"ARGS", "WORKERS", "ROW", "SEED", "ROUNDS", "MAKEFLAGS", "MAKEOVERRIDES", "MFLAGS"}


def command(target: str, *arguments: str) -> list[str]:
    """Return the words of the last command that make would run."""
    environment = {name: value for name, value in os.environ.items() if name not in GIVEN}
    printed = subprocess.run(
        ["make", "--dry-run", "--no-print-directory", target, *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    ).stdout
    return shlex.split(printed.splitlines()[-1])


def test_the_tests_are_shared_among_workers_and_get_the_arguments() -> None:
    words = command("test", "ARGS=tests/spine -x")

    assert words[1:4] == ["-m", "pytest", "-n"]
    assert int(words[4]) > 1
    assert words[5:] == ["--dist", "worksteal", "tests/spine", "-x"]


def test_a_row_of_campaigns_is_run_with_its_seed_and_rounds() -> None:
    words = command("campaigns", "ROW=a1", "SEED=7", "ROUNDS=10")

    assert words[:2] == ["SEED=7", "ROUNDS=10"]
    assert words[3:] == ["-m", "pytest", "-m", "campaign", "-k", "a1", "-s"]


def test_all_campaigns_are_run_with_their_defaults() -> None:
    assert command("campaigns")[1:] == ["-m", "pytest", "-m", "campaign", "-s"]


def test_there_are_campaigns_in_the_row_that_the_help_names() -> None:
    found = python(["-m", "pytest", "-m", "campaign", "-k", "a1", "--collect-only", "-q", "tests/crash"], ROOT)

    assert "test_a1_" in found
