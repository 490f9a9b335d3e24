"""What an agent may call now, and what a call means."""

from dataclasses import dataclass, field
from typing import Any

from events.client_tools import ClientSkill, ClientTool, ClientToolHarness
from middleware.client_tools.state import ClientToolState


@dataclass(frozen=True, slots=True)
class VisibleTool:
    """Something that an agent may call; `means` says what a call comes to.

    A ClientTool is asked of the client; a ClientToolHarness is expanded (`expand`); a ClientSkill is told
    (`skill_text`).
    """

    name: str
    description: str | None
    harness_name: str
    means: ClientTool | ClientToolHarness | ClientSkill
    parameters_schema: dict[str, Any] = field(default_factory=lambda: {"type": "object", "properties": {}})
    """A JSON Schema of the arguments."""

    @property
    def requires_permission(self) -> bool:
        """Whether somebody must allow each call; only tools can ask for that."""
        return isinstance(self.means, ClientTool) and self.means.requires_permission is True


def visible(state: ClientToolState) -> list[VisibleTool]:
    """Return what an agent may call now, in the order of registration; no two have the same name."""
    expanded, hidden = frozenset(state.expanded), frozenset(state.hidden_tools)
    return [
        tool
        for harness in state.harnesses
        for tool in (_expanded(harness) if harness.name in expanded else [_container(harness)])
        if tool.name not in hidden
    ]


def find(state: ClientToolState, tool_name: str) -> VisibleTool | None:
    """Return what a call by that name means; None when an agent may call nothing of that name now."""
    return next((tool for tool in visible(state) if tool.name == tool_name), None)


def registered(state: ClientToolState, name: str) -> VisibleTool | None:
    """Return what a call by that name means, whether or not an agent may make one now; None when nothing has it."""
    every = (tool for harness in state.harnesses for tool in (_container(harness), *_expanded(harness)))
    return next((tool for tool in every if tool.name == name), None)


def _expanded(harness: ClientToolHarness) -> list[VisibleTool]:
    return [*(_tool(tool, harness) for tool in harness.tools), *(_skill(skill, harness) for skill in harness.skills)]


def _tool(tool: ClientTool, harness: ClientToolHarness) -> VisibleTool:
    return VisibleTool(tool.name, tool.description, harness.name, tool, tool.parameters_schema)


def _skill(skill: ClientSkill, harness: ClientToolHarness) -> VisibleTool:
    return VisibleTool(skill.name, skill.description, harness.name, skill)


def _container(harness: ClientToolHarness) -> VisibleTool:
    # One that an answer collapsed may have no description, and nobody calls what says nothing of itself.
    description = harness.description or f"Shows the tools of {harness.name}."
    return VisibleTool(harness.name, description, harness.name, harness)
