"""Our types as JSON Schema (2020-12): as a client may send them, and as the server writes them.

The two differ: what is written leaves out members without a value and knows no older spelling, and what is sent may.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec
from msgspec import NODEFAULT, inspect

from hosting.domain.secret import Secret

Json = dict[str, Any]

POSITION: Final[Json] = {"type": "string", "pattern": r"^[0-9a-f]{12}\.(0|[1-9][0-9]{0,17})$"}
TEXT: Final[Json] = {"type": "string"}
NULL: Final[Json] = {"type": "null"}

_REFERENCE: Final = "#/components/schemas/"
_CHOSEN_ID: Final = r"^(?!\.{1,2}$)[A-Za-z0-9._~-]{1,128}$"
_ID_A_CLIENT_CHOOSES: Final[Mapping[str, str]] = {
    "CreateSession": "sessionId",
    "CreateBranch": "branchId",
    "ForkBranch": "newBranchId",
    "ChatMessage": "messageId",
}
_NO_ID: Final[Mapping[str, Json]] = {"sessionId": {"not": {"const": "search"}}}
"""Ids that nobody may choose, since a route has the place that they would stand in."""
_DURATION: Final = r"^-?P(\d+D)?(T(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?$"
_POSITIONS: Final = frozenset(("eventId", "position"))

_PLAIN: Final[Mapping[type[inspect.Type], Json]] = {
    inspect.AnyType: {},
    inspect.RawType: {},
    inspect.NoneType: NULL,
    inspect.BoolType: {"type": "boolean"},
    inspect.StrType: TEXT,
    inspect.FloatType: {"type": "number"},
    inspect.DateTimeType: {"type": "string", "format": "date-time"},
    # `format: duration` (RFC 3339, appendix A) has no fractions of a second, and ours may.
    inspect.TimeDeltaType: {"type": "string", "pattern": _DURATION, "examples": ["PT5M"]},
}


def reference(name: str) -> Json:
    """Return what stands for a schema that has a name."""
    return {"$ref": f"{_REFERENCE}{name}"}


def one_of(names: Mapping[str, str], tag: str) -> Json:
    """Return the choice between named schemas, told apart by a member; `names` is by the member's value."""
    mapping = {value: f"{_REFERENCE}{name}" for value, name in names.items()}
    return {
        "oneOf": [reference(name) for name in names.values()],
        "discriminator": {"propertyName": tag, "mapping": mapping},
    }


def record(title: str, description: str, members: Mapping[str, Json], required: Sequence[str]) -> Json:
    """Return the schema of an object."""
    return {
        "title": title,
        "description": description,
        "type": "object",
        "properties": dict(members),
        "required": list(required),
    }


