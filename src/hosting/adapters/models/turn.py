"""What one run of a pydantic-ai agent has at hand while it answers."""

from dataclasses import dataclass, field

from hosting.adapters.models.batch import Batch
from hosting.adapters.models.listed_tools import ListedTools
from hosting.domain.message import Message
from hosting.ports.agents import RunContext
from hosting.ports.tools import Tool


@dataclass
class ModelTurn:
    """The run's context, and how far its conversation with the model has come.

    `message` is the last that the model said, until its calls are made; `known` are the tools that it was offered, and
    `batch` makes the calls that are under way.
    """

    context: RunContext
    listed: ListedTools
    message: Message | None = None
    batch: Batch | None = None
    known: dict[str, Tool] = field(default_factory=dict)
