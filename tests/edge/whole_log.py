"""What a log of one run must look like, whatever happened while it ran."""

from typing import Any


def assert_whole(log: list[dict[str, Any]], tokens: int) -> None:
    """Refuse holes, repeats, a second end, and a last message that lacks a token."""
    assert [event["sequenceNumber"] for event in log] == list(range(1, len(log) + 1))
    assert [event["type"] for event in log].count("BRANCH_RUN_COMPLETED") == 1
    assert log[-1]["type"] == "BRANCH_RUN_COMPLETED"
    last = [event for event in log if event["type"] == "TEXT_MESSAGE_END"][-1]
    deltas = [event for event in log if event["type"] == "TEXT_DELTA" and event["messageId"] == last["messageId"]]
    assert "".join(event["text"] for event in deltas) == "".join(f"tok{index} " for index in range(tokens))
