"""A real MCP server, over stdio and over HTTP: its tools are an agent's, and its faults are results of calls."""

import asyncio
import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import psutil
import pytest

from tests.harness.client import Client
from tests.harness.order import check_log
from tests.harness.ports import kept_port
from tests.harness.process import ServerProcess
from tests.harness.sqlite import sqlite_database
from tests.tools.session import TOOLBOX, Toolbox, processes_of, wait_until_gone, write_toolsets

ROOT: Final = Path(__file__).parents[2]
KEY: Final = "tell-nobody"
TIME: Final[dict[str, Any]] = {
    "name": "time",
    "command": sys.executable,
    "args": ["-m", "mcp_server_time", "--local-timezone", "UTC"],
}
ARGUMENTS: Final = '{"timezone": "UTC"}'
NOW: Final = f"time_get_current_time {ARGUMENTS}"
THERE: Final = f"there_get_current_time {ARGUMENTS}"


@pytest.fixture(scope="module")
def own_port() -> Iterator[int]:
    """A port where this file's tests let the server listen over HTTP."""
    with kept_port() as own:
        yield own


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, own_port: int) -> Iterator[ServerProcess]:
    """A server whose agent has the tools of several servers; nobody listens yet at the one over HTTP."""
    folder = tmp_path_factory.mktemp("toolbox")
    server = ServerProcess(folder, sqlite_database(folder), TOOLBOX)
    at, of_another = f"http://127.0.0.1:{own_port}/mcp", {"Authorization": "tell-no-one"}
    gated = {**TIME, "name": "gated", "requiresPermission": True, "tools": ["convert_time"]}
    there = {"name": "there", "url": f"{at}?key={KEY}", "headers": {"Authorization": f"Bearer {KEY}"}}
    write_toolsets(
        server,
        mcpServers=[
            {**TIME, "timeoutSeconds": 1.5},
            {**gated, "args": [*TIME["args"][:-1], "Asia/Tokyo"]},
            {"name": "absent", "command": "no-such-command-anywhere"},
            there,
            {"name": "stranger", "url": at, "headers": of_another},
        ],
    )
    with server:
        yield server


@pytest.fixture
async def box(server: ServerProcess) -> AsyncIterator[Toolbox]:
    """A conversation with the agent; its log is in order at the end."""
    async with Client(server.url, "toolbox") as client:
        box = Toolbox(client, await client.session())
        yield box
        check_log(await client.log(box.session))


async def test_the_tools_of_a_server_over_stdio_are_the_agents(box: Toolbox) -> None:
    both = await box.does(f'{NOW} & time_get_current_time {{"timezone": "Mars"}}')
    accepted = await box.client.accepted(
        box.session, 'gated_convert_time {"source_timezone": "UTC", "time": "12:00", "target_timezone": "Asia/Tokyo"}'
    )
    async with box.client.feed(box.session, after=accepted["position"]) as feed:
        asked = (await feed.until(lambda event: event["type"] == "PERMISSION_REQUEST"))[-1].json
    await box.answer(asked, approved=True)
    converted = await box.ended(accepted["runtimeRunId"])

    right, wrong = sorted(both.results, key=lambda result: "resultType" in result)
    assert (right["json"]["timezone"], right["json"]["is_dst"]) == ("UTC", False)
    assert (wrong["resultType"], "Mars" in wrong["text"]) == ("error", True)
    told = [(event["callType"], event["toolHarnessName"]) for event in both.of("TOOL_CALL_START", "TOOL_CALL_RESULT")]
    assert told == [("mcp_server", "time")] * 4
    assert asked["functionName"] == "gated_convert_time"
    assert converted.results[0]["json"]["time_difference"] == "+9.0h"


async def test_an_agent_runs_without_the_servers_that_are_not_there_and_is_told_so(box: Toolbox) -> None:
    told = await box.does("?")

    names, *notices = told.text.split("\n")
    assert names.split() == ["gated_convert_time", "time_convert_time", "time_get_current_time"]
    assert [notice for notice in notices if notice] == [
        "The tools of absent cannot be used at the moment. The MCP server absent cannot be started.",
        "The tools of there cannot be used at the moment. The MCP server there cannot be reached.",
        "The tools of stranger cannot be used at the moment. The MCP server stranger cannot be reached.",
    ]


async def test_a_server_that_crashes_or_hangs_is_an_error_of_the_call_and_comes_back(
    server: ServerProcess, box: Toolbox
) -> None:
    await box.does(NOW)

    _time_of(server).kill()
    between_calls = await box.does(NOW, NOW)
    process = _time_of(server)
    process.suspend()
    in_mid_call = await _killed_in_mid_call(box, process, f"{NOW}\n{NOW}")
    process = _time_of(server)
    process.suspend()
    hanging = await box.does(NOW, NOW)

    for told, kind in ((between_calls, "error"), (in_mid_call, "error"), (hanging, "timeout")):
        assert told.run["status"] == "completed"
        assert [result.get("resultType") for result in told.results] == [kind, None]
    assert "has gone away" in in_mid_call.results[0]["text"]
    await asyncio.to_thread(wait_until_gone, [process])


async def test_the_tools_of_a_server_over_http_are_the_agents_and_its_crash_is_an_error_of_the_call(
    server: ServerProcess, box: Toolbox, own_port: int
) -> None:
    with _time_over_http(own_port):
        seen = await _seen(box, "there_get_current_time")
        called = await box.does(THERE)
    gone = await box.does(THERE)
    with _time_over_http(own_port) as process:
        await box.does(THERE)
        # Not suspended: whoever asked it for its tools then would wait longer than this test.
        process.send_signal(signal.SIGUSR1)
        in_mid_call = await _killed_in_mid_call(box, process, THERE)
    with _time_over_http(own_port):
        back = await box.does(THERE)
    log = json.dumps(await box.client.log(box.session))

    assert "The MCP server stranger cannot be reached." in seen
    assert called.results[0]["json"]["timezone"] == "UTC"
    (start,) = called.of("TOOL_CALL_START")
    assert (start["callType"], start["toolHarnessName"]) == ("mcp_server", "there")
    for told in (gone, in_mid_call):
        assert told.run["status"] == "completed"
        assert [result["resultType"] for result in told.results] == ["error"]
    assert [result.get("resultType") for result in back.results] == [None]
    for text in (log, server.errors.read_text()):
        assert (KEY in text, "tell-no-one" in text) == (False, False)


async def _killed_in_mid_call(box: Toolbox, process: psutil.Process, lines: str) -> Any:
    accepted = await box.client.accepted(box.session, lines)
    async with box.client.feed(box.session, after=accepted["position"]) as feed:
        await feed.until(lambda event: event["type"] == "TOOL_CALL_ARGS")
    process.kill()
    return await box.ended(accepted["runtimeRunId"])


async def _seen(box: Toolbox, name: str) -> str:
    """Return what the model sees as soon as a tool is there: a server that was down is not asked at once again."""
    async with asyncio.timeout(10):
        while name not in (told := await box.does("?")).text:
            pass
    return told.text


def _time_of(server: ServerProcess) -> psutil.Process:
    (process,) = [process for process in processes_of(server) if process.cmdline()[-1:] == ["UTC"]]
    return process


@contextmanager
def _time_over_http(port: int) -> Iterator[psutil.Process]:
    """Run the server until the end of the block; it may have died by then."""
    command = [sys.executable, "-m", "tests.tools.time_over_http", str(port), KEY]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            _wait_until_listening(port)
            yield psutil.Process(process.pid)
        finally:
            process.kill()


def _wait_until_listening(port: int) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
        except ConnectionRefusedError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        else:
            return
