"""What the pages about asking, steering and tools say is what happens."""

import json
from collections.abc import Callable
from typing import Any

from tests.docs.curl import Runner, WithHarness
from tests.docs.pages import Page
from tests.docs.walk import Walk

ANSWER, QUEUE, TOOLS, ASK, CLIENT_TOOLS, FORK = CONVERSATION = tuple(
    Page(f"docs/how-to/{name}.md")
    for name in (
        "answer-a-question",
        "queue-and-interrupt",
        "tools-and-permissions",
        "ask-a-question-of-your-own",
        "client-tools",
        "fork-a-conversation",
    )
)

Prepare = Callable[[Page, Runner], Walk]


async def test_answers_are_remembered_and_overridden_as_the_page_says(walk: Prepare) -> None:
    async with walk(ANSWER, WithHarness()) as walked:
        await walked.go()
        log = await walked.log("careful")

    decided = [event for event in log if event["type"] in {"PERMISSION_APPROVED", "PERMISSION_DENIED"}]
    assert [(event["type"], event.get("reason")) for event in decided] == [
        ("PERMISSION_APPROVED", None),
        ("PERMISSION_APPROVED", None),
        ("PERMISSION_APPROVED", "remembered"),
        ("PERMISSION_DENIED", "override"),
    ]
    assert [event["choice"] for event in log if event["type"] == "PERMISSION_RESPONSE"] == ["ask", "allow_always"]


async def test_inputs_run_in_the_order_that_the_page_says(walk: Prepare) -> None:
    async with walk(QUEUE, WithHarness()) as walked:
        await walked.go()
        log = await walked.log("steering")

    said = [event["content"]["text"] for event in log if event["type"] == "CONTENT_ADDED"]
    assert said == ["/slow 200", "Never mind, this first", "Second", "/slow 200"]
    ends = {event["runtimeRunId"]: event for event in log if event["type"] == "BRANCH_RUN_COMPLETED"}
    assert [(end["status"], end.get("reason")) for end in ends.values()] == [
        ("cancelled", "Removed from the queue."),
        ("cancelled", "Interrupted by a new input."),
        ("completed", None),
        ("completed", None),
        ("cancelled", "That will do."),
    ]


async def test_the_tools_of_the_page_are_called_and_asked_for(walk: Prepare) -> None:
    async with walk(TOOLS, WithHarness()) as walked:
        await walked.go()

    gardener, surveyor, looping = walked.outputs.values()
    assert 'water_bed(bed="roses")' in gardener
    assert gardener.count("Allowed by --yes") == 1
    assert "The roses have had 5 litres." in gardener
    assert "2 beds, the first: " in surveyor
    assert looping.count("Allowed by --yes") == 1
    assert "Lap 2." in looping


async def test_a_question_of_ones_own_is_asked_and_answered_on_both_kinds_of_servers(walk: Prepare) -> None:
    async with walk(ASK, WithHarness()) as walked:
        await walked.go()
        in_a_program = await walked.log("flight")

    assert member(in_a_program, "SEAT_RESPONSE", "seat") == "12A"
    assert text_of(in_a_program) == "You have seat 12A."
    accepted = [output for output in walked.outputs.values() if '"outcome":"accepted"' in output]
    assert len(accepted) == 2


async def test_the_clients_tools_are_called_and_taken_away(walk: Prepare) -> None:
    async with walk(CLIENT_TOOLS, WithHarness()) as walked:
        await walked.go()

    assert walked.outputs == {
        "python editor.py": "read_selection {'text': ''}\nreplace_selection {'text': 'better words'}\n"
    }


async def test_a_conversation_is_forked_drawn_and_tidied_up_as_the_page_says(walk: Prepare) -> None:
    async with walk(FORK, WithHarness()) as walked:
        await walked.go()

    outputs = {line.split(" -")[0].rpartition("/sessions")[2]: text for line, text in walked.outputs.items()}
    siblings, drawn = (json.loads(outputs[f"/trip/{path}"]) for path in ("branches/south/siblings", "tree"))
    assert [(each["id"], each["siblingIndex"], each["name"]) for each in siblings] == [
        ("main", 0, "main"),
        ("south", 1, "To the south"),
    ]
    assert [(each["branchId"], each["children"]) for each in drawn["branches"]] == [("main", ["south"]), ("south", [])]
    assert drawn["branches"][1]["forkedAtMessageIndex"] == 1
    (renamed,) = (text for line, text in walked.outputs.items() if "by train" in line)
    assert (json.loads(renamed)["name"], json.loads(renamed)["metadata"]) == ("South, by train", {"stars": 5})
    (found,) = (text for line, text in walked.outputs.items() if "/sessions/search" in line)
    assert [each["id"] for each in json.loads(found)] == ["trip"]
    assert [text for line, text in walked.outputs.items() if "DELETE" in line] == ["204"] * 3
    assert walked.outputs["python fork.py"] == "main main 2 b\nb Way b 1\n"


def member(log: list[dict[str, Any]], wire_type: str, name: str) -> Any:
    """Return a member of the one event of a type."""
    (found,) = (event[name] for event in log if event["type"] == wire_type)
    return found


def text_of(log: list[dict[str, Any]]) -> str:
    """Return all that was said."""
    return "".join(event["text"] for event in log if event["type"] == "TEXT_DELTA")
