"""A run has an end whatever its log holds: it is not always read, and never trusted, when a run is only to be ended."""

import asyncio
from collections.abc import Callable

import httpx
import pytest

from hosting.adapters.sql.ranges import range_checksum
from tests.fleet.gate import Gate
from tests.fleet.hearing import interrupt
from tests.fleet.offers import item_within
from tests.fleet.relaying import Work
from tests.fleet.reporting import act, assigned, calls, state, told_of
from tests.harness.order import check_log

# Sealed anew: what is read is what is written, and only that is nonsense.
ARGUMENTS = (b'"argsJson":"{', b'"argsJson":"x')
NO_EVENT = (b'"callId":"tu_1"', b'"callId":123456')
A_DEPTH = (b'"inputMessageCount":1', b'"metadata":{"depth":"deep"},"inputMessageCount":1')


async def forge(gate: Gate, work: Work, change: Callable[[bytes], bytes], *, seal: bool = True) -> int:
    """Change what the log holds of a run, and return how many rows that were; unsealed, their checksums are wrong."""
    rows = await gate.execute(
        "SELECT number, branch_key, first_seq, last_seq, frames, checksum FROM events WHERE run_id = :run", run=work.run
    )
    changed = 0
    for number, key, first, last, frames, checksum in rows:
        forged = change(bytes(frames))
        changed += forged != frames
        sealed = range_checksum(key, first, last, forged) if seal else checksum
        await gate.execute(
            "UPDATE events SET frames = :frames, checksum = :checksum WHERE number = :number",
            frames=forged,
            checksum=sealed,
            number=number,
        )
    return changed


async def in_a_call(local: httpx.AsyncClient) -> Work:
    work = await assigned(local)
    await work.published("turn-0", (0, "Let me look."))
    await act(work, "Read: a.py", toolName="Read", toolInput={"path": "a.py"}, toolUseId="tu_1")
    return work


async def free(work: Work) -> None:
    """Make sure that the branch takes another input, which somebody works on."""
    accepted = await work.client.accepted(work.session, "Next.")
    item = await item_within(work.worker)
    await work.worker.told(item["sessionId"], "status", status="completed")
    await work.client.ended(work.session, accepted["runtimeRunId"])


async def test_arguments_that_are_no_json_do_not_keep_a_run_from_its_end(gate: Gate, local: httpx.AsyncClient) -> None:
    work = await in_a_call(local)
    changed = await forge(gate, work, lambda frames: frames.replace(*ARGUMENTS))

    await interrupt(work)

    log = await work.client.log(work.session)
    check_log(log)
    assert changed == 1
    assert calls(log) == [(kind, "tu_1") for kind in ("START", "ARGS", "RESULT", "END")]
    assert told_of(log, "BRANCH_RUN_COMPLETED")[0]["status"] == "cancelled"
    await free(work)


@pytest.mark.parametrize("nonsense", [NO_EVENT, A_DEPTH], ids=["no event", "a depth"])
async def test_what_cannot_be_read_does_not_keep_a_run_from_its_end(
    gate: Gate, local: httpx.AsyncClient, nonsense: tuple[bytes, bytes]
) -> None:
    work = await in_a_call(local)
    changed = await forge(gate, work, lambda frames: frames.replace(*nonsense))

    await interrupt(work)

    assert changed >= 1
    assert (await state(work))["status"] == "stopped"
    await free(work)


async def test_a_damaged_log_does_not_keep_a_run_from_its_end(gate: Gate, local: httpx.AsyncClient) -> None:
    work = await in_a_call(local)
    changed = await forge(gate, work, lambda frames: frames.replace(b"Let me look.", b"Let me lie. "), seal=False)

    async with asyncio.timeout(20):
        await interrupt(work)

    assert changed == 1
    assert (await state(work))["status"] == "stopped"
