"""What an agent may call, what a call means, and what it is told when the server answers itself."""

import pytest
from hypothesis import given

from events.client_tools import ClientSkill, ClientTool, ClientToolHarness, SkillDocument
from middleware.client_tools.names import is_callable_name
from middleware.client_tools.state import ClientToolState
from middleware.client_tools.tell import expand, skill_text, system_prompts
from middleware.client_tools.visible import VisibleTool, find, visible
from tests.middleware.client_tools import STATES, collapsed, harness, registered, tool

SKILL = ClientSkill(name="browse", description="How to browse.")


def names(state: ClientToolState) -> list[str]:
    """Return the names that an agent sees."""
    return [tool.name for tool in visible(state)]


def test_tools_and_skills_are_shown_in_the_order_of_registration() -> None:
    page, mail = harness("page", "move", "click", skills=(SKILL,)), harness("mail", "send")

    shown = visible(registered(page, mail))

    assert shown == [
        VisibleTool("move", None, "page", tool("move"), {"type": "object", "properties": {}}),
        VisibleTool("click", None, "page", tool("click"), {"type": "object", "properties": {}}),
        VisibleTool("browse", "How to browse.", "page", SKILL),
        VisibleTool("send", None, "mail", tool("send"), {"type": "object", "properties": {}}),
    ]


def test_a_collapsed_harness_is_shown_as_one_tool() -> None:
    page = collapsed("page", "click", skills=(SKILL,))

    shown = visible(registered(page, harness("mail", "send")))

    assert shown == [
        VisibleTool("page", "About page.", "page", page),
        VisibleTool("send", None, "mail", tool("send"), {"type": "object", "properties": {}}),
    ]


def test_what_is_hidden_is_not_shown() -> None:
    state = registered(
        harness("page", "click", "move", skills=(SKILL,)),
        collapsed("mail", "send"),
        hidden_tools=("click", "browse", "mail"),
    )

    assert names(state) == ["move"]


def test_a_harness_that_was_collapsed_later_says_what_it_is_for() -> None:
    page = ClientToolHarness(name="page", tools=(tool("click"),))

    shown = visible(registered(page).collapsing(["page"]))

    assert [(tool.name, tool.description) for tool in shown] == [("page", "Shows the tools of page.")]


def test_only_what_is_shown_can_be_called() -> None:
    state = registered(harness("page", "click", "move"), collapsed("mail", "send"), hidden_tools=("move",))

    found = {name: find(state, name) for name in ("click", "move", "page", "mail", "send", "nothing")}

    assert {name: tool.means for name, tool in found.items() if tool is not None} == {
        "click": tool("click"),
        "mail": collapsed("mail", "send"),
    }


@pytest.mark.parametrize(("says", "asks"), [(True, True), (False, False), (None, False)])
def test_a_tool_asks_for_permission_only_when_it_says_so(says: bool | None, asks: bool) -> None:
    click = ClientTool(name="click", parameters_schema={}, requires_permission=says)

    shown = visible(registered(ClientToolHarness(name="page", tools=(click,)), collapsed("mail", "send")))

    assert [(tool.name, tool.requires_permission) for tool in shown] == [("click", asks), ("mail", False)]


def test_a_call_of_a_collapsed_harness_shows_its_tools() -> None:
    state = registered(collapsed("page", "click", "move", skills=(SKILL,)), hidden_tools=("move",))

    after, told = expand(state, "page")

    assert names(after) == ["click", "browse"]
    assert told == "You can call these tools of page now: click, browse."


def test_a_harness_may_say_itself_what_its_call_is_answered_with() -> None:
    _, told = expand(registered(collapsed("page", "click", function_result="Here you are.")), "page")

    assert told == "Here you are."


def test_expanding_what_has_no_tools_says_so() -> None:
    _, told = expand(registered(collapsed("page")), "page")

    assert told == "page has no tools now."


def test_expanding_what_is_not_there_changes_nothing_and_says_so() -> None:
    state = registered(harness("page", "click"))

    after, told = expand(state, "mail")

    assert after is state
    assert told == "There is no group of tools called mail."


def test_the_prompt_of_a_harness_holds_while_its_tools_are_shown() -> None:
    page, mail = harness("page", system_prompt="Be slow."), collapsed("mail", system_prompt="Be kind.")
    state = registered(page, harness("map"), mail)

    before, after = system_prompts(state), system_prompts(expand(state, "mail")[0])

    assert (before, after) == (["Be slow."], ["Be slow.", "Be kind."])


@pytest.mark.parametrize(
    ("skill", "text"),
    [
        (ClientSkill(name="s"), "The skill s has nothing to say."),
        (ClientSkill(name="s", function_result="Go."), "Go."),
        (ClientSkill(name="s", function_result="Go.", system_prompt="Be slow."), "Go.\n\nBe slow."),
        (
            ClientSkill(
                name="s",
                system_prompt="Read.",
                documents=(
                    SkillDocument(document_id="d1", description="rules", content="Rule 1"),
                    SkillDocument(document_id="d2", url="https://x.test/d2"),
                ),
            ),
            "Read.\n\nDocument d1 (rules):\nRule 1\n\nDocument d2: https://x.test/d2",
        ),
    ],
)
def test_a_skill_tells_all_that_it_has(skill: ClientSkill, text: str) -> None:
    assert skill_text(skill) == text


@given(STATES)
def test_nothing_hidden_is_ever_shown_and_every_name_can_be_called(state: ClientToolState) -> None:
    shown = names(state)

    assert {*shown} & {*state.hidden_tools} == set()
    assert len({*shown}) == len(shown)
    assert [name for name in shown if not is_callable_name(name)] == []


@given(STATES)
def test_everything_registered_is_shown_or_hidden_or_in_a_collapsed_harness(state: ClientToolState) -> None:
    shown = {tool.name for tool in visible(state)}
    for each in state.harnesses:
        called = {*(tool.name for tool in each.tools), *(skill.name for skill in each.skills)}
        expected = called if each.name in state.expanded else {each.name}

        assert {tool.name for tool in visible(state) if tool.harness_name == each.name} == expected & (
            shown - {*state.hidden_tools}
        )
        assert expected <= shown | {*state.hidden_tools}


@given(STATES)
def test_what_is_found_is_what_is_shown(state: ClientToolState) -> None:
    shown = visible(state)

    assert [find(state, tool.name) for tool in shown] == shown


@given(STATES)
def test_expanding_what_is_shown_collapsed_always_shows_its_tools(state: ClientToolState) -> None:
    for container in [each for each in visible(state) if isinstance(each.means, ClientToolHarness)]:
        state, told = expand(state, container.name)

        assert told
        assert container.name in state.expanded
        assert expand(state, container.name)[0] == state
