"""What a run starts with: what earlier runs knew, and what its input says."""

from random import Random

import msgspec
import pytest
from hypothesis import Phase, find, given, settings

from events.client_tools import ClientSkill, ClientToolInput, ContextItem
from middleware.client_tools.begin import begin
from middleware.client_tools.names import called_names
from middleware.client_tools.refusal import ClientToolInputRefused
from middleware.client_tools.state import ClientToolState
from tests.middleware.client_tools import INPUTS, STATES, collapsed, harness, registered


def test_a_first_run_without_client_tools_knows_nothing() -> None:
    assert begin(None, None) == ClientToolState()


def test_a_first_run_knows_what_its_input_says() -> None:
    page, mail, map_ = harness("page", "click", "move"), collapsed("mail", "send"), collapsed("map", "zoom")
    given = ClientToolInput(
        client_tool_harnesses=(page, mail, map_),
        expanded_containers=("map",),
        hidden_tools=("move",),
        context=(ContextItem(key="k", value=1),),
        state={"n": 1},
    )

    state = begin(None, given)

    assert state == ClientToolState(
        harnesses=(page, mail, map_),
        expanded=("page", "map"),
        hidden_tools=("move",),
        context=(ContextItem(key="k", value=1),),
        state={"n": 1},
    )


def test_a_later_run_adds_to_what_is_known() -> None:
    page, mail = harness("page", "click"), harness("mail", "send")
    earlier = registered(page, hidden_tools=("click",), context=(ContextItem(key="k", value=1),), state="first")

    state = begin(earlier, ClientToolInput(client_tool_harnesses=(mail,), context=(ContextItem(key="l", value=2),)))

    assert state == ClientToolState(
        harnesses=(page, mail),
        expanded=("page", "mail"),
        hidden_tools=("click",),
        context=(ContextItem(key="k", value=1), ContextItem(key="l", value=2)),
        state="first",
    )


def test_a_harness_that_comes_again_replaces_the_earlier_one_whole_and_where_it_was() -> None:
    skill = ClientSkill(name="browse")
    earlier = registered(harness("page", "click", "move", skills=(skill,)), harness("mail", "send"))
    page = harness("page", "move", "scroll")

    state = begin(earlier, ClientToolInput(client_tool_harnesses=(page,)))

    assert state.harnesses == (page, harness("mail", "send"))


def test_a_harness_that_comes_again_stays_as_it_was_shown() -> None:
    page, mail = collapsed("page", "click"), harness("mail", "send", "read")
    earlier = registered(page, mail, expanded_containers=("page",), hidden_tools=("send", "read"))

    state = begin(earlier, ClientToolInput(client_tool_harnesses=(page, harness("mail", "send", "write"))))

    assert state.expanded == ("page", "mail")
    assert state.hidden_tools == ("send",)


def test_a_harness_that_comes_again_and_starts_otherwise_starts_so() -> None:
    earlier = registered(harness("page", "click"), collapsed("mail", "send"))

    state = begin(earlier, ClientToolInput(client_tool_harnesses=(collapsed("page", "click"), harness("mail", "send"))))

    assert state.expanded == ("mail",)


def test_the_earlier_state_can_be_forgotten_first() -> None:
    earlier = registered(harness("page", "click"), hidden_tools=("click",), context=(ContextItem(key="k"),), state=1)
    mail = harness("mail", "click")

    state = begin(earlier, ClientToolInput(client_tool_harnesses=(mail,), reset_client_state=True))

    assert state == ClientToolState(harnesses=(mail,), expanded=("mail",))


def test_a_tool_that_an_earlier_run_has_in_another_harness_is_refused_and_changes_nothing() -> None:
    earlier = registered(harness("page", "click"))
    before = msgspec.json.encode(earlier)
    given = ClientToolInput(
        client_tool_harnesses=(harness("map", "zoom"), harness("mail", "send", "click")), hidden_tools=("click",)
    )

    with pytest.raises(ClientToolInputRefused) as refused:
        begin(earlier, given)

    assert str(refused.value) == (
        "`clientToolHarnesses[1].tools[1].name` is 'click', as a tool or skill of 'page' is called."
    )
    assert msgspec.json.encode(earlier) == before


