"""Names that an agent calls: how they are made, and that each means one thing."""

import re
from typing import Final

from events.client_tools import ClientToolHarness
from middleware.client_tools.refusal import ClientToolInputRefused, quoted

_CALLABLE: Final = re.compile(r"[A-Za-z0-9_.-]{1,128}")
_RULE: Final = "must be 1-128 of the characters A-Z, a-z, 0-9, _, . and -"


def is_callable_name(name: str) -> bool:
    """Say whether an agent can call something by this name.

    The alphabet is the one that the Model Context Protocol gives to names of tools: models take no more than that.
    """
    return _CALLABLE.fullmatch(name) is not None


def check_callable_name(name: str, place: str) -> None:
    """Refuse a name that no agent could call.

    Raises:
        ClientToolInputRefused: it is one.
    """
    if not is_callable_name(name):
        raise ClientToolInputRefused(place, _RULE)


def called_names(harness: ClientToolHarness) -> tuple[str, ...]:
    """Return the names of a harness's tools and skills, which an agent calls when the harness is expanded."""
    return (*(tool.name for tool in harness.tools), *(skill.name for skill in harness.skills))


class TakenNames:
    """The names that are taken so far: whatever is expanded or collapsed later, no two things are called the same.

    A harness may be called as one of its own tools is: an agent never sees both.
    """

    def __init__(self) -> None:
        self._harnesses: set[str] = set()
        self._called: dict[str, str] = {}

    def take_all_of(self, harness: ClientToolHarness) -> None:
        """Take the names of a harness that was checked before."""
        self._harnesses.add(harness.name)
        self._called.update(dict.fromkeys(called_names(harness), harness.name))

    def take_harness(self, name: str, place: str) -> None:
        """Take the name of a harness.

        Raises:
            ClientToolInputRefused: another harness has it, or a tool or skill of another harness.
        """
        if name in self._harnesses:
            raise ClientToolInputRefused(place, f"is {quoted(name)}, as another harness is called")
        if self._called.get(name, name) != name:
            taken_in = quoted(self._called[name])
            raise ClientToolInputRefused(place, f"is {quoted(name)}, as a tool or skill of {taken_in} is called")
        self._harnesses.add(name)

    def take_called(self, name: str, harness: str, place: str) -> None:
        """Take the name of a tool or skill of a harness.

        Raises:
            ClientToolInputRefused: another tool or skill has it, or another harness.
        """
        if name in self._called:
            taken_in = quoted(self._called[name])
            raise ClientToolInputRefused(place, f"is {quoted(name)}, as a tool or skill of {taken_in} is called")
        if name in self._harnesses and name != harness:
            raise ClientToolInputRefused(place, f"is {quoted(name)}, as another harness is called")
        self._called[name] = harness
