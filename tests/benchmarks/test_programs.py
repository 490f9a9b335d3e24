"""Each benchmark runs, and what it checks while it measures cannot be fooled."""

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from benchmarks.audience import Audience
from benchmarks.crowd import Crowd
from benchmarks.local_model import judge
from benchmarks.machine import Load
from benchmarks.plan import Plan
from benchmarks.process import ServerProcess
from benchmarks.publish import PAGE, merged, publish
from benchmarks.report import Report, Results, line
from benchmarks.row import Row
from benchmarks.scenarios.all import SCENARIOS
from benchmarks.scenarios.model_agent import Heard
from benchmarks.servers.fan_out_order import FanOutOrder
from benchmarks.soak import State, soak, tell
from benchmarks.stream import EventsLost, Stream, check_numbers, drain
from benchmarks.tokens import BARE_EPOCH, END, token_frames
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
        processes=1,
        seconds=0.1,
        tokens=(300,),
        runs=3,
        tokens_each=5,
        inputs=2,
        readers=READERS,
        burst_events=64,
        single_events=20,
        many_readers=READERS,
        many_events=5,
        branches=4,
        paced_runs=3,
        connections=4,
        stuck_rate=1_000,
        encodings=32,
        appends=3,
        paced_appends=500,
        joiners=5,
        joined_tokens=200,
        relayed_sessions=4,
        routed_sessions=2,
        selects=6,
    )


@pytest.fixture
def ring() -> Iterator[ServerProcess]:
    """A running bare ASGI ring."""
    with ServerProcess("ring") as server:
        yield server


IDS = {
    "P1": ["P1"] * 3,
    "P2": ["P2"] * 2,
    "P3": ["P3"] * 2,
    "P3B": ["P3b"],
    "P5": ["P5"],
    "A1": ["A1"] * 2,
    "A2": ["A2"] * 3,
    "A3": ["A3"] * 3,
    "A4": ["A4"],
    "A5": ["A5"],
    "A6": ["A6"] * 2,
    "B1": ["B1"],
    "B2": ["B2"],
    "B3": ["B3", "B3", "B3", "B3", "P5b"],
    "B4": ["B4"],
    "C1": ["C1"] * 2,
    "D1": ["D1"] * 2,
    "D2": ["D2"],
    "M1": ["M1"],
    "M2": ["M2"],
    "W1": ["W1"],
    "R1": ["R1"],
}
SHORT = {"P3B", "P5", "A6", "B1", "C1", "D1", "D2", "M2", "W1", "R1"}
"""Rows that between them need all that the others do; each of those starts more servers, which takes its time."""


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in SHORT else pytest.mark.campaign) for name in IDS]
)
def test_a_scenario_loses_nothing_and_says_what_it_found(name: str, tiny: Plan) -> None:
    rows = SCENARIOS[name](tiny)

    assert [row.id for row in rows] == IDS[name]
    assert all(row.subject and row.goal for row in rows)
    assert all(row.calibration for row in rows if row.ratio is not None)
    assert all(row.ratio is not None for row in rows if row.asserted)
    assert list(tiny.folder.iterdir()) == []


def test_every_row_is_known() -> None:
    assert set(IDS) == set(SCENARIOS)


