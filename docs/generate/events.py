"""The events and inputs of the catalog, as pages show them."""

import json
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import msgspec
from docs.generate.docstrings import member_docs, sentences
from docs.generate.tables import code, table
from docs.generate.wire_types import structs_in, words
from msgspec import NODEFAULT, inspect

from events.catalog import Catalog
from events.client_tools import ClientToolInput
from events.event import Envelope, Event
from events.inputs import Input
from events.interactions import Response
from events.interruption import InterruptionRequest

Column = tuple[str, Callable[[inspect.Field], str]]
"""A column of a table: its head, and what it says of a member."""

_IN_RUN_CONFIG: Final = (ClientToolInput,)
"""What stands inside of `runConfig`, which inputs carry undecoded."""


def events() -> str:
    """Describe every event of the standard catalog, by family."""
    known = [(name, cls) for name, cls in Catalog.standard() if issubclass(cls, Event)]
    families: dict[str, list[tuple[str, type[Event]]]] = {}
    for name, cls in known:
        families.setdefault(cls.__module__, []).append((name, cls))
    sections = [_family(module, members) for module, members in families.items()]
    told = {*_IN_RUN_CONFIG, *_structs_of(_IN_RUN_CONFIG)}
    found = [cls for cls in _structs_of(cls for _, cls in known) if cls not in told]
    return "\n\n".join([*sections, "### Parts of events", *(_struct(cls, _WRITTEN) for cls in found)])


def inputs() -> str:
    """Describe every input of the standard catalog, what all inputs share first."""
    known = [(name, cls) for name, cls in Catalog.standard() if issubclass(cls, Input)]
    shared = "\n\n".join(["### Every input", sentences(Input), _input_members(Input, ())])
    common = tuple(field.name for field in msgspec.structs.fields(Input))
    told: list[tuple[str, type[Any]]] = [*known, (InterruptionRequest.wire_type, InterruptionRequest)]
    own = ["\n\n".join([f"### {name}", sentences(cls), _input_members(cls, common)]) for name, cls in told]
    found = [*_structs_of(cls for _, cls in told), *_IN_RUN_CONFIG, *_structs_of(_IN_RUN_CONFIG)]
    return "\n\n".join([shared, *own, "### Parts of inputs", *(_struct(cls, _NEEDED) for cls in found)])


def parts_of_events() -> list[type[Any]]:
    """Return the Structs that events and inputs are made of."""
    return [*_IN_RUN_CONFIG, *_structs_of([*(cls for _, cls in Catalog.standard()), *_IN_RUN_CONFIG])]


def _family(module: str, members: Sequence[tuple[str, type[Event]]]) -> str:
    sections = [f"### {module.rpartition('.')[2].replace('_', ' ').capitalize()}", sentences(sys.modules[module])]
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
    # Who answers must know what to send; who reads the log, what is there.
    columns = (_NEEDED, _WRITTEN) if issubclass(cls, Response) else (_WRITTEN,)
    return _table(cls, [field for field in _fields(cls) if field.name not in common], *columns)


def _input_members(cls: type[Any], without: Sequence[str]) -> str:
    return _table(cls, [field for field in _fields(cls) if field.name not in without], _NEEDED)


def _structs_of(owners: Iterable[type[Any]]) -> list[type[Any]]:
    """Return the Structs that these are made of, and those that they are made of in turn."""
    found: dict[type[Any], None] = {}
    waiting = list(owners)
    while waiting:
        new = [cls for field in _fields(waiting.pop(0)) for cls in structs_in(field.type) if cls not in found]
        found.update(dict.fromkeys(new))
        waiting += new
    return list(found)


def _struct(cls: type[Any], column: Column) -> str:
    return "\n\n".join([f"#### {cls.__name__}", sentences(cls), _table(cls, _fields(cls), column)])


def _table(cls: type[Any], fields: Iterable[inspect.Field], *columns: Column) -> str:
    docs, info = member_docs(cls), inspect.type_info(cls)
    rows = [(code(info.tag_field), code(f'"{info.tag}"'), *("always" for _ in columns), "")] if info.tag_field else []
    for field in fields:
        said = (told(field) for _, told in columns)
        rows.append((code(field.encode_name), words(field.type), *said, docs.get(field.name, "")))
    return table(("member", "type", *(head for head, _ in columns), "means"), rows)


def _fields(cls: type[Any]) -> tuple[inspect.Field, ...]:
    return inspect.type_info(cls).fields


def _written(field: inspect.Field) -> str:
    # A default that is made, not given, is how our events say that a member is never left out (events.event.written).
    always = field.required or field.default_factory is not NODEFAULT
    return "always" if always else "when there is one"


def _wanted(field: inspect.Field) -> str:
    if field.required:
        return "required"
    default = field.default if field.default_factory is NODEFAULT else field.default_factory()
    if isinstance(default, msgspec.Raw) or default in (None, (), ""):
        return "optional"
    shown = default if isinstance(default, str) else json.dumps(default)
    return f"optional; {code(shown)} when left out"


_NEEDED: Final[Column] = ("needed", _wanted)
_WRITTEN: Final[Column] = ("written", _written)