class Schemas:
    """The schemas that a document names, gathered while its parts are described.

    What the decoder keeps as bytes is described by `raw`, by the name of the member.
    """

    def __init__(self, raw: Mapping[str, Json]) -> None:
        self.named: dict[str, Json] = {}
        self._raw = raw
        self._classes: dict[str, type] = {}
        self._by_kind: Mapping[type[inspect.Type], Callable[[Any, str], Json]] = {
            inspect.Metadata: lambda kind, prefix: self._schema(kind.type, prefix),
            inspect.StructType: self._name,
            inspect.EnumType: lambda kind, prefix: self._name_enum(kind),
            inspect.UnionType: self._union,
            inspect.ListType: self._array,
            inspect.VarTupleType: self._array,
            inspect.DictType: self._map,
        }

    def sent(self, kind: Any) -> Json:
        """Return the schema of a type as clients may send it."""
        return self._schema(inspect.type_info(kind), "Sent")

    def written(self, kind: Any) -> Json:
        """Return the schema of a type as the server writes it."""
        return self._schema(inspect.type_info(kind), "")

    def sent_members(self, cls: type[msgspec.Struct], without: frozenset[str] = frozenset()) -> Json:
        """Return the schema of an object with a Struct's members, as clients may send them."""
        return self._sent(_struct(cls), without)

    def written_members(self, cls: type[msgspec.Struct]) -> Json:
        """Return the schema of an object with a Struct's members, as the server writes them."""
        return self._written(_struct(cls))

    def _schema(self, kind: inspect.Type, prefix: str) -> Json:
        describe = self._by_kind.get(type(kind))
        return _leaf(kind) if describe is None else describe(kind, prefix)

    def _array(self, kind: Any, prefix: str) -> Json:
        return {"type": "array", "items": self._schema(kind.item_type, prefix)}

    def _map(self, kind: inspect.DictType, prefix: str) -> Json:
        values = self._schema(kind.value_type, prefix)
        return {"type": "object", "additionalProperties": values} if values else {"type": "object"}

    def _name(self, kind: inspect.StructType, prefix: str) -> Json:
        # What only comes in has its own name; the vocabulary goes both ways, and looks different coming in.
        name = f"{prefix}{kind.cls.__name__}" if kind.cls.__module__.startswith("events.") else kind.cls.__name__
        if self._classes.setdefault(name, kind.cls) is not kind.cls:
            raise TypeError(f"{kind.cls} and {self._classes[name]} cannot both be described as {name}.")
        if name not in self.named:
            self.named[name] = {}  # a type may hold itself
            self.named[name] = self._sent(kind, frozenset()) if prefix else self._written(kind)
        return reference(name)

    def _name_enum(self, kind: inspect.EnumType) -> Json:
        name = kind.cls.__name__
        values = [member.value for member in kind.cls]
        self.named[name] = {"title": name, "description": _said(kind.cls), "type": "string", "enum": values}
        return reference(name)

    def _union(self, kind: inspect.UnionType, prefix: str) -> Json:
        structs = [one for one in kind.types if isinstance(one, inspect.StructType)]
        others = [one for one in kind.types if not isinstance(one, inspect.StructType | inspect.NoneType)]
        if not prefix and any(isinstance(one, inspect.EnumType) for one in others):
            # An enum is written as its text, also where older clients may send its number.
            others = [one for one in others if not isinstance(one, inspect.IntType)]
        shapes = [self._schema(one, prefix) for one in others]
        tags = {str(one.tag): _name_in(self._name(one, prefix)) for one in structs}
        if len(structs) > 1 and structs[0].tag_field is not None:
            shapes.append(one_of(tags, structs[0].tag_field))
        else:
            shapes += [self._schema(one, prefix) for one in structs]
        if any(isinstance(one, inspect.NoneType) for one in kind.types):
            shapes.append(NULL)
        return shapes[0] if len(shapes) == 1 else {"anyOf": shapes}

    def _sent(self, kind: inspect.StructType, without: frozenset[str]) -> Json:
        members = _tag(kind)
        for field in kind.fields:
            if field.name not in without:
                members[field.encode_name] = self._sent_member(kind, field)
        required = [field.encode_name for field in kind.fields if field.required and field.name not in without]
        described = record(kind.cls.__name__, _said(kind.cls), members, [*_tag(kind), *required])
        if kind.cls.__struct_config__.forbid_unknown_fields:
            described["additionalProperties"] = False
        return described

    def _sent_member(self, kind: inspect.StructType, field: inspect.Field) -> Json:
        schema = self._member(field, field.type, "Sent")
        if _ID_A_CLIENT_CHOOSES.get(kind.cls.__name__) == field.encode_name:
            schema = {"anyOf": [{**TEXT, "pattern": _CHOSEN_ID, **_NO_ID.get(field.encode_name, {})}, NULL]}
        # A Raw first: it has no hash, and no value to show.
        if isinstance(field.default, msgspec.Raw) or field.default in (NODEFAULT, msgspec.UNSET, None, (), ""):
            return schema
        return {**schema, "default": msgspec.to_builtins(field.default)}

    def _written(self, kind: inspect.StructType) -> Json:
        members, required = _tag(kind), [*_tag(kind)]
        leaves_out = kind.cls.__struct_config__.omit_defaults
        for field in kind.fields:
            # A default that is made, not given, is how a member says that it is always there (events.event.written).
            may_lack = leaves_out or _may_be_unset(field)
            # One that is an empty list or object is left out, though (msgspec, omit_defaults).
            is_made = field.default_factory not in {NODEFAULT, list, dict, set}
            always = not may_lack or field.required or is_made
            members[field.encode_name] = self._member(field, field.type if always else _without_null(field.type), "")
            if always:
                required.append(field.encode_name)
        return record(kind.cls.__name__, _said(kind.cls), members, required)

    def _member(self, field: inspect.Field, kind: inspect.Type, prefix: str) -> Json:
        if field.encode_name in _POSITIONS:
            return POSITION
        if _is_raw(kind):
            return self._raw.get(field.encode_name, {})
        return self._schema(kind, prefix)


def _leaf(kind: inspect.Type) -> Json:
    if isinstance(kind, inspect.IntType):
        bounds = {"minimum": kind.ge, "maximum": kind.le}
        return {"type": "integer", **{name: bound for name, bound in bounds.items() if bound is not None}}
    if isinstance(kind, inspect.LiteralType):
        return {"enum": list(kind.values)}
    if isinstance(kind, inspect.CustomType) and kind.cls is Secret:
        return TEXT
    return dict(_PLAIN[type(kind)])


def _struct(cls: type[msgspec.Struct]) -> inspect.StructType:
    kind = inspect.type_info(cls)
    if not isinstance(kind, inspect.StructType):
        raise TypeError(f"{cls} is no Struct.")
    return kind


def _tag(kind: inspect.StructType) -> dict[str, Json]:
    return {} if kind.tag_field is None else {kind.tag_field: {"const": kind.tag}}


def _without_null(kind: inspect.Type) -> inspect.Type:
    if not isinstance(kind, inspect.UnionType):
        return kind
    types = tuple(one for one in kind.types if not isinstance(one, inspect.NoneType))
    return types[0] if len(types) == 1 else inspect.UnionType(types)


def _may_be_unset(field: inspect.Field) -> bool:
    # A member that is left out unless it is said has no default here, and is not required for all that.
    return not field.required and field.default is NODEFAULT and field.default_factory is NODEFAULT


def _is_raw(kind: inspect.Type) -> bool:
    inner = _without_null(kind)
    return isinstance(inner.item_type if isinstance(inner, inspect.VarTupleType) else inner, inspect.RawType)


def _name_in(reference_: Json) -> str:
    return str(reference_["$ref"]).removeprefix(_REFERENCE)


def _said(cls: type[Any]) -> str:
    return " ".join((cls.__doc__ or "").split())