def test_a_tool_may_move_from_one_harness_to_another_when_both_come_again() -> None:
    earlier = registered(harness("page", "click"), harness("mail", "send"))

    state = begin(
        earlier, ClientToolInput(client_tool_harnesses=(harness("mail", "send", "click"), harness("page", "move")))
    )

    assert [(each.name, called_names(each)) for each in state.harnesses] == [
        ("page", ("move",)),
        ("mail", ("send", "click")),
    ]


def test_names_that_nothing_has_are_neither_expanded_nor_hidden() -> None:
    state = registered(harness("page", "click"), expanded_containers=("map",), hidden_tools=("zoom",))

    assert (state.expanded, state.hidden_tools) == (("page",), ())


def test_context_replaces_earlier_context_of_its_key_or_description() -> None:
    earlier = registered(
        context=(
            ContextItem(key="k", description="kept apart", value=1),
            ContextItem(description="page", value=2),
            ContextItem(description="user", value=3),
        )
    )
    pages = (ContextItem(description="page", value=4), ContextItem(description="page", value=5))

    state = begin(
        earlier, ClientToolInput(context=(*pages, ContextItem(key="k", value=6), ContextItem(key="k", value=7)))
    )

    assert state.context == (ContextItem(description="user", value=3), *pages, ContextItem(key="k", value=7))


@given(STATES)
def test_without_an_input_the_earlier_state_is_what_a_run_starts_with(state: ClientToolState) -> None:
    assert begin(state, None) is state


@given(STATES, INPUTS)
def test_a_run_that_begins_again_starts_with_the_same(state: ClientToolState, given: ClientToolInput) -> None:
    try:
        once = begin(state, given)
    except ClientToolInputRefused:
        return

    assert begin(once, given) == once


@given(STATES, INPUTS)
def test_beginning_leaves_the_earlier_state_as_it_was(state: ClientToolState, given: ClientToolInput) -> None:
    before = msgspec.json.encode(state)

    try:
        begin(state, given)
    except ClientToolInputRefused as refused:
        said = refused.place
    else:
        said = "clientToolHarnesses"

    assert said.startswith("clientToolHarnesses")
    assert msgspec.json.encode(state) == before


@given(STATES, INPUTS)
def test_forgetting_first_is_beginning_anew(state: ClientToolState, given: ClientToolInput) -> None:
    given = msgspec.structs.replace(given, reset_client_state=True)
    outcomes: list[ClientToolState | str] = []
    for earlier in (state, None):
        try:
            outcomes.append(begin(earlier, given))
        except ClientToolInputRefused as refused:
            outcomes.append(str(refused))

    assert outcomes[0] == outcomes[1]


@given(STATES)
def test_the_state_comes_back_from_json_as_it_was(state: ClientToolState) -> None:
    text = msgspec.json.encode(state)

    back = msgspec.json.decode(text, type=ClientToolState)

    assert back == state
    assert msgspec.json.encode(back) == text


@given(STATES)
def test_names_in_a_state_are_unique_and_known(state: ClientToolState) -> None:
    harnesses = [harness.name for harness in state.harnesses]
    called = [name for harness in state.harnesses for name in called_names(harness)]
    keys = [item.key for item in state.context if item.key is not None]

    assert len(set(harnesses)) == len(harnesses)
    assert len(set(called)) == len(called)
    assert len(set(keys)) == len(keys)
    assert [name for name in harnesses if name in state.expanded] == list(state.expanded)
    assert len(set(state.hidden_tools)) == len(state.hidden_tools)
    assert {*state.hidden_tools} <= {*harnesses, *called}


def test_the_generated_states_hold_harnesses_of_every_kind() -> None:
    # Were they all empty, they would prove every rule above.
    def of_every_kind(state: ClientToolState) -> bool:
        return len(state.harnesses) > len(state.expanded) > 0 < len(state.hidden_tools)

    rules = settings(phases=[Phase.generate], max_examples=2_000, database=None)
    state = find(STATES, of_every_kind, settings=rules, random=Random(1))

    assert len(state.harnesses) > 1
