"""Every sample on every page works."""

import os
import re
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.docs.curl import CurlLine, Runner, WithCurl, WithHarness
from tests.docs.pages import README, Page, all_pages, pages_with
from tests.docs.program import Program
from tests.docs.test_conversation_pages import CONVERSATION
from tests.docs.test_definitions_page import DEFINITIONS
from tests.docs.test_first_worker import FIRST_WORKER
from tests.docs.walk import BASE, Walk

_RUN_HERE = {"python", "sh", "order"}
_RUN_IN_A_BROWSER = {"html", "js"}
_READ_ONLY = {"json", "mermaid", "text", "toml"}

TUTORIAL = Page("docs/tutorials/first-agent.md")
CUSTOM = Page("docs/how-to/register-a-custom-event.md")
PYTHON_CLIENT = Page("docs/how-to/a-client-in-python.md")
# Done in a browser, by tests/browser.
BROWSER = Page("docs/how-to/a-client-in-the-browser.md")

_DONE_BY_THEMSELVES = {README, TUTORIAL, CUSTOM, PYTHON_CLIENT, BROWSER, DEFINITIONS, FIRST_WORKER, *CONVERSATION}

# Where there is no curl, the harness does what its lines say.
RUNNERS: list[Runner] = [WithCurl() if shutil.which("curl") else WithHarness()]


@pytest.mark.parametrize("runner", RUNNERS, ids=lambda runner: type(runner).__name__)
async def test_the_readme_shows_what_one_sees(walk: Callable[[Page, Runner], Walk], runner: Runner) -> None:
    async with walk(README, runner) as walked:
        await walked.go()

        hello, resumed, after_the_kill, *_ = walked.follows
        await after_the_kill.until("BRANCH_RUN_COMPLETED")
        sent = {line.split('"')[1]: output for line, output in walked.outputs.items() if line.startswith("branchline")}

    frames = [frame for frame in hello.frames if frame.data is not None]
    end = hello.types.index("BRANCH_RUN_COMPLETED") + 1
    run, next_run = frames[:end], frames[end : hello.types.index("BRANCH_RUN_COMPLETED", end) + 1]
    assert [f"{run[0].json['eventId'].partition('.')[0]}.{seq}" for seq in range(2, 21)] == [frame.id for frame in run]
    assert (run[0].json["type"], run[7].json["text"], run[18].json["status"]) == (
        "BRANCH_RUN_STARTED",
        "You",
        "completed",
    )
    behind = [frame for frame in resumed.frames if frame.data is not None]
    assert [frame.data for frame in next_run] == [frame.data for frame in behind[: len(next_run)]]
    asked = after_the_kill.types[: after_the_kill.types.index("BRANCH_RUN_COMPLETED")]
    assert (asked[0], asked.count("MODEL_CALL_RETRY")) == ("BRANCH_RUN_STARTED", 1)
    assert "You said: Hello" in sent["Hello"]
    assert '"type":"BRANCH_RUN_COMPLETED"' in sent["Say it as events"].splitlines()[-1]
    assert "GOOD! MORNING!" in sent["good morning"]


@pytest.mark.parametrize(
    "page",
    [page for page in pages_with("python", "sh") if page not in _DONE_BY_THEMSELVES],
    ids=lambda p: p.name,
)
async def test_what_a_page_says_works(walk: Callable[[Page, Runner], Walk], page: Page) -> None:
    async with walk(page, WithHarness()) as walked:
        await walked.go()

    assert walked.outputs
    assert all(output.strip() for output in walked.outputs.values())


async def test_a_custom_event_is_on_the_feed_as_its_page_shows(walk: Callable[[Page, Runner], Walk]) -> None:
    async with walk(CUSTOM, WithHarness()) as walked:
        await walked.go()
        await walked.follows[0].until("BRANCH_RUN_COMPLETED")

    event = next(frame.json for frame in walked.follows[0].frames if frame.data and "RETRIEVAL_PROGRESS" in frame.data)
    assert (event["source"], event["documentsFound"]) == ("catalogue", 3)
    assert "note" not in event


