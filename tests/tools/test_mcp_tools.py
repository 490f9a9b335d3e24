"""The tools of one MCP server, without an agent around them."""

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psutil

from hosting.adapters.models.mcp import McpTools
from hosting.domain.config_text import convert_config
from hosting.domain.toolset_config import McpServer
from tests.tools.session import wait_until_gone
from tests.tools.test_mcp import TIME


@asynccontextmanager
async def _tools(*, idle_seconds: float = 300.0, **members: Any) -> AsyncIterator[McpTools]:
    described = convert_config({**TIME, **members}, McpServer)
    tools = McpTools(described, {"SOME_TOKEN": "tell-nobody"}, idle_seconds=idle_seconds)
    try:
        yield tools
    finally:
        await tools.close()


def _children() -> list[psutil.Process]:
    return [child for child in psutil.Process().children() if "mcp_server_time" in child.cmdline()]


async def test_a_server_that_no_run_uses_for_a_while_is_ended_and_started_for_the_next() -> None:
    async with _tools(idle_seconds=0) as tools:
        await tools.enter()
        await tools.tools(())
        first = _children()
        await tools.leave()
        await asyncio.to_thread(wait_until_gone, first)

        await tools.enter()
        listed = await tools.tools(())
        second = _children()

    assert (len(first), len(second), len(listed)) == (1, 1, 2)
    wait_until_gone(second)


async def test_if_a_tool_that_needs_permission_is_not_there_by_that_name_all_of_them_ask() -> None:
    async with _tools(requiresPermission=["convert_time"]) as rightly, _tools(requiresPermission=["delete"]) as wrongly:
        right, wrong = [
            {tool.name: tool.requires_permission for tool in await tools.tools(())} for tools in (rightly, wrongly)
        ]

    assert right == {"time_get_current_time": False, "time_convert_time": True}
    assert wrong == {"time_get_current_time": True, "time_convert_time": True}


async def test_tools_that_only_read_are_safe_to_retry_and_a_server_has_few_variables_but_its_own() -> None:
    async with _tools(environment=["SOME_TOKEN"]) as tools:
        listed = await tools.tools(())
        environment = _children()[0].environ()

    assert [tool.safe_to_retry for tool in listed] == [True, True]
    assert environment["SOME_TOKEN"] == "tell-nobody"
    assert set(environment) <= {"SOME_TOKEN", "HOME", "LOGNAME", "PATH", "SHELL", "TERM", "USER"}


async def test_runs_that_begin_while_a_server_hangs_do_not_wait_for_it_one_after_the_other() -> None:
    silence = ["-c", "import sys; sys.stdin.read()"]
    async with _tools(args=silence, startTimeoutSeconds=1) as tools:
        began = time.monotonic()

        listed = await asyncio.gather(*(tools.tools(()) for _ in range(20)))
        took = time.monotonic() - began
        notice = await tools.notice(())

    assert listed == [()] * 20
    assert took < 10
    assert notice == "The tools of time cannot be used at the moment. The MCP server time did not answer within 1 s."


def test_a_server_ends_with_the_process_that_started_it_however_that_ends() -> None:
    command = [sys.executable, "-m", "tests.tools.time_holder"]
    with subprocess.Popen(command, cwd=Path(__file__).parents[2], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        listed = holder.stdout.readline()
        started = psutil.Process(holder.pid).children(recursive=True)

        holder.kill()

    assert (listed, len(started)) == (b"2\n", 1)
    wait_until_gone(started)
