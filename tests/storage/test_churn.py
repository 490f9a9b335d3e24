"""A12: clients that come and go leave nothing behind in a server: no memory, no descriptor, no task."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.harness.process import ServerProcess
from tests.storage.churn import Churn

Make = Callable[..., ServerProcess]

AGENTS = str(Path(__file__).with_name("census_agents.py"))
MOST_GROWTH_IN_TEN_MINUTES = 1.0
"""MiB."""
MORE_FILES = 6
"""The threads that read SQLite come to be when they are first needed, and each opens the file and its log."""
MORE_TASKS = 2
MOST_GROWTH_OF_A_SHORT_CHURN = 24.0


def told(churn: Churn) -> tuple[int, int]:
    """Print the censuses and return by how much tasks and descriptors grew since the first."""
    first, last = churn.taken[0], churn.taken[-1]
    for census in churn.taken:
        print(f"A12 {census.at:6.0f} s: {census.mebibytes:.1f} MiB, {census.files} descriptors, {census.tasks} tasks")
    more = {name: count for name, count in last.which.items() if count > first.which.get(name, 0)}
    half = churn.taken[len(churn.taken) // 2]
    grown = {name: count - half.objects.get(name, count) for name, count in last.objects.items()}
    print(f"A12 objects since half time: { ({name: more for name, more in grown.items() if abs(more) > 9}) }")
    print(f"A12 {churn.visits} visits; tasks that there are more of than at first: {more}")
    return last.tasks - first.tasks, last.files - first.files


@pytest.mark.timeout(120)
async def test_clients_that_come_and_go_leave_no_task_and_no_descriptor(make_server: Make, sqlite_url: str) -> None:
    churn = Churn(make_server(sqlite_url, AGENTS, fold_seconds=0.2).start(), seed=12)

    await churn.run(seconds=9, lap_seconds=3)

    tasks, files = told(churn)
    assert tasks <= MORE_TASKS
    assert files <= MORE_FILES
    assert churn.taken[-1].mebibytes - churn.taken[0].mebibytes < MOST_GROWTH_OF_A_SHORT_CHURN


@pytest.mark.campaign
@pytest.mark.timeout(1800)
async def test_a12_twenty_minutes_of_churn_leave_memory_where_it_was(make_server: Make, database_url: str) -> None:
    seconds, seed = float(os.environ.get("SECONDS_OF_CHURN", "1200")), int(os.environ.get("SEED", "12"))
    churn = Churn(make_server(database_url, AGENTS).start(), seed)

    await churn.run(seconds=seconds, lap_seconds=max(5.0, seconds / 60))

    tasks, files = told(churn)
    slope = churn.memory_slope(warm_share=0.3)
    print(f"A12 {slope:.2f} MiB in ten minutes, {files} more descriptors, {tasks} more tasks")
    assert tasks <= MORE_TASKS
    assert files <= MORE_FILES
    assert slope <= MOST_GROWTH_IN_TEN_MINUTES
    print("a12 1 ok / 1 total")
