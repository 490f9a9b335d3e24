"""What `branchline new agent` writes; NAME stands for the agent's name."""

from typing import Final

AGENT: Final = '''\
from hosting import CallDenied, RunContext, agent, tool


@tool(requires_permission=True)
async def tidy_up(room: str) -> str:
    """Tidy up a room, and throw away what lies on the floor."""
    return f"The {room} is tidy."


@agent
async def NAME(context: RunContext) -> None:
    """Tidy up what the user says, if that is allowed."""
    await context.say(f"I am about to tidy up the {context.text}.")
    try:
        await context.say(await context.call(tidy_up, room=context.text))
    except CallDenied:
        await context.say("Then it stays as it is.")
'''

TEST: Final = """\
from hosting.testing import converse
from NAME import NAME


def test_it_tidies_up_when_it_may() -> None:
    conversation = converse(NAME, "kitchen", approve=True)

    assert conversation.said == ["I am about to tidy up the kitchen.", "The kitchen is tidy."]


def test_it_leaves_alone_what_it_may_not_touch() -> None:
    conversation = converse(NAME, "cellar", approve=False)

    assert conversation.said[-1] == "Then it stays as it is."
    assert conversation.asked[0].arguments == {"room": "cellar"}
"""

NEXT: Final = """\
NAME.py is an agent, and test_NAME.py its test. Try:

  python -m pytest test_NAME.py
  branchline serve NAME.py

and while that serves, in a second terminal:

  branchline send "kitchen" --agent NAME
"""
