"""Peers that have vanished are found out, and all that the server held for them is free again."""

import asyncio
import os
import shutil
import sys
from pathlib import Path

import pytest

from tests.following.half_open import SOCKETS, STREAMS

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or not (shutil.which("ip") and shutil.which("unshare")),
    reason="Only root can make a network of its own whose packets are lost.",
)

FOUND_WITHIN_SECONDS = 45


async def test_peers_that_vanished_are_found_by_what_is_sent_to_them(tmp_path: Path) -> None:
    seconds, more = await _played(tmp_path, "heartbeat_seconds=0.5", "slow_reader_seconds=0.5")

    assert seconds < 20
    assert more <= 2


@pytest.mark.campaign
@pytest.mark.timeout(120)
async def test_a11_peers_that_vanished_are_found_in_time_as_the_server_is_shipped(tmp_path: Path) -> None:
    seconds, more = await _played(tmp_path)

    print(f"all freed after {seconds} s, {more} files more than before")
    assert seconds <= FOUND_WITHIN_SECONDS
    assert more <= 2
    print(f"a11 {STREAMS + SOCKETS} ok / {STREAMS + SOCKETS} total")


async def _played(folder: Path, *settings: str) -> tuple[float, int]:
    process = await asyncio.create_subprocess_exec(
        "unshare",
        "--net",
        sys.executable,
        "-m",
        "tests.following.half_open",
        str(folder),
        *settings,
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0
    seconds, more = output.split()
    return float(seconds), int(more)
