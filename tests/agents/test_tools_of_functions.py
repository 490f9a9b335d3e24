"""What becomes of a function that is a tool: its schema, its arguments, and the function itself."""

import asyncio
import datetime
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from typing import Annotated, Any, Literal, TypedDict

import msgspec
import pytest

from hosting import Tool, ToolContext, tool
from middleware.errors import WrongArguments


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


@dataclass
class Bed:
    length: float
    flowers: list[str]


class Gate(TypedDict):
    open: bool


class Plant(msgspec.Struct):
    name: str
    children: "list[Plant]" = []


@tool(requires_permission=True, safe_to_retry=True, retries=2, timeout=datetime.timedelta(seconds=3), name="plant-it")
async def plant(
    context: ToolContext,
    bed: Bed,
    what: Annotated[str, "its name"],
    colour: Colour = Colour.RED,
    kind: Literal["seed", "bulb"] = "seed",
    day: datetime.date | None = None,
    words: list[str] = ["soon"],  # noqa: B006 - as people write it
    anything=None,
) -> str:
    """Plant something.

    It takes a while.

    Args:
        bed: where it goes,
            as the map has it
        what: not shown, since the type says more
        kind (str): what it is: a seed or a bulb

    Returns:
        colour: this is no parameter
    """
    return f"{what} {kind} {colour.name} {day} {words} {anything} in {bed.length}"


def test_the_schema_tells_what_the_signature_and_the_docstring_say() -> None:
    bed = {"length": {"type": "number"}, "flowers": {"type": "array", "items": {"type": "string"}}}

    assert plant.parameters_schema == {
        "type": "object",
        "properties": {
            "bed": {
                "title": "Bed",
                "type": "object",
                "properties": bed,
                "required": ["length", "flowers"],
                "description": "where it goes, as the map has it",
            },
            "what": {"type": "string", "description": "its name"},
            "colour": {"title": "Colour", "enum": ["blue", "red"], "default": "red"},
            "kind": {"enum": ["bulb", "seed"], "description": "what it is: a seed or a bulb", "default": "seed"},
            "day": {"anyOf": [{"type": "string", "format": "date"}, {"type": "null"}], "default": None},
            "words": {"type": "array", "items": {"type": "string"}},
            "anything": {"default": None},
        },
        "required": ["bed", "what"],
        "additionalProperties": False,
    }
    assert plant.description == "Plant something.\n\nIt takes a while."
    assert (plant.name, plant.requires_permission, plant.safe_to_retry, plant.retries) == ("plant-it", True, True, 2)
    assert plant.timeout == datetime.timedelta(seconds=3)


def test_what_contains_itself_is_pointed_to_and_all_else_is_in_its_place() -> None:
    @tool
    def prune(first: Plant, second: Plant) -> None: ...

    schema = prune.parameters_schema
    inner = {"type": "array", "items": {"$ref": "#/$defs/Plant"}, "default": []}

    assert schema["properties"]["first"] == schema["properties"]["second"] == schema["$defs"]["Plant"]
    assert schema["$defs"]["Plant"]["properties"] == {"name": {"type": "string"}, "children": inner}


