"""What a client says of its tools is read strictly, and refused with the place of what is wrong."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.client_tools import (
    ClientSkill,
    ClientTool,
    ClientToolHarness,
    ClientToolInput,
    ContextItem,
    SkillDocument,
    SkillReference,
)
from middleware.client_tools.read import read_client_tool_input
from middleware.client_tools.refusal import ClientToolInputRefused

CLICK: dict[str, Any] = {"name": "click", "parametersSchema": {"type": "object"}}
MOVE: dict[str, Any] = {"name": "move", "parametersSchema": {}}
RULE = "must be 1-128 of the characters A-Z, a-z, 0-9, _, . and -"


def raw(value: Any) -> bytes:
    """Return JSON text."""
    return json.dumps(value).encode()


def harnesses(*given: dict[str, Any]) -> dict[str, Any]:
    """Return an input with these harnesses."""
    return {"clientToolHarnesses": list(given)}


def skill(**members: Any) -> dict[str, Any]:
    """Return an input with a harness of one tool and one skill."""
    return harnesses({"name": "page", "tools": [CLICK], "skills": [{"name": "browse", **members}]})


def test_everything_that_a_client_may_say_is_read() -> None:
    given = {
        "clientToolHarnesses": [
            {
                "name": "page",
                "description": "What is open.",
                "tools": [
                    {"name": "click", "description": "Clicks.", "parametersSchema": {}, "requiresPermission": True}
                ],
                "skills": [
                    {
                        "name": "browse",
                        "functionResult": "Go on.",
                        "systemPrompt": "Be slow.",
                        "references": [{"toolName": "click"}, {"toolName": "send", "toolHarnessName": "two words"}],
                        "documents": [
                            {"documentId": "d1", "content": ""},
                            {"documentId": "d2", "url": "https://x.test"},
                        ],
                    }
                ],
                "startCollapsed": True,
            },
            {"name": "two words", "tools": [{"name": "send", "parametersSchema": {"type": "object"}}]},
        ],
        "expandedContainers": ["page"],
        "hiddenTools": ["nobody"],
        "context": [{"key": "k", "description": "d", "value": [None]}],
        "state": {"n": 1},
        "metadata": {"m": None},
        "executionContext": "e",
        "resetClientState": True,
    }

    read = read_client_tool_input(raw(given))

    browse = ClientSkill(
        name="browse",
        function_result="Go on.",
        system_prompt="Be slow.",
        references=(SkillReference(tool_name="click"), SkillReference(tool_name="send", tool_harness_name="two words")),
        documents=(SkillDocument(document_id="d1", content=""), SkillDocument(document_id="d2", url="https://x.test")),
    )
    click = ClientTool(name="click", description="Clicks.", parameters_schema={}, requires_permission=True)
    send = ClientTool(name="send", parameters_schema={"type": "object"})
    assert read == ClientToolInput(
        client_tool_harnesses=(
            ClientToolHarness(
                name="page", description="What is open.", tools=(click,), skills=(browse,), start_collapsed=True
            ),
            ClientToolHarness(name="two words", tools=(send,)),
        ),
        expanded_containers=("page",),
        hidden_tools=("nobody",),
        context=(ContextItem(key="k", description="d", value=[None]),),
        state={"n": 1},
        metadata={"m": None},
        execution_context="e",
        reset_client_state=True,
    )


def test_nothing_is_read_as_nothing_and_unknown_members_are_ignored() -> None:
    unknown = {"later": 1, **harnesses({"name": "page", "color": "red", "tools": [{**CLICK, "icon": []}]})}

    read = read_client_tool_input(raw(unknown))

    assert read_client_tool_input(b"{}") == ClientToolInput()
    assert [[tool.name for tool in harness.tools] for harness in read.client_tool_harnesses] == [["click"]]


def test_a_harness_may_be_called_as_its_own_tool_is() -> None:
    search = {"name": "search", "tools": [{**CLICK, "name": "search"}]}

    read = read_client_tool_input(raw(harnesses(search)))

    assert [harness.name for harness in read.client_tool_harnesses] == ["search"]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ([], "The client tool input must be an object."),
        (None, "The client tool input must be an object."),
        ({"hiddenTools": ["a", 2]}, "`hiddenTools[1]` must be a string."),
        ({"resetClientState": 1}, "`resetClientState` must be true or false."),
        ({"metadata": "m"}, "`metadata` must be an object."),
        ({"context": {}}, "`context` must be an array."),
        (harnesses({}), "`clientToolHarnesses[0].name` is missing."),
        (harnesses({"name": 1}), "`clientToolHarnesses[0].name` must be a string."),
        (harnesses({"name": " "}), "`clientToolHarnesses[0].name` must not be empty."),
        (
            harnesses({"name": "page"}, {"name": "page"}),
            "`clientToolHarnesses[1].name` is 'page', as another harness is called.",
        ),
        (
            harnesses({"name": "page", "startCollapsed": True, "description": " "}),
            "`clientToolHarnesses[0].description` must say what the harness is for, since it starts collapsed.",
        ),
        (
            harnesses({"name": "two words", "startCollapsed": True, "description": "d"}),
            f"`clientToolHarnesses[0].name` {RULE}.",
        ),
    ],
)
def test_a_wrong_input_or_harness_is_refused_with_its_place(given: Any, sentence: str) -> None:
    with pytest.raises(ClientToolInputRefused) as refused:
        read_client_tool_input(raw(given))

    assert str(refused.value) == sentence


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"name": "x"}, "`clientToolHarnesses[0].tools[1].parametersSchema` is missing."),
        ({**CLICK, "name": ""}, f"`clientToolHarnesses[0].tools[1].name` {RULE}."),
        ({**CLICK, "name": "a b"}, f"`clientToolHarnesses[0].tools[1].name` {RULE}."),
        ({**CLICK, "name": "a\n"}, f"`clientToolHarnesses[0].tools[1].name` {RULE}."),
        ({**CLICK, "name": "ä"}, f"`clientToolHarnesses[0].tools[1].name` {RULE}."),
        ({**CLICK, "name": "x" * 129}, f"`clientToolHarnesses[0].tools[1].name` {RULE}."),
        (CLICK, "`clientToolHarnesses[0].tools[1].name` is 'click', as a tool or skill of 'page' is called."),
        (
            {"name": "x", "parametersSchema": "{}"},
            "`clientToolHarnesses[0].tools[1].parametersSchema` must be an object.",
        ),
        (
            {"name": "x", "parametersSchema": {"type": "string"}},
            "`clientToolHarnesses[0].tools[1].parametersSchema.type` must be 'object'.",
        ),
        (
            {**CLICK, "name": "x", "requiresPermission": "yes"},
            "`clientToolHarnesses[0].tools[1].requiresPermission` must be true or false.",
        ),
    ],
)
def test_a_wrong_tool_is_refused_with_its_place(given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ClientToolInputRefused) as refused:
        read_client_tool_input(raw(harnesses({"name": "page", "tools": [CLICK, given]})))

    assert str(refused.value) == sentence


@pytest.mark.parametrize(
    ("others", "sentence"),
    [
        (
            [{"name": "mail", "tools": [MOVE, CLICK]}],
            "`clientToolHarnesses[1].tools[1].name` is 'click', as a tool or skill of 'page' is called.",
        ),
        (
            [{"name": "mail", "skills": [{"name": "click"}]}],
            "`clientToolHarnesses[1].skills[0].name` is 'click', as a tool or skill of 'page' is called.",
        ),
        (
            [{"name": "click"}],
            "`clientToolHarnesses[1].name` is 'click', as a tool or skill of 'page' is called.",
        ),
        (
            [{"name": "mail", "tools": [{**CLICK, "name": "page"}]}],
            "`clientToolHarnesses[1].tools[0].name` is 'page', as another harness is called.",
        ),
    ],
)
def test_a_name_that_another_harness_has_is_refused_with_its_place(others: list[dict[str, Any]], sentence: str) -> None:
    with pytest.raises(ClientToolInputRefused) as refused:
        read_client_tool_input(raw(harnesses({"name": "page", "tools": [CLICK]}, *others)))

    assert str(refused.value) == sentence


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (skill(name="a b"), f"`clientToolHarnesses[0].skills[0].name` {RULE}."),
        (
            skill(references=[{"toolName": "click"}, {"toolName": "nothing"}]),
            "`clientToolHarnesses[0].skills[0].references[1].toolName` is 'nothing', but there is no such tool.",
        ),
        (
            skill(references=[{"toolName": "click", "toolHarnessName": "mail"}]),
            "`clientToolHarnesses[0].skills[0].references[0].toolHarnessName` is 'mail', but there is no such harness.",
        ),
        (
            skill(references=[{"toolName": "browse"}]),
            "`clientToolHarnesses[0].skills[0].references[0].toolName` is 'browse', but there is no such tool.",
        ),
        (
            skill(documents=[{"documentId": "d"}]),
            "`clientToolHarnesses[0].skills[0].documents[0]` must have either `content` or `url`.",
        ),
        (
            skill(documents=[{"documentId": "d", "content": "c", "url": "u"}]),
            "`clientToolHarnesses[0].skills[0].documents[0]` must have either `content` or `url`.",
        ),
    ],
)
def test_a_wrong_skill_is_refused_with_its_place(given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ClientToolInputRefused) as refused:
        read_client_tool_input(raw(given))

    assert str(refused.value) == sentence


def test_a_tool_of_one_harness_is_not_found_in_another() -> None:
    reference = {"toolName": "click", "toolHarnessName": "mail"}
    mail = {"name": "mail", "tools": [MOVE], "skills": [{"name": "browse", "references": [reference]}]}

    with pytest.raises(ClientToolInputRefused) as refused:
        read_client_tool_input(raw(harnesses({"name": "page", "tools": [CLICK]}, mail)))

    assert refused.value.place == "clientToolHarnesses[1].skills[0].references[0].toolName"


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (b'{"state": {"a": [{"b": 1e999}]}}', "`state` does not fit: number out of range."),
        (b'{"state":', "The client tool input is not valid JSON."),
        (b'{"context": [{"key": "\xff"}]}', "The client tool input is not valid JSON."),
        (b"", "The client tool input is not valid JSON."),
    ],
)
def test_what_is_no_json_is_refused(given: bytes, sentence: str) -> None:
    with pytest.raises(ClientToolInputRefused) as refused:
        read_client_tool_input(given)

    assert str(refused.value) == sentence


def test_a_refusal_can_be_told_from_outside_and_echoes_little() -> None:
    with pytest.raises(ClientToolInputRefused) as refused:
        read_client_tool_input(raw(harnesses({"name": "n" * 5_000}, {"name": "n" * 5_000})))

    outside = refused.value.below("runConfig.clientToolInput")
    whole = ClientToolInputRefused("", "must be an object").below("runConfig.clientToolInput")

    echoed = "n" * 100
    assert str(outside) == (
        f"`runConfig.clientToolInput.clientToolHarnesses[1].name` is '{echoed}...', as another harness is called."
    )
    assert str(whole) == "`runConfig.clientToolInput` must be an object."


_LEAVES = st.none() | st.booleans() | st.integers() | st.sampled_from(["", "page", "click", "a b"])
_MEMBERS = st.sampled_from(
    [
        "clientToolHarnesses",
        "name",
        "tools",
        "skills",
        "parametersSchema",
        "type",
        "references",
        "toolName",
        "documents",
        "documentId",
        "content",
        "context",
        "key",
        "startCollapsed",
        "hiddenTools",
        "other",
    ]
)
_SHAPES = st.recursive(
    _LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_MEMBERS, inner, max_size=4), max_leaves=20
)


@given(_SHAPES)
def test_whatever_is_sent_is_read_or_refused_with_one_sentence(sent: Any) -> None:
    try:
        read_client_tool_input(raw(sent))
    except ClientToolInputRefused as refused:
        said = str(refused)
    else:
        return

    assert said.endswith(".")
    assert "\n" not in said
    assert "does not fit" not in said


@given(st.binary(max_size=40))
def test_bytes_that_mean_nothing_are_refused(sent: bytes) -> None:
    with pytest.raises(ClientToolInputRefused) as refused:
        read_client_tool_input(b"[" + sent)

    assert refused.value.place == ""


def test_a_tool_whose_parameters_are_no_schema_is_refused_by_its_place() -> None:
    given = harnesses({"name": "page", "tools": [{"name": "click", "parametersSchema": {"properties": [1]}}]})

    with pytest.raises(ClientToolInputRefused) as refused:
        read_client_tool_input(raw(given))

    assert refused.value.place == "clientToolHarnesses[0].tools[0].parametersSchema.properties"
