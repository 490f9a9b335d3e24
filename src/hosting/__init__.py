"""Branchline hosts agents: sessions, branches, durable events, from any node and through any disconnect.

What a host program or an agent's author needs is here; everything else may change.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hosting.adapters.agents.function import agent as agent
    from hosting.adapters.agents.function_tool import tool as tool
    from hosting.adapters.models.adopt import model_agent as model_agent
    from hosting.bootstrap import create_app as create_app
    from hosting.domain.secret import Secret as Secret
    from hosting.ports.agents import Agent as Agent
    from hosting.ports.agents import Limits as Limits
    from hosting.ports.agents import Reply as Reply
    from hosting.ports.agents import RunContext as RunContext
    from hosting.ports.agents import ToolOutcome as ToolOutcome
    from hosting.ports.summaries import ToSummarize as ToSummarize
    from hosting.ports.tools import Tool as Tool
    from hosting.ports.tools import ToolContext as ToolContext
    from hosting.settings import Settings as Settings
    from middleware.compaction_policy import CompactionPolicy as CompactionPolicy
    from middleware.errors import AgentError as AgentError
    from middleware.errors import CallDenied as CallDenied
    from middleware.errors import CallFailed as CallFailed
    from middleware.errors import CredentialMissing as CredentialMissing
    from middleware.errors import CredentialUnusable as CredentialUnusable
    from middleware.errors import RequestExpired as RequestExpired

_HOMES = {
    "Agent": "hosting.ports.agents",
    "AgentError": "middleware.errors",
    "CallDenied": "middleware.errors",
    "CompactionPolicy": "middleware.compaction_policy",
    "ToSummarize": "hosting.ports.summaries",
    "CallFailed": "middleware.errors",
    "CredentialMissing": "middleware.errors",
    "CredentialUnusable": "middleware.errors",
    "Limits": "hosting.ports.agents",
    "Reply": "hosting.ports.agents",
    "RequestExpired": "middleware.errors",
    "RunContext": "hosting.ports.agents",
    "Secret": "hosting.domain.secret",
    "Settings": "hosting.settings",
    "Tool": "hosting.ports.tools",
    "ToolContext": "hosting.ports.tools",
    "ToolOutcome": "hosting.ports.agents",
    "agent": "hosting.adapters.agents.function",
    "create_app": "hosting.bootstrap",
    "model_agent": "hosting.adapters.models.adopt",
    "tool": "hosting.adapters.agents.function_tool",
}

__all__ = sorted(_HOMES)  # noqa: PLE0605 - a list of strings, sorted


def __getattr__(name: str) -> Any:
    # Looked up late: importing an agent's helpers must not load the web framework.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415

    return getattr(import_module(_HOMES[name]), name)
