"""How a type of ours looks on the wire, in words."""

from typing import Any, Final

from docs.generate.tables import code
from msgspec import inspect

from hosting.domain.secret import Secret

_WORDS: Final[dict[type, str]] = {
    inspect.AnyType: "any JSON",
    inspect.RawType: "any JSON",
    inspect.BoolType: "boolean",
    inspect.DateTimeType: "time",
    inspect.DictType: "object",
    inspect.FloatType: "number",
    inspect.IntType: "integer",
    inspect.StrType: "string",
    inspect.TimeDeltaType: "duration",
}


def words(type_: inspect.Type) -> str:
    """Say what a value of this type looks like in JSON; a Struct is named and linked."""
    if isinstance(type_, inspect.Metadata):
        return words(type_.type)
    if isinstance(type_, inspect.EnumType):
        return ", ".join(code(f'"{member.value}"') for member in type_.cls)
    if isinstance(type_, inspect.StructType):
        return f"[{type_.cls.__name__}](#{type_.cls.__name__.lower()})"
    if isinstance(type_, inspect.UnionType):
        return " or ".join(dict.fromkeys(words(one) for one in _shown(type_.types)))
    if isinstance(type_, inspect.VarTupleType | inspect.ListType):
        return f"array of {words(type_.item_type)}"
    return _WORDS[inspect.StrType if _is_secret(type_) else type(type_)]


def _is_secret(type_: inspect.Type) -> bool:
    return isinstance(type_, inspect.CustomType) and type_.cls is Secret


def structs_in(type_: inspect.Type) -> list[type[Any]]:
    """Return the Structs that a type names, so that they can be described too."""
    if isinstance(type_, inspect.Metadata):
        return structs_in(type_.type)
    if isinstance(type_, inspect.StructType):
        return [type_.cls]
    if isinstance(type_, inspect.UnionType):
        return [cls for one in type_.types for cls in structs_in(one)]
    if isinstance(type_, inspect.VarTupleType | inspect.ListType):
        return structs_in(type_.item_type)
    return []


def _shown(types: tuple[inspect.Type, ...]) -> list[inspect.Type]:
    # An enum is written as its text, also where older clients may send its number.
    numbers = inspect.IntType if any(isinstance(one, inspect.EnumType) for one in types) else inspect.NoneType
    return [one for one in types if not isinstance(one, inspect.NoneType | numbers)]
