"""Each benchmark runs, and what it checks while it measures cannot be fooled."""

import json
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from benchmarks.crowd import Crowd
from benchmarks.plan import Plan
from benchmarks.process import ServerProcess
from benchmarks.row import Row
from benchmarks.scenarios.fan_out import against_stock, in_bursts, one_by_one
from benchmarks.scenarios.first_event import first_event
from benchmarks.scenarios.many_runs import many_runs
from benchmarks.scenarios.one_run import one_run
from benchmarks.servers.fan_out_order import FanOutOrder
from benchmarks.stream import EventsLost, Stream, check_numbers, drain
from benchmarks.tokens import BARE_EPOCH, token_frames
from benchmarks.wire import post

from events.position import Position

ROOT = Path(__file__).parents[2]
READERS = 3


@pytest.fixture
def tiny(tmp_path: Path) -> Plan:
    """As little as shows that a program works."""
    return Plan(
        tmp_path,
        rounds=1,
        repeats=1,
        tokens=(300,),
        runs=3,
        tokens_each=5,
        inputs=2,
        readers=READERS,
        burst_events=64,
        single_events=20,
    )


@pytest.fixture
def ring() -> Iterator[ServerProcess]:
    """A running bare ASGI ring."""
    with ServerProcess("ring") as server:
        yield server


@pytest.mark.parametrize(
    ("scenario", "ids"),
    [
        (first_event, ["P1"] * 3),
        (one_run, ["P2"] * 2),
        (many_runs, ["P3"] * 2),
        (in_bursts, ["A1"] * 2),
        (one_by_one, ["A2"] * 3),
        (against_stock, ["A6"] * 2),
    ],
)
def test_a_scenario_loses_nothing_and_says_what_it_found(
    scenario: Callable[[Plan], list[Row]], ids: list[str], tiny: Plan
) -> None:
    rows = scenario(tiny)

    assert [row.id for row in rows] == ids
    assert all(row.subject and row.goal for row in rows)
    assert all(row.calibration for row in rows if row.ratio is not None)
    assert list(tiny.folder.iterdir()) == []


def test_a_table_and_a_file_come_out_and_a_missed_goal_is_no_error(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "benchmarks", "p2", "--rounds", "1", "--quick", "--folder", str(tmp_path)]

    ended = subprocess.run(command, check=False, capture_output=True, text=True, timeout=100, cwd=ROOT)

    assert ended.returncode == 0, ended.stderr
    assert "goal >= 50k tok/s" in ended.stdout
    (kept,) = tmp_path.glob("results-*.json")
    rows = json.loads(kept.read_text())["rows"]
    assert [row["id"] for row in rows] == ["P2", "P2"]
    assert len(rows[0]["samples"]["prepared"]["streaming"]) == 1


def test_an_unknown_id_is_refused() -> None:
    command = [sys.executable, "-m", "benchmarks", "Z9"]

    ended = subprocess.run(command, check=False, capture_output=True, text=True, timeout=100, cwd=ROOT)

    assert ended.returncode == 2
    assert "There is no Z9" in ended.stderr


@pytest.mark.parametrize("spoil", ["leave one out", "swap two", "send one twice"])
def test_a_hole_in_the_numbers_is_seen(spoil: str) -> None:
    frames = token_frames(Position(BARE_EPOCH, 7), 5)
    spoiled = {
        "leave one out": [*frames[:2], *frames[3:]],
        "swap two": [frames[0], frames[2], frames[1], *frames[3:]],
        "send one twice": [*frames[:2], frames[1], *frames[2:]],
    }[spoil]

    whole = check_numbers(b"".join(frames), BARE_EPOCH, 7)

    assert whole == 5
    with pytest.raises(EventsLost):
        check_numbers(b"".join(spoiled), BARE_EPOCH, 7)


def test_a_stream_that_does_not_end_is_not_taken_for_a_whole_one() -> None:
    near, far = socket.socketpair()
    with near, far:
        far.sendall(b"part of it")

        with pytest.raises(EventsLost):
            drain([Stream(near, b"END")], seconds=0.05)


def test_an_end_marker_cut_in_two_is_found_and_pieces_keep_their_order() -> None:
    near, far = socket.socketpair()
    with near, far:
        stream = Stream(near, b"END", began=b"first E")
        far.sendall(b"ND")

        drain([stream], seconds=5)

    assert stream.received() == b"first END"
    assert stream.first(b"first") < stream.last(b"D")


def test_a_crowd_that_misses_events_says_so(ring: ServerProcess) -> None:
    with Crowd(ring.port, "/live", READERS) as crowd:
        order = FanOutOrder(Position(BARE_EPOCH, 1), 10, 1)
        post(ring.port, "/publish", {"text": str(order)})

        with pytest.raises(EventsLost):
            crowd.read(11, ring.cpu_seconds, seconds=1)


def test_a_crowd_counts_every_event_of_every_reader(ring: ServerProcess) -> None:
    with Crowd(ring.port, "/live", READERS) as crowd:
        order = FanOutOrder(Position(BARE_EPOCH, 1), 40, 4)
        post(ring.port, "/publish", {"text": str(order)})

        delivery = crowd.read(40, ring.cpu_seconds, seconds=10)

    assert delivery.events == 40 * READERS
    assert delivery.events_per_write == 4
    assert crowd.place.seq == 40