def test_a_soak_finds_nothing_left_behind(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    same = soak(tmp_path, 1.0, visitors=2, seed=7)

    assert same, capsys.readouterr().out


def test_a_soak_sees_what_is_left(capsys: pytest.CaptureFixture[str]) -> None:
    before = State(memory=1 << 20, sockets=3, files=20, threads=8, rows={"runs": 0})
    leaks = [
        replace(before, memory=40 << 20),
        replace(before, sockets=4),
        replace(before, files=40),
        replace(before, threads=20),
        replace(before, rows={"runs": 1}),
    ]

    told = [tell(before, after, []) for after in leaks]

    assert told == [False] * len(leaks)
    assert tell(before, before, [])
    assert not tell(before, before, ["ConnectionError"])
    assert "rows 0 -> 1 {'runs': (0, 1)}" in capsys.readouterr().out


def row(**changes: Any) -> Row:
    """Return a row that is met."""
    met = Row("A2", "3 readers, 1 write", "9k ev/s", "bare 10k ev/s", 0.9, ">= 0.75", met=True, load=Load(0.4, 0.0))
    return replace(met, **changes)


def test_a_line_says_ratio_goal_verdict_and_load() -> None:
    missed = row(ratio=0.5, met=False, load=Load(6.0, 1.5))

    assert line(row()) == (
        "A2 ratio 0.90 goal >= 0.75 ok (load 0.4, others 0.0)  3 readers, 1 write: 9k ev/s | bare 10k ev/s"
    )
    assert "MISSED (load 6.0, others 1.5, busy machine: not to be quoted)" in line(missed)


def test_only_a_missed_ratio_on_a_quiet_machine_is_a_failure() -> None:
    report = Report()
    failure = row(met=False, asserted=True)
    for each in (row(asserted=True), row(met=False), row(met=False, asserted=True, load=Load(9.0, 2.0)), failure):
        report.add(each)

    assert report.failures == [failure]


def test_the_page_gets_its_table_and_plots_and_keeps_its_words(tmp_path: Path) -> None:
    page = tmp_path / "performance.md"
    page.write_text(PAGE.read_text("utf-8"), "utf-8")
    slow = row(id="A4", latencies={"Branchline": (0.001, 0.004), "bare": (0.001, 0.002)})
    fast = row(rates={"Branchline": 9_000.0, "bare": 10_000.0})

    publish(Results("3.11", 2, "2026-01-02 03:04", [slow, fast]), page)
    publish(Results("3.11", 2, "2026-01-02 03:05", [slow, row(id="B1", scenario="a <b> & c", rates={"x": 1.0})]), page)

    text = page.read_text("utf-8")
    assert "| A4 | 3 readers, 1 write | 9k ev/s | bare 10k ev/s | 0.90 | >= 0.75 | met |" in text
    assert "03:04" not in text
    assert "## Run it" in text
    for name in ("fan-out.svg", "latency.svg"):
        assert ElementTree.parse(tmp_path / name).getroot().tag.endswith("svg")
    assert "a &lt;b&gt; &amp; c" in (tmp_path / "fan-out.svg").read_text("utf-8")


def test_rows_of_a_later_file_win(tmp_path: Path) -> None:
    first, second = Report(), Report()
    for report, rows in ((first, [row(), row(id="A1")]), (second, [row(ratio=0.8)])):
        for each in rows:
            report.add(each)
    files = [first.save(tmp_path / "first"), second.save(tmp_path / "second")]

    results = merged(files)

    assert [(each.id, each.ratio) for each in results.rows] == [("A2", 0.8), ("A1", 0.9)]


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
    with Crowd(ring.port, ["/live"] * READERS) as crowd:
        order = FanOutOrder(Position(BARE_EPOCH, 1), 10, 1)
        post(ring.port, "/publish", {"text": str(order)})

        with pytest.raises(EventsLost):
            crowd.read(11, ring.cpu_seconds, seconds=1)


def test_a_crowd_counts_every_event_of_every_reader(ring: ServerProcess) -> None:
    with Crowd(ring.port, ["/live"] * READERS) as crowd:
        order = FanOutOrder(Position(BARE_EPOCH, 1), 40, 4)
        post(ring.port, "/publish", {"text": str(order)})

        delivery = crowd.read(40, ring.cpu_seconds, seconds=10)

    assert delivery.events == 40 * READERS
    assert delivery.events_per_write == 4
    assert crowd.place.seq == 40


def test_an_audience_tells_how_long_each_event_took_to_each_reader(ring: ServerProcess) -> None:
    with Audience(ring.port, ["/live"] * READERS) as audience:
        for first in (1, 11):
            order = FanOutOrder(Position(BARE_EPOCH, first), 10, 5, pace=200)
            post(ring.port, "/publish", {"text": str(order)})

            latencies = audience.listen(END, None, seconds=10)

            assert len(latencies) == 10 * READERS
            assert all(0 < latency < 10e9 for latency in latencies)


def test_an_audience_that_misses_an_event_says_so(ring: ServerProcess) -> None:
    with Audience(ring.port, ["/live"] * READERS) as audience:
        order = FanOutOrder(Position(BARE_EPOCH, 2), 5, 5, pace=200)
        post(ring.port, "/publish", {"text": str(order)})

        with pytest.raises(EventsLost):
            audience.listen(END, None, seconds=10)


def test_a_run_whose_words_come_all_at_once_is_not_taken_for_a_stream() -> None:
    judged = [judge(0.0, times) is None for times in ([], [1.0], [1.0, 1.0, 1.0], [1.0, 1.1])]

    assert judged == [False, False, False, True]


def test_words_of_a_model_that_are_lost_or_out_of_order_are_seen() -> None:
    heard = [Heard([(number, 1.0, 1.5) for number in numbers]) for numbers in ([0, 1, 2], [0, 2], [0, 2, 1], [0, 0, 1])]

    assert heard[0].latencies(3) == [0.5] * 3
    for missing in (heard[0], *heard[1:]):
        with pytest.raises(EventsLost):
            missing.latencies(4 if missing is heard[0] else 3)
