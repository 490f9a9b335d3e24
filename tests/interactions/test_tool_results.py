"""What a tool returns becomes a result that can be told."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from events.tools import ResultType, ToolResult, ToolText
from hosting.runtime.tool_results import error_result, to_result


@pytest.mark.parametrize("text", ["plain", "", "päivää 🌿", 'with "quotes"\nand lines'])
async def test_text_is_told_as_text_and_as_json(text: str) -> None:
    result = to_result(text)

    assert result == ToolResult(text=text, json=msgspec.Raw(msgspec.json.encode(text)))


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ({"a": [1, 2.5, None, True]}, '{"a":[1,2.5,null,true]}'),
        ([], "[]"),
        (0, "0"),
        (False, "false"),
        (datetime(2026, 1, 2, tzinfo=UTC), '"2026-01-02T00:00:00Z"'),
        (b"\x00\xff", '"AP8="'),
        (ToolText(text="a"), '{"type":"text","text":"a"}'),
    ],
)
async def test_anything_that_json_can_hold_is_told_as_json_and_as_its_text(value: Any, told: str) -> None:
    result = to_result(value)

    assert result == ToolResult(text=told, json=msgspec.Raw(told.encode()))


async def test_nothing_is_an_empty_result() -> None:
    result = to_result(None)

    assert msgspec.json.encode(result) == b"{}"


async def test_a_result_is_told_as_it_is() -> None:
    own = ToolResult(content=(ToolText(text="a"),), result_type=ResultType.TIMEOUT)

    result = to_result(own)

    assert result is own


@pytest.mark.parametrize("value", [object(), {1, object()}, {"a": object()}, lambda: None, ToolResult(text=object())])
async def test_what_json_cannot_hold_is_the_tools_mistake(value: object) -> None:
    with pytest.raises(TypeError):
        to_result(value)


@pytest.mark.parametrize("value", ["\ud800", {"a": "\udc00"}, ToolResult(text="\ud800")])
async def test_half_a_character_is_the_tools_mistake(value: object) -> None:
    with pytest.raises(UnicodeEncodeError):
        to_result(value)


async def test_a_failure_is_told_as_one() -> None:
    result = error_result("There is no tool of this name.")

    assert result == ToolResult(text="Error: There is no tool of this name.", result_type=ResultType.ERROR)


def test_a_result_without_json_is_whole_however_that_is_said() -> None:
    result = to_result(ToolResult(text="Done.", json=msgspec.Raw()))

    assert msgspec.json.encode(result) == b'{"text":"Done."}'


def test_what_a_tool_says_is_json_and_is_none_is_the_tools_mistake() -> None:
    with pytest.raises(msgspec.DecodeError):
        to_result(ToolResult(json=msgspec.Raw(b'{"half":')))
