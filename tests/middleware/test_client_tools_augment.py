"""What an answer changes: everything it says in its order, or nothing."""

from typing import Any

import msgspec
import pytest
from hypothesis import given

from events.client_tools import Augmentation, ClientSkill, ContextItem, SkillReference
from middleware.client_tools.augment import augment
from middleware.client_tools.names import called_names
from middleware.client_tools.refusal import ClientToolInputRefused
from middleware.client_tools.state import ClientToolState
from middleware.client_tools.visible import visible
from tests.middleware.client_tools import AUGMENTATIONS, STATES, collapsed, harness, registered

BEFORE = registered(
    harness("page", "click", "move"),
    collapsed("mail", "send"),
    hidden_tools=("move",),
    context=(ContextItem(key="k", value=1), ContextItem(description="user", value=2)),
    state={"n": 1},
)


def names(state: ClientToolState) -> list[str]:
    """Return the names that an agent sees."""
    return [tool.name for tool in visible(state)]


def order(state: ClientToolState) -> list[str]:
    """Return the names of the harnesses."""
    return [harness.name for harness in state.harnesses]


@pytest.mark.parametrize(
    ("augmentation", "shown"),
    [
        (Augmentation(), ["click", "mail"]),
        (Augmentation(remove_tool_harnesses=("mail",)), ["click"]),
        (Augmentation(inject_tool_harnesses=(harness("map", "zoom"),)), ["click", "mail", "zoom"]),
        (Augmentation(inject_tool_harnesses=(harness("page", "scroll"),)), ["scroll", "mail"]),
        (Augmentation(expand_tool_harnesses=("mail",)), ["click", "send"]),
        (Augmentation(collapse_tool_harnesses=("page",)), ["page", "mail"]),
        (Augmentation(hide_tools=("click",)), ["mail"]),
        (Augmentation(show_tools=("move",)), ["click", "move", "mail"]),
    ],
)
def test_each_change_is_made(augmentation: Augmentation, shown: list[str]) -> None:
    assert names(augment(BEFORE, augmentation)) == shown


@pytest.mark.parametrize(
    ("augmentation", "shown"),
    [
        # remove, then inject: the new one is there, at the end, and nothing of the old one is hidden
        (
            Augmentation(remove_tool_harnesses=("page",), inject_tool_harnesses=(harness("page", "click", "move"),)),
            ["mail", "click", "move"],
        ),
        # inject, then expand
        (
            Augmentation(inject_tool_harnesses=(collapsed("map", "zoom"),), expand_tool_harnesses=("map",)),
            ["click", "mail", "zoom"],
        ),
        # expand, then collapse
        (Augmentation(expand_tool_harnesses=("mail",), collapse_tool_harnesses=("mail",)), ["click", "mail"]),
        # inject, then hide
        (
            Augmentation(inject_tool_harnesses=(harness("map", "zoom"),), hide_tools=("zoom",)),
            ["click", "mail"],
        ),
        # hide, then show
        (Augmentation(hide_tools=("click",), show_tools=("click",)), ["click", "mail"]),
    ],
)
def test_changes_are_made_in_their_order(augmentation: Augmentation, shown: list[str]) -> None:
    assert names(augment(BEFORE, augmentation)) == shown


def test_context_is_added_before_it_is_removed() -> None:
    added = (ContextItem(key="l", value=3), ContextItem(key="m", value=4))

    state = augment(BEFORE, Augmentation(add_context=added, remove_context=("l", "user", "unknown")))

    assert state.context == (ContextItem(key="k", value=1), ContextItem(key="m", value=4))


@pytest.mark.parametrize(
    ("augmentation", "state"),
    [
        (Augmentation(), {"n": 1}),
        (Augmentation(update_state={"m": 2}), {"m": 2}),
        (Augmentation(patch_state={"m": 3}), {"m": 3}),
        (Augmentation(update_state=0, patch_state={"m": 3}), 0),
        (Augmentation(patch_state=False), False),
    ],
)
def test_the_state_is_replaced_by_an_update_or_else_by_a_patch(augmentation: Augmentation, state: Any) -> None:
    assert augment(BEFORE, augmentation).state == state


