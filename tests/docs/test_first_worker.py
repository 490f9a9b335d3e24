"""What the tutorial about workers shows is what happens."""

from collections.abc import Callable

from tests.docs.curl import Runner, WithHarness
from tests.docs.pages import Page
from tests.docs.walk import Walk

FIRST_WORKER = Page("docs/tutorials/first-worker.md")


async def test_the_worker_of_the_tutorial_does_what_it_says(walk: Callable[[Page, Runner], Walk]) -> None:
    async with walk(FIRST_WORKER, WithHarness()) as walked:
        (walked.folder / "agents").mkdir()
        (definition,) = FIRST_WORKER.samples("toml")
        (walked.folder / "agents" / "helper.toml").write_text(definition.text)

        await walked.go()
        log = await walked.log("first")

    sent = next(output for line, output in walked.outputs.items() if line.startswith("branchline send"))
    types = [event["type"] for event in log]
    said = "".join(event["text"] for event in log if event["type"] == "TEXT_DELTA")
    first, second, third = [event["workerId"] for event in log if event["type"] == "WORK_CLAIMED"]
    (returned,) = (event for event in log if event["type"] == "WORK_RETURNED")
    key = next(output for line, output in walked.outputs.items() if line.startswith("branchline keys"))
    assert "a poem is published." in sent
    assert first == second != third
    assert (returned["workerId"], returned["reason"]) == (second, "lease_expired")
    assert said.endswith("I write a letter here, and have to ask first.a letter is published.")
    assert [types.count(kind) for kind in ("PERMISSION_REQUEST", "TOOL_CALL_RESULT")] == [2, 2]
    assert (types[-1], log[-1]["status"]) == ("BRANCH_RUN_COMPLETED", "completed")
    assert "rsk_live_" in key
