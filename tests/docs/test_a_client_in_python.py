"""The client in 40 lines of Python does what its page promises."""

import asyncio
import shlex
from pathlib import Path
from typing import Any

import pytest

from tests.docs.pages import Page
from tests.docs.program import Program
from tests.docs.walk import BASE
from tests.harness.cable import Cable
from tests.harness.client import Client
from tests.harness.patience import Patience
from tests.harness.process import ServerProcess

PAGE = Page("docs/how-to/a-client-in-python.md")
(SAMPLE,) = PAGE.samples("python")
HELLO, PERMISSION = (shlex.split(sample.text) for sample in PAGE.samples("sh"))


async def test_the_client_has_no_more_than_forty_lines() -> None:
    lines = [line for line in SAMPLE.text.splitlines() if line and not line.startswith("#")]

    assert len(lines) <= 40
    assert [line for line in lines if len(line) > 120] == []


async def test_it_prints_the_answer(tmp_path: Path, sqlite_server: ServerProcess) -> None:
    program = await start(HELLO, tmp_path, sqlite_server.url)

    assert await program.output() == "You said: Hello — try /help for more.\ncompleted\n"


async def test_an_event_may_hold_what_others_take_for_the_end_of_a_line(
    tmp_path: Path, sqlite_server: ServerProcess
) -> None:
    program = await start([*HELLO[:-1], "one\u2028two\u0085three"], tmp_path, sqlite_server.url)

    assert await program.output() == "You said: one\u2028two\u0085three — try /help for more.\ncompleted\n"


async def test_a_connection_that_is_cut_costs_no_word(
    tmp_path: Path, sqlite_server: ServerProcess, sqlite_client: Client
) -> None:
    async with Cable(sqlite_server.url) as cable:
        program = await start([*HELLO[:-1], "/tokens 100 20"], tmp_path, cable.url)
        await logged(sqlite_client, "TEXT_DELTA")

        cut = cable.cut()
        output = await program.output()

    assert cut > 0
    assert output == "".join(f"tok{index} " for index in range(100)) + "\ncompleted\n"


@pytest.mark.parametrize(
    ("typed", "result"), [("y", "notes.txt was deleted."), ("n", "The user denied this call.")], ids=["allow", "deny"]
)
async def test_it_asks_at_the_prompt(
    tmp_path: Path, sqlite_server: ServerProcess, sqlite_client: Client, typed: str, result: str
) -> None:
    program = await start(PERMISSION, tmp_path, sqlite_server.url)
    question = await logged(sqlite_client, "PERMISSION_REQUEST")

    output = await program.output(f"{typed}\n")

    prompt = f"delete_file {question['arguments']}: may it? [y/N] "
    assert output == f"I would like to delete a file.\n{prompt}delete_file: {result}\ncompleted\n"
    answer = await logged(sqlite_client, "PERMISSION_RESPONSE")
    assert (answer["permissionId"], answer["approved"]) == (question["permissionId"], typed == "y")


async def test_it_says_so_when_somebody_else_was_first(
    tmp_path: Path, sqlite_server: ServerProcess, sqlite_client: Client
) -> None:
    program = await start(PERMISSION, tmp_path, sqlite_server.url)
    question = await logged(sqlite_client, "PERMISSION_REQUEST")
    answer = {"type": "PERMISSION_RESPONSE", "permissionId": question["permissionId"], "approved": False}
    path = f"{sqlite_client.path(question['sessionId'])}/responses"
    assert (await sqlite_client.http.post(path, json=answer)).status_code == 200

    output = await program.output("y\n")

    assert "already-resolved" in output
    assert output.endswith("The user denied this call.\ncompleted\n")


async def logged(client: Client, event_type: str) -> dict[str, Any]:
    """Return the first event of a type in the one session there will be, once it is in the log."""
    patience = Patience()
    async with asyncio.timeout(30):
        while True:
            for session in (await client.http.get("/sessions")).json():
                for event in await client.log(session["id"]):
                    if event["type"] == event_type:
                        return event
            await patience.wait()


async def start(command: list[str], folder: Path, url: str) -> Program:
    """Write the sample for a server that is really there, and start it as its page says."""
    assert command[:2] == ["python", SAMPLE.file_name]
    (folder / SAMPLE.file_name).write_text(SAMPLE.text.replace(BASE, url))
    return await Program.start(*command[1:], folder=folder)