def test_names_that_nothing_has_are_ignored() -> None:
    nobody = ("nobody",)
    augmentation = Augmentation(
        remove_tool_harnesses=nobody,
        expand_tool_harnesses=nobody,
        collapse_tool_harnesses=nobody,
        hide_tools=nobody,
        show_tools=nobody,
        remove_context=nobody,
    )

    assert augment(BEFORE, augmentation) == BEFORE


def test_a_harness_that_no_agent_could_call_is_not_collapsed() -> None:
    state = registered(harness("two words", "click"))

    assert names(augment(state, Augmentation(collapse_tool_harnesses=("two words",)))) == ["click"]


@pytest.mark.parametrize(
    ("injected", "sentence"),
    [
        (
            (harness("map", "zoom"), harness("globe", "send")),
            "`injectToolHarnesses[1].tools[0].name` is 'send', as a tool or skill of 'mail' is called.",
        ),
        ((harness("map", "no name"),), "`injectToolHarnesses[0].tools[0].name` must be 1-128 of "),
        ((harness("click"),), "`injectToolHarnesses[0].name` is 'click', as a tool or skill of 'page' is called."),
        ((harness("map"), harness("map")), "`injectToolHarnesses[1].name` is 'map', as another harness is called."),
    ],
)
def test_an_injected_harness_that_cannot_be_taken_refuses_everything(injected: tuple[Any, ...], sentence: str) -> None:
    before = msgspec.json.encode(BEFORE)

    with pytest.raises(ClientToolInputRefused) as refused:
        augment(BEFORE, Augmentation(hide_tools=("click",), inject_tool_harnesses=injected, update_state=9))

    assert str(refused.value).startswith(sentence)
    assert msgspec.json.encode(BEFORE) == before


def test_what_is_removed_first_makes_room_for_what_is_injected() -> None:
    mails = harness("mails", "send")

    state = augment(BEFORE, Augmentation(remove_tool_harnesses=("mail",), inject_tool_harnesses=(mails,)))

    assert order(state) == ["page", "mails"]


def test_an_injected_skill_may_speak_of_tools_that_are_there_already_but_not_of_removed_ones() -> None:
    skill = ClientSkill(name="reply", references=(SkillReference(tool_name="send", tool_harness_name="mail"),))
    injected = (harness("desk", skills=(skill,)),)

    state = augment(BEFORE, Augmentation(inject_tool_harnesses=injected))
    with pytest.raises(ClientToolInputRefused) as refused:
        augment(BEFORE, Augmentation(remove_tool_harnesses=("mail",), inject_tool_harnesses=injected))

    assert names(state) == ["click", "mail", "reply"]
    assert refused.value.place == "injectToolHarnesses[0].skills[0].references[0].toolHarnessName"


@given(STATES)
def test_an_answer_that_changes_nothing_changes_nothing(state: ClientToolState) -> None:
    assert augment(state, Augmentation()) == state


@given(STATES, AUGMENTATIONS)
def test_every_change_is_made_or_all_are_refused(state: ClientToolState, augmentation: Augmentation) -> None:
    before = msgspec.json.encode(state)

    try:
        after = augment(state, augmentation)
    except ClientToolInputRefused as refused:
        place = refused.place
        after = state
        augmentation = Augmentation()
    else:
        place = "injectToolHarnesses"

    assert place.startswith("injectToolHarnesses")
    assert msgspec.json.encode(state) == before
    assert {harness.name for harness in augmentation.inject_tool_harnesses} <= {*order(after)}
    assert {*augmentation.show_tools} & {*after.hidden_tools} == set()
    called = {name for harness in after.harnesses for name in called_names(harness)}
    assert ({*augmentation.hide_tools} - {*augmentation.show_tools}) & called <= {*after.hidden_tools}
    assert {item.key for item in after.context} & {*augmentation.remove_context} == set()


@given(STATES, AUGMENTATIONS)
def test_all_changes_together_are_one_after_the_other(state: ClientToolState, augmentation: Augmentation) -> None:
    steps = {name: getattr(augmentation, name) for name in augmentation.__struct_fields__}
    update, patch = steps.pop("update_state"), steps.pop("patch_state")
    try:
        together = augment(state, augmentation)
    except ClientToolInputRefused:
        return

    for name, value in steps.items():
        state = augment(state, Augmentation(**{name: value}))
    state = augment(state, Augmentation(update_state=update) if update is not None else Augmentation(patch_state=patch))

    assert state == together
