"""What an agent is told when it calls what the server answers itself: a collapsed harness, a skill."""

from events.client_tools import ClientSkill, SkillDocument
from middleware.client_tools.names import called_names
from middleware.client_tools.state import ClientToolState


def expand(state: ClientToolState, name: str) -> tuple[ClientToolState, str]:
    """Return the state in which a harness shows its tools, and what the agent is told; the same again if it does.

    The harness's system prompt is not in that text: it is one of `system_prompts` from now on.
    """
    harness = state.harness(name)
    if harness is None:
        return state, f"There is no group of tools called {name}."
    hidden = frozenset(state.hidden_tools)
    shown = [tool for tool in called_names(harness) if tool not in hidden]
    listed = f"You can call these tools of {name} now: {', '.join(shown)}." if shown else f"{name} has no tools now."
    return state.expanding([name]), harness.function_result or listed


def skill_text(skill: ClientSkill) -> str:
    """Return what an agent is told when it calls a skill: its result, its instructions, its documents."""
    told = [text for text in (skill.function_result, skill.system_prompt) if text]
    told.extend(_document(document) for document in skill.documents)
    return "\n\n".join(told) or f"The skill {skill.name} has nothing to say."


def system_prompts(state: ClientToolState) -> list[str]:
    """Return what belongs into the agent's instructions while these harnesses show their tools, in their order."""
    expanded = frozenset(state.expanded)
    shown = (harness for harness in state.harnesses if harness.name in expanded)
    return [harness.system_prompt for harness in shown if harness.system_prompt]


def _document(document: SkillDocument) -> str:
    about = f" ({document.description})" if document.description else ""
    text = f" {document.url}" if document.content is None else f"\n{document.content}"
    return f"Document {document.document_id}{about}:{text}"
