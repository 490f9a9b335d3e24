"""The arguments that a function takes, as JSON Schema tells them and as calls bring them."""

import inspect
import re
import typing
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Annotated, Any, Final, Self

import msgspec

from hosting.adapters.agents.docstring import Docstring
from middleware.errors import WrongArguments

_PLACE: Final = re.compile(r"(.*) - at `\$\.?(.*)`", re.DOTALL)
_UNNAMED: Final = {
    inspect.Parameter.POSITIONAL_ONLY: "is positional only",
    inspect.Parameter.VAR_POSITIONAL: "takes any number",
    inspect.Parameter.VAR_KEYWORD: "takes any name",
}


class Arguments:
    """Reads the arguments of a call by the types that the function's signature gives them."""

    def __init__(self, struct: type[msgspec.Struct], schema: dict[str, Any]) -> None:
        self._struct = struct
        self.schema = schema

    @classmethod
    def of(cls, function: Callable[..., Any], docstring: Docstring, *, after: int = 0) -> Self:
        """Look at a function's parameters, but for the first ones.

        Raises:
            TypeError: a parameter cannot be given by its name, or has a type that JSON cannot be read into.
        """
        parameters = list(inspect.signature(function).parameters.values())[after:]
        for parameter in parameters:
            if parameter.kind in _UNNAMED:
                why = _UNNAMED[parameter.kind]
                raise TypeError(f"The parameter {parameter} of {function.__name__} {why}; a call gives names.")
        types = _types(function, parameters)
        fields = [_field(parameter, types, docstring.parameters) for parameter in parameters]
        for field in fields:
            _check_type(function.__name__, *field[:2])
        struct = msgspec.defstruct("Arguments", fields, kw_only=True, forbid_unknown_fields=True)
        return cls(struct, _schema(struct))

    def read(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return what the function is to be called with; what a call leaves out keeps the function's own default.

        Raises:
            WrongArguments: something is missing, unknown, or of another type.
        """
        try:
            read = msgspec.convert(given, self._struct)
        except msgspec.ValidationError as error:
            raise WrongArguments(_sentence(str(error))) from error
        return {name: getattr(read, name) for name in self._struct.__struct_fields__ if name in given}


def _types(function: Callable[..., Any], parameters: list[inspect.Parameter]) -> dict[str, Any]:
    """Resolve the annotations of these parameters alone: others may name what is imported for a checker only."""
    named = {
        parameter.name: parameter.annotation
        for parameter in parameters
        if parameter.annotation is not inspect.Parameter.empty
    }
    names = getattr(function, "__globals__", {})
    try:
        return typing.get_type_hints(SimpleNamespace(__annotations__=named), names, include_extras=True)
    except NameError as error:
        raise TypeError(f"The types of {function.__name__} cannot be looked up: {error}.") from error


def _field(parameter: inspect.Parameter, types: dict[str, Any], told: Mapping[str, str]) -> Any:
    kind = types.get(parameter.name, Any)
    said = next((extra for extra in getattr(kind, "__metadata__", ()) if isinstance(extra, str)), None)
    said = said or told.get(parameter.name)
    if said:
        kind = Annotated[kind, msgspec.Meta(description=said)]
    if parameter.default is inspect.Parameter.empty:
        return parameter.name, kind
    return parameter.name, kind, _default(parameter.default)


def _check_type(function: str, name: str, kind: Any) -> None:
    try:
        msgspec.json.schema(kind)
        msgspec.json.Decoder(kind)
    except (TypeError, ValueError, NameError) as error:
        kind = typing.get_args(kind)[0] if typing.get_origin(kind) is Annotated else kind
        shown = getattr(kind, "__name__", kind)
        raise TypeError(
            f"The parameter {name} of {function} has a type that JSON cannot be read into: {shown}."
        ) from error


def _default(value: Any) -> Any:
    try:
        msgspec.to_builtins(value)
    except TypeError:
        return msgspec.field(default_factory=lambda: value)
    if isinstance(value, list | dict | set | bytearray):
        return msgspec.field(default_factory=lambda: value)
    return value


def _schema(struct: type[msgspec.Struct]) -> dict[str, Any]:
    """Return the schema in one piece: not every model looks up what a `$ref` points to."""
    whole = msgspec.json.schema(struct)
    parts = {f"#/$defs/{name}": part for name, part in whole.pop("$defs").items()}
    kept: set[str] = set()
    schema: dict[str, Any] = _inlined(whole, parts, (), kept)
    schema.pop("title", None)
    # What contains itself can only be pointed to, and what that is made of, too.
    while missing := kept - schema.get("$defs", {}).keys():
        for name in missing:
            schema.setdefault("$defs", {})[name] = _inlined(parts[f"#/$defs/{name}"], parts, (f"#/$defs/{name}",), kept)
    return schema


def _inlined(value: Any, parts: Mapping[str, Any], within: tuple[str, ...], kept: set[str]) -> Any:
    if isinstance(value, list):
        return [_inlined(item, parts, within, kept) for item in value]
    if not isinstance(value, dict):
        return value
    place = value.get("$ref")
    if not isinstance(place, str) or place not in parts:
        return {name: _inlined(item, parts, within, kept) for name, item in value.items()}
    if place in within:
        kept.add(place.removeprefix("#/$defs/"))
        return dict(value)
    beside = {name: item for name, item in value.items() if name != "$ref"}
    return {**_inlined(parts[place], parts, (*within, place), kept), **beside}


def _sentence(said: str) -> str:
    placed = _PLACE.fullmatch(said)
    if placed is not None and placed[2]:
        return f"The argument `{placed[2]}` does not fit: {_lowered(placed[1])}."
    missing = said.replace("Object missing required field", "The argument").replace("Object contains unknown field", "")
    if missing.startswith("The argument"):
        return f"{missing} is missing."
    if said.startswith("Object contains unknown field"):
        return f"There is no argument{missing}."
    return f"The arguments do not fit: {_lowered(said)}."


def _lowered(said: str) -> str:
    return said[:1].lower() + said[1:]
