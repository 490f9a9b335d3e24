"""What a conversation in a test is held with."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any, TypedDict

from events.event import Event
from hosting.ports.tools import Tool
from hosting.testing.answers import Respond


class Options(TypedDict, total=False):
    """How the agent is answered, and what the server has beside it; all of it can be left out."""

    approve: bool
    """The answer to permissions and continuations."""
    answers: Iterable[str]
    """The answers to questions in words, one after the other."""
    respond: Respond
    """Answers any other request, and is asked first."""
    agents: Mapping[str, object]
    """Other agents, by id."""
    tools: Iterable[Tool]
    """The server's tools."""
    events: Iterable[type[Event]]
    """Custom events."""
    run_config: Mapping[str, Any]
    """The runConfig of each text."""
    restarts: bool
    """Whether, whenever the agent asks, the server ends before it is answered, and another one goes on with the run."""
    within: timedelta
    """How long all of it may take; 30 seconds when nothing is said."""
