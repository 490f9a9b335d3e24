"""Client tools with generated values, from few names, so that they meet; and short ways to write some down."""

from itertools import chain
from typing import Any

from hypothesis import strategies as st

from events.client_tools import (
    Augmentation,
    ClientSkill,
    ClientTool,
    ClientToolHarness,
    ClientToolInput,
    ContextItem,
)
from middleware.client_tools.augment import augment
from middleware.client_tools.begin import begin
from middleware.client_tools.refusal import ClientToolInputRefused
from middleware.client_tools.state import ClientToolState

SCHEMA: dict[str, Any] = {"type": "object", "properties": {}}


def tool(name: str) -> ClientTool:
    """Return a tool that takes anything."""
    return ClientTool(name=name, parameters_schema=SCHEMA)


def harness(name: str, *tools: str, **members: Any) -> ClientToolHarness:
    """Return a harness with these tools and a description."""
    return ClientToolHarness(name=name, description=f"About {name}.", tools=tuple(map(tool, tools)), **members)


def collapsed(name: str, *tools: str, **members: Any) -> ClientToolHarness:
    """Return a harness that starts collapsed."""
    return harness(name, *tools, start_collapsed=True, **members)


def registered(*harnesses: ClientToolHarness, **members: Any) -> ClientToolState:
    """Return what a first run with these harnesses starts with."""
    return begin(None, ClientToolInput(client_tool_harnesses=harnesses, **members))


_CALLED = {
    "page": ["p1", "p2", "p3"],
    "mail": ["m1", "m2", "m3"],
    "two words": ["w1", "w2", "m3"],
    "t1": ["t1", "t2", "t3"],
}
_HARNESS_NAMES = st.sampled_from(sorted(_CALLED))
_NAMES = _HARNESS_NAMES | st.sampled_from([*chain(*_CALLED.values()), "unknown"])
_LISTED = st.lists(_NAMES, max_size=3).map(tuple)
_VALUES = st.none() | st.booleans() | st.integers() | st.text("ab", max_size=2) | st.just({"a": [1, None]})


@st.composite
def _harnesses(draw: st.DrawFn) -> ClientToolHarness:
    """Return a harness, mostly one that can be taken: its own names are its own, but for a few."""
    name = draw(_HARNESS_NAMES)
    called = draw(st.lists(st.sampled_from([*_CALLED[name], "page"]), max_size=3, unique=True))
    skills = draw(st.integers(0, len(called)))
    return ClientToolHarness(
        name=name,
        description=draw(st.sampled_from(["d", "d", "d", None])),
        tools=tuple(map(tool, called[skills:])),
        skills=tuple(ClientSkill(name=each) for each in called[:skills]),
        start_collapsed=draw(st.booleans()),
    )


_GIVEN = st.lists(_harnesses(), max_size=2).map(tuple)
_ITEMS = st.lists(
    st.builds(
        ContextItem, key=st.none() | st.sampled_from("kl"), description=st.sampled_from(["", "k", "m"]), value=_VALUES
    ),
    max_size=3,
).map(tuple)

INPUTS = st.builds(
    ClientToolInput,
    client_tool_harnesses=_GIVEN,
    expanded_containers=_LISTED,
    hidden_tools=_LISTED,
    context=_ITEMS,
    state=_VALUES,
    reset_client_state=st.booleans(),
)
AUGMENTATIONS = st.builds(
    Augmentation,
    remove_tool_harnesses=_LISTED,
    inject_tool_harnesses=_GIVEN,
    expand_tool_harnesses=_LISTED,
    collapse_tool_harnesses=_LISTED,
    hide_tools=_LISTED,
    show_tools=_LISTED,
    add_context=_ITEMS,
    remove_context=_LISTED,
    update_state=_VALUES,
    patch_state=_VALUES,
)


def _follow(changes: list[ClientToolInput | Augmentation]) -> ClientToolState:
    state = ClientToolState()
    for change in changes:
        try:
            state = begin(state, change) if isinstance(change, ClientToolInput) else augment(state, change)
        except ClientToolInputRefused:
            continue
    return state


STATES = st.lists(INPUTS | AUGMENTATIONS, max_size=6).map(_follow)
"""Whatever a branch can come to."""
