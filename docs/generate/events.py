"""The events and inputs of the catalog, as pages show them."""

import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec
from docs.generate.docstrings import member_docs, sentences
from docs.generate.tables import code, table
from docs.generate.wire_types import structs_in, words
from msgspec import NODEFAULT, inspect

from events.catalog import Catalog
from events.event import Envelope, Event
from events.inputs import Input

Presence = Callable[[inspect.Field], str]


def events() -> str:
    """Describe every event of the standard catalog, by family."""
    known = [(name, cls) for name, cls in Catalog.standard() if issubclass(cls, Event)]
    families: dict[str, list[tuple[str, type[Event]]]] = {}
    for name, cls in known:
        families.setdefault(cls.__module__, []).append((name, cls))
    sections = [_family(module, members) for module, members in families.items()]
    return "\n\n".join([*sections, _structs([cls for _, cls in known], "written", _written)])


def inputs() -> str:
    """Describe every input of the standard catalog, what all inputs share first."""
    known = [(name, cls) for name, cls in Catalog.standard() if issubclass(cls, Input)]
    shared = "\n\n".join(["### Every input", sentences(Input), _input_members(Input, ())])
    common = tuple(field.name for field in msgspec.structs.fields(Input))
    own = ["\n\n".join([f"### {name}", sentences(cls), _input_members(cls, common)]) for name, cls in known]
    return "\n\n".join([shared, *own, _structs([cls for _, cls in known], "needed", _wanted)])


def _family(module: str, members: Sequence[tuple[str, type[Event]]]) -> str:
    sections = [f"### {module.rpartition('.')[2].capitalize()}", sentences(sys.modules[module])]
    for name, cls in members:
        sections += [f"#### {name}", sentences(cls), _differs(cls.envelope), _members(cls)]
    return "\n\n".join(part for part in sections if part)


def _differs(envelope: Envelope) -> str:
    usual = Envelope()
    shown = {
        "channel": (envelope.channel, usual.channel),
        "kind": (envelope.kind, usual.kind),
        "direction": (envelope.direction, usual.direction),
        "canInterrupt": (str(envelope.can_interrupt).lower(), str(usual.can_interrupt).lower()),
    }
    said = [f"{code(name)} is {code(value)}" for name, (value, default) in shown.items() if value != default]
    return f"In its envelope {', '.join(said)}." if said else ""


def _members(cls: type[Event]) -> str:
    common = {field.name for field in msgspec.structs.fields(Event)}
    return _table(cls, [field for field in _fields(cls) if field.name not in common], "written", _written)


def _input_members(cls: type[Input], without: Sequence[str]) -> str:
    return _table(cls, [field for field in _fields(cls) if field.name not in without], "needed", _wanted)


def _structs(owners: Iterable[type[Any]], presence: str, told: Presence) -> str:
    found = {cls: None for owner in owners for field in _fields(owner) for cls in structs_in(field.type)}
    return "\n\n".join(_struct(cls, presence, told) for cls in found)


def _struct(cls: type[Any], presence: str, told: Presence) -> str:
    return "\n\n".join([f"#### {cls.__name__}", sentences(cls), _table(cls, _fields(cls), presence, told)])


def _table(cls: type[Any], fields: Iterable[inspect.Field], presence: str, told: Presence) -> str:
    docs = member_docs(cls)
    info = inspect.type_info(cls)
    rows = [(code(info.tag_field), code(f'"{info.tag}"'), "always", "")] if info.tag_field else []
    rows += [(code(field.encode_name), words(field.type), told(field), docs.get(field.name, "")) for field in fields]
    return table(("member", "type", presence, "means"), rows)


def _fields(cls: type[Any]) -> tuple[inspect.Field, ...]:
    return inspect.type_info(cls).fields


def _written(field: inspect.Field) -> str:
    # A default that is made, not given, is how our events say that a member is never left out (events.event.written).
    always = field.required or field.default_factory is not NODEFAULT
    return "always" if always else "when there is one"


def _wanted(field: inspect.Field) -> str:
    if field.required:
        return "required"
    if field.default is None or isinstance(field.default, msgspec.Raw):
        return "optional"
    return f"optional; {code(field.default)} when left out"
