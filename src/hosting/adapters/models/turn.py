"""What one run of a pydantic-ai agent has at hand while it answers."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from pydantic_ai.messages import UserContent

from hosting.adapters.models.batch import Batch
from hosting.adapters.models.care import Care
from hosting.adapters.models.listed_tools import ListedTools
from hosting.domain.message import Message
from hosting.ports.agents import RunContext
from hosting.ports.tools import Tool


@dataclass
class ModelTurn:
    """The run's context, and how far its conversation with the model has come.

    `care` is how the model is asked. `message` is the last that it said, until its calls are made; `called` are the ids
    of all calls so far. `offered` are the names that it can call, `known` the tools of these names that are not the
    client's, and `batch` makes the calls that are under way. `prompt` is what the user says now, `answer_name` what the
    model calls to give an answer in the form that is asked for. A run may ask that no tool is there, and that what the
    model thinks is not told.
    """

    context: RunContext
    listed: ListedTools
    care: Care = field(default_factory=Care)
    tells_reasoning: bool = True
    skips_tools: bool = False
    prompt: str | Sequence[UserContent] | None = None
    answer_name: str | None = None
    message: Message | None = None
    called: set[str] = field(default_factory=set)
    batch: Batch | None = None
    known: dict[str, Tool] = field(default_factory=dict)
    offered: frozenset[str] = frozenset()