async def test_arguments_come_as_what_the_signature_says_and_defaults_are_the_functions_own() -> None:
    given = {"bed": {"length": 2, "flowers": []}, "what": "a rose", "colour": "blue", "day": "2026-05-01"}

    planted = await plant.work(None, given)  # type: ignore[arg-type]

    assert planted == "a rose seed BLUE 2026-05-01 ['soon'] None in 2.0"


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"bed": {"length": 2, "flowers": []}}, "The argument `what` is missing."),
        (
            {"bed": {"length": "2", "flowers": []}, "what": "x"},
            "The argument `bed.length` does not fit: expected `float`, got `str`.",
        ),
        (
            {"bed": {"length": 2}, "what": "x"},
            "The argument `bed` does not fit: object missing required field `flowers`.",
        ),
        (
            {"bed": {"length": 2, "flowers": ["x", 3]}, "what": "x"},
            "The argument `bed.flowers[1]` does not fit: expected `str`, got `int`.",
        ),
        (
            {"bed": {"length": 2, "flowers": []}, "what": "x", "kind": "tree"},
            "The argument `kind` does not fit: invalid enum value 'tree'.",
        ),
        (
            {"bed": {"length": 2, "flowers": []}, "what": "x", "context": None},
            "There is no argument `context`.",
        ),
    ],
)
async def test_a_wrong_argument_is_refused_by_its_name(given: dict[str, Any], sentence: str) -> None:
    assert plant.check is not None
    with pytest.raises(WrongArguments) as checked:
        plant.check(given)
    with pytest.raises(WrongArguments) as worked:
        await plant.work(None, given)  # type: ignore[arg-type]

    assert str(checked.value) == str(worked.value) == sentence


async def test_the_function_itself_can_be_called_as_if_it_were_no_tool() -> None:
    @tool
    def add(one: int, other: int = 2) -> int:
        return one + other

    assert add(1) == 3
    assert await plant(None, Bed(1, []), what="x") == "x seed RED None ['soon'] None in 1"  # type: ignore[arg-type]
    assert isinstance(add, Tool)
    assert await add.work(None, {"one": 1, "other": 5}) == 6  # type: ignore[arg-type]


async def test_a_tool_can_be_given_other_work_and_stays_what_it_is() -> None:
    async def work(context: ToolContext, arguments: object) -> str:
        return "something else"

    changed = replace(plant, work=work)

    assert (await changed.work(None, {}), changed.check) == ("something else", plant.check)  # type: ignore[arg-type]
    assert len({plant, changed}) == 2


async def test_a_blocking_function_that_nobody_waits_for_any_more_holds_nothing_up() -> None:
    begun, may_end = threading.Event(), threading.Event()

    @tool
    def wait() -> str:
        begun.set()
        may_end.wait(20)
        raise StopIteration

    calls = [asyncio.create_task(wait.work(None, {})) for _ in range(40)]  # type: ignore[arg-type]
    await asyncio.to_thread(begun.wait, 20)
    calls[0].cancel()
    cancelled, *_ = await asyncio.gather(calls[0], return_exceptions=True)
    may_end.set()
    others = await asyncio.gather(*calls[1:], return_exceptions=True)

    assert isinstance(cancelled, asyncio.CancelledError)
    assert {str(other) for other in others} == {"The work raised StopIteration()."}


def test_what_can_be_a_tool_is_said_where_it_is_made() -> None:
    def any_number(*holes: int) -> None: ...
    def any_name(**holes: int) -> None: ...
    def by_place(hole: int, /) -> None: ...
    def unreadable(hole: complex) -> None: ...
    def unknown(hole: "NotThere") -> None: ...  # type: ignore[name-defined]  # noqa: F821
    async def generator() -> Any:
        yield 1

    refused: dict[Callable[..., Any], str] = {
        any_number: "The parameter *holes: int of any_number takes any number; a call gives names.",
        any_name: "The parameter **holes: int of any_name takes any name; a call gives names.",
        by_place: "The parameter hole: int of by_place is positional only; a call gives names.",
        unreadable: "The parameter hole of unreadable has a type that JSON cannot be read into: complex.",
        unknown: "The types of unknown cannot be looked up: name 'NotThere' is not defined.",
        generator: "must be a function, async or not, that returns its result; write @tool above it.",
        Bed: "must be a function, async or not, that returns its result; write @tool above it.",
    }

    for function, sentence in refused.items():
        with pytest.raises(TypeError) as told:
            tool(function)
        assert sentence in str(told.value)
    with pytest.raises(ValueError, match="must be 1 to 128 of"):
        tool(name="plant it")(by_place)
    with pytest.raises(TypeError, match="is a timedelta"):
        tool(timeout=3)(any_name)  # type: ignore[call-overload]
