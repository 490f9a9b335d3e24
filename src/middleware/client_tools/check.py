"""Harnesses are checked before any of them is registered."""

from collections.abc import Iterator, Mapping, Sequence

from events.client_tools import ClientSkill, ClientTool, ClientToolHarness, SkillDocument, SkillReference
from middleware.client_tools.names import TakenNames, check_callable_name
from middleware.client_tools.refusal import ClientToolInputRefused, quoted
from middleware.client_tools.schema import check_parameters_schema

_Names = frozenset[str]


def check_harnesses(
    given: Sequence[ClientToolHarness], place: str, *, beside: Sequence[ClientToolHarness] = ()
) -> None:
    """Look at harnesses that are to be registered; `beside` are those that stay registered next to them.

    Raises:
        ClientToolInputRefused: one of them is wrong in itself, has a name that is taken, or speaks of tools that
            are not there; its place begins with `place`.
    """
    for index, harness in enumerate(given):
        _check_harness(harness, f"{place}[{index}]")
    _check_names(given, place, beside)
    there = {harness.name: frozenset(tool.name for tool in harness.tools) for harness in (*beside, *given)}
    anywhere = frozenset[str]().union(*there.values())
    for index, harness in enumerate(given):
        for at, reference in _references(harness, f"{place}[{index}]"):
            _check_reference(reference, at, there, anywhere)


def _check_harness(harness: ClientToolHarness, place: str) -> None:
    if not harness.name.strip():
        raise ClientToolInputRefused(f"{place}.name", "must not be empty")
    if harness.start_collapsed:
        _check_container(harness, place)
    for index, tool in enumerate(harness.tools):
        _check_tool(tool, f"{place}.tools[{index}]")
    for index, skill in enumerate(harness.skills):
        _check_skill(skill, f"{place}.skills[{index}]")


def _check_container(harness: ClientToolHarness, place: str) -> None:
    check_callable_name(harness.name, f"{place}.name")
    if not (harness.description or "").strip():
        raise ClientToolInputRefused(
            f"{place}.description", "must say what the harness is for, since it starts collapsed"
        )


def _check_tool(tool: ClientTool, place: str) -> None:
    check_callable_name(tool.name, f"{place}.name")
    if tool.parameters_schema.get("type", "object") != "object":
        raise ClientToolInputRefused(f"{place}.parametersSchema.type", "must be 'object'")
    check_parameters_schema(tool.parameters_schema, f"{place}.parametersSchema")


def _check_skill(skill: ClientSkill, place: str) -> None:
    check_callable_name(skill.name, f"{place}.name")
    for index, document in enumerate(skill.documents):
        _check_document(document, f"{place}.documents[{index}]")


def _check_document(document: SkillDocument, place: str) -> None:
    if (document.content is None) == (document.url is None):
        raise ClientToolInputRefused(place, "must have either `content` or `url`")


def _check_names(given: Sequence[ClientToolHarness], place: str, beside: Sequence[ClientToolHarness]) -> None:
    taken = TakenNames()
    for harness in beside:
        taken.take_all_of(harness)
    for index, harness in enumerate(given):
        at = f"{place}[{index}]"
        taken.take_harness(harness.name, f"{at}.name")
        for number, tool in enumerate(harness.tools):
            taken.take_called(tool.name, harness.name, f"{at}.tools[{number}].name")
        for number, skill in enumerate(harness.skills):
            taken.take_called(skill.name, harness.name, f"{at}.skills[{number}].name")


def _references(harness: ClientToolHarness, place: str) -> Iterator[tuple[str, SkillReference]]:
    for number, skill in enumerate(harness.skills):
        for index, reference in enumerate(skill.references):
            yield f"{place}.skills[{number}].references[{index}]", reference


def _check_reference(reference: SkillReference, place: str, there: Mapping[str, _Names], anywhere: _Names) -> None:
    name, within = reference.tool_name, reference.tool_harness_name
    if within is not None and within not in there:
        raise ClientToolInputRefused(f"{place}.toolHarnessName", f"is {quoted(within)}, but there is no such harness")
    if name not in (anywhere if within is None else there[within]):
        raise ClientToolInputRefused(f"{place}.toolName", f"is {quoted(name)}, but there is no such tool")
