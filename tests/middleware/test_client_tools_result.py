"""What an answer of a client's tool comes to in TOOL_CALL_RESULT."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given

from events.client_tools import ClientToolInvokeResponse
from events.tools import ResultType, ToolBinary, ToolContent, ToolJson, ToolResult, ToolText
from middleware.client_tools.result import result_of, timeout_result
from tests.events.generated import JSON


def answer(*content: ToolContent, **members: Any) -> ClientToolInvokeResponse:
    """Return an answer with this content."""
    return ClientToolInvokeResponse(request_id="req_1", content=content, **members)


def written(result: ToolResult) -> Any:
    """Return a result as the log has it."""
    return json.loads(msgspec.json.encode(result))


@pytest.mark.parametrize(
    ("content", "result"),
    [
        ([], {}),
        ([ToolText(text="done")], {"text": "done", "json": "done"}),
        ([ToolText(text="")], {"text": "", "json": ""}),
        ([ToolJson(value="done")], {"text": "done", "json": "done"}),
        ([ToolJson(value={"a": [1, None]})], {"text": '{"a":[1,null]}', "json": {"a": [1, None]}}),
        ([ToolJson(value=False)], {"text": "false", "json": False}),
        ([ToolJson(value=0)], {"text": "0", "json": 0}),
        ([ToolJson(value=None)], {}),
        (
            [ToolBinary(mime_type="image/png", data="aGk=")],
            {"content": [{"type": "binary", "mimeType": "image/png", "data": "aGk="}]},
        ),
        (
            [ToolText(text="done"), ToolJson(value=None)],
            {"content": [{"type": "text", "text": "done"}, {"type": "json", "value": None}]},
        ),
    ],
)
def test_an_answer_is_text_or_json_or_content(content: list[ToolContent], result: dict[str, Any]) -> None:
    assert written(result_of(answer(*content))) == result


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ("The page is closed.", "Error: The page is closed."),
        (None, "Error: The client did not say what went wrong."),
        ("", "Error: The client did not say what went wrong."),
    ],
)
def test_a_failure_is_told_whatever_else_came_with_it(message: str | None, text: str) -> None:
    result = result_of(answer(ToolText(text="half"), success=False, error_message=message))

    assert result == ToolResult(text=text, result_type=ResultType.ERROR)


def test_a_message_without_a_failure_is_not_told() -> None:
    assert written(result_of(answer(ToolText(text="done"), error_message="almost"))) == {"text": "done", "json": "done"}


def test_an_answer_that_never_came_has_a_result_too() -> None:
    assert timeout_result("click") == ToolResult(
        text="The client did not answer the call of click in time; what it did is not known.",
        result_type=ResultType.TIMEOUT,
    )


@given(JSON.filter(lambda value: value is not None))
def test_json_comes_through_as_it_was_and_stays_on_one_line(value: Any) -> None:
    result = result_of(answer(ToolJson(value=value)))

    assert msgspec.json.decode(result.json) == value
    assert result.text == (value if isinstance(value, str) else bytes(result.json).decode())
    assert b"\n" not in bytes(result.json)
