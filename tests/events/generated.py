"""Events and inputs with generated values, for every class that the catalog knows."""

import json
from datetime import UTC, datetime, timedelta
from enum import Enum
from functools import cache
from types import UnionType
from typing import Any, NewType, Union, get_args, get_origin

import msgspec
from hypothesis import strategies as st

from events.catalog import Catalog
from events.event import Event
from events.inputs import Input

CLASSES = dict(Catalog.standard())
EVENTS = {name: cls for name, cls in CLASSES.items() if issubclass(cls, Event)}
INPUTS = {name: cls for name, cls in CLASSES.items() if issubclass(cls, Input)}

# What UTF-8 cannot say (a surrogate) never becomes an event: the encoder refuses it.
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
WHOLE = st.integers(-(2**63), 2**63 - 1)
JSON = st.recursive(
    st.none() | st.booleans() | WHOLE | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.dictionaries(TEXT, JSON, max_size=3)
TIMES = st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))
SCALARS: dict[object, st.SearchStrategy[Any]] = {
    str: TEXT,
    int: WHOLE,
    bool: st.booleans(),
    float: st.floats(allow_nan=False, allow_infinity=False),
    datetime: TIMES,
    timedelta: st.timedeltas(timedelta(days=-1000), timedelta(days=1000)),
    Any: JSON,
    type(None): st.none(),
    msgspec.Raw: OBJECTS.map(lambda value: msgspec.Raw(json.dumps(value).encode())),
}


# A strategy is checked and measured when it is first drawn from, which takes longer than drawing does.
@cache
def structs(cls: type[Any]) -> st.SearchStrategy[Any]:
    """Return instances of a Struct with every member drawn by its type, optional ones now and then left out."""
    fields = msgspec.structs.fields(cls)
    # A Raw that was left out has no bytes, which only a decoder can say.
    required = {field.name: values(field.type) for field in fields if field.required or field.type is msgspec.Raw}
    optional = {field.name: values(field.type) for field in fields if field.name not in required}
    return st.fixed_dictionaries(required, optional=optional).map(lambda members: cls(**members))


def values(annotation: Any) -> st.SearchStrategy[Any]:
    """Return values of an annotation, as far as events use them."""
    if annotation in SCALARS:
        return SCALARS[annotation]
    if isinstance(annotation, NewType):
        return values(annotation.__supertype__)
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (Union, UnionType):
        # A number beside an enum is what older clients send for its members; it is never written.
        has_enum = any(isinstance(argument, type) and issubclass(argument, Enum) for argument in arguments)
        kept = [argument for argument in arguments if not (has_enum and argument is int)]
        return st.one_of([values(argument) for argument in kept])
    if origin is tuple:
        return st.lists(values(arguments[0]), max_size=3).map(tuple)
    if origin is dict:
        return st.dictionaries(values(arguments[0]), values(arguments[1]), max_size=3)
    if issubclass(annotation, Enum):
        return st.sampled_from(annotation)
    return structs(annotation)