async def test_the_tutorials_agents_answer_as_it_says(walk: Callable[[Page, Runner], Walk]) -> None:
    async with walk(TUTORIAL, WithHarness()) as walked:
        await walked.go()
        await walked.follows[0].until("BRANCH_RUN_COMPLETED")

    seen = [frame.json for frame in walked.follows[0].frames if frame.data]
    seen = seen[: [event["type"] for event in seen].index("BRANCH_RUN_COMPLETED") + 1]
    types = [event["type"] for event in seen]
    said = [event["text"] for event in seen if event["type"] == "TEXT_DELTA"]
    outputs = {line.split()[-1]: output for line, output in walked.outputs.items()}
    sent = next(output for line, output in walked.outputs.items() if "notes.txt" in line)
    counted = next(output for line, output in walked.outputs.items() if "--agent words" in line)
    assert "You want notes.txt gone; I have to ask first.\n" in sent
    assert "notes.txt is deleted.\n" in sent
    assert said == ["You want holiday.jpg gone; I have to ask first.", "holiday.jpg is deleted."]
    assert [types.count(kind) for kind in ("PERMISSION_REQUEST", "TOOL_CALL_START", "TOOL_CALL_RESULT")] == [1] * 3
    assert (types[0], seen[-1]["status"]) == ("BRANCH_RUN_STARTED", "completed")
    assert "1. how\n2. many\n" in counted
    assert "That makes 5 words." in counted
    assert "tidier.py is an agent" in outputs["tidier"]
    assert ["2 passed" in outputs[name] for name in ("test_tidier.py", "test_cleaner.py")] == [True, True]


async def test_the_readmes_first_three_commands_are_those_that_serve_prints(tmp_path: Path) -> None:
    program = await Program.start("-m", "hosting", "serve", "--port", "0", folder=tmp_path)

    try:
        base = (await program.find(r"listens on (http://\S+:\d+)"))[1]
        printed = [(await program.find(r"(curl .*)$"))[1].replace(base, BASE) for _ in range(3)]
    finally:
        await program.kill()

    written = [line for sample in README.samples("sh") for line in sample.text.splitlines()]
    assert printed == [line for line in written if line.startswith("curl")][:3]


async def test_the_process_that_serve_names_is_the_one_to_kill(tmp_path: Path) -> None:
    program = await Program.start("-m", "hosting", "serve", "--port", "0", folder=tmp_path)

    try:
        greeting = await program.find(r"Branchline listens on (http://\S+:\d+) \(process (\d+)\)\.")
        os.kill(int(greeting[2]), signal.SIGKILL)
        status = await program.status()
    finally:
        await program.kill()

    shown = greeting[0].replace(greeting[1], BASE).replace(greeting[2], "1234")
    assert [shown in page.text for page in (README, TUTORIAL)] == [True, True]
    assert status == -signal.SIGKILL


def test_a_command_that_does_not_end_by_itself_is_the_last_of_its_block() -> None:
    endless = re.compile(r"make run|branchline serve|uvicorn |curl -N ")
    buried = [
        (page.name, line)
        for page in all_pages()
        for sample in page.samples("sh")
        for line in sample.text.splitlines()[:-1]
        if endless.search(line)
    ]

    assert buried == []


def test_every_sample_is_of_a_kind_that_is_run_or_only_read() -> None:
    known = _RUN_HERE | _RUN_IN_A_BROWSER | _READ_ONLY
    fences = sum(page.text.count("\n```") for page in all_pages())
    samples = sum(len(page.samples(*known)) for page in all_pages())

    assert fences == 2 * samples


def test_the_samples_for_a_browser_are_on_the_page_that_is_tried_in_one() -> None:
    assert pages_with(*_RUN_IN_A_BROWSER) == [BROWSER]


def test_every_python_file_on_a_page_is_used_by_a_command_on_it() -> None:
    unused = [
        (page.name, sample.file_name)
        for page in all_pages()
        for sample in page.samples("python")
        if not any(sample.file_name.removesuffix(".py") in command.text for command in page.samples("sh"))
    ]

    assert unused == []


def test_a_line_of_curl_is_read_as_curl_reads_it() -> None:
    line = CurlLine.parse("curl -X POST http://h/p -H 'Content-Type: application/json' -d '{\"a\":\"b c\"}'")

    assert (
        line.method,
        line.url,
        line.headers,
        line.body,
        line.follows,
    ) == ("POST", "http://h/p", {"Content-Type": "application/json"}, '{"a":"b c"}', False)
