"""The request that a call of an operation is."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote, urlencode

from hosting.adapters.models.openapi_operation import Body, Operation, Parameter
from middleware.errors import WrongArguments

_BETWEEN: Final = {"spaceDelimited": " ", "pipeDelimited": "|"}


@dataclass(frozen=True, slots=True)
class OperationRequest:
    """What is sent: `path` is below the service's address, with its query."""

    method: str
    path: str
    headers: dict[str, str] = field(default_factory=dict)
    content: bytes | None = None


def request_of(operation: Operation, arguments: Mapping[str, Any]) -> OperationRequest:
    """Make the request of a call.

    Raises:
        WrongArguments: the operation does not take these.
    """
    _check_names(operation, arguments)
    path = operation.path
    query: list[tuple[str, str]] = []
    headers: dict[str, str] = {}
    for parameter in operation.parameters:
        value = arguments.get(parameter.argument)
        if value is None:
            continue
        if parameter.place == "path":
            path = path.replace(f"{{{parameter.name}}}", _segment(parameter, value))
        elif parameter.place == "query":
            query += _pairs(parameter, value)
        else:
            headers[parameter.name] = _header(parameter, value)
    if _leaves(path):
        raise WrongArguments(f"With these arguments {operation.id} would be another operation.")
    content = None
    if operation.body is not None and operation.body.argument in arguments:
        content = _content(operation.body, arguments[operation.body.argument])
        headers["Content-Type"] = operation.body.media_type
    encoded = urlencode(query)
    return OperationRequest(operation.method, f"{path}?{encoded}" if encoded else path, headers, content)


def _check_names(operation: Operation, arguments: Mapping[str, Any]) -> None:
    taken: list[Parameter | Body] = [*operation.parameters, *([] if operation.body is None else [operation.body])]
    missing = [each.argument for each in taken if each.required and arguments.get(each.argument) is None]
    if missing:
        raise WrongArguments(f"{operation.id} needs {', '.join(missing)}.")
    unknown = arguments.keys() - {each.argument for each in taken}
    if unknown:
        raise WrongArguments(f"{operation.id} takes no {', '.join(sorted(unknown))[:200]}.")


def _segment(parameter: Parameter, value: Any) -> str:
    text = _flat(value)
    if not text:
        raise WrongArguments(f"{parameter.argument} cannot be empty: it is a part of a path.")
    return quote(text, safe="")


def _leaves(path: str) -> bool:
    # A client of HTTP resolves these: the path would be that of an operation which may need permission, or have none.
    return any(part in {".", ".."} for part in path.split("/"))


def _header(parameter: Parameter, value: Any) -> str:
    text = json.dumps(value) if parameter.is_json else _flat(value)
    if not text.isascii() or not text.isprintable():
        raise WrongArguments(f"{parameter.argument} can only be printable ASCII: it is a header.")
    return text


def _pairs(parameter: Parameter, value: Any) -> Iterator[tuple[str, str]]:
    if parameter.is_json:
        yield parameter.name, json.dumps(value)
    elif isinstance(value, dict) and parameter.style == "deepObject":
        yield from ((f"{parameter.name}[{key}]", _flat(each)) for key, each in value.items())
    elif isinstance(value, dict) and parameter.explode:
        yield from ((key, _flat(each)) for key, each in value.items())
    elif isinstance(value, list) and parameter.explode:
        yield from ((parameter.name, _flat(each)) for each in value)
    else:
        yield parameter.name, _flat(value, _BETWEEN.get(parameter.style, ","))


def _flat(value: Any, between: str = ",") -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return between.join(_flat(each) for each in value)
    if isinstance(value, dict):
        return between.join(f"{key}{between}{_flat(each)}" for key, each in value.items())
    return "" if value is None else str(value)


def _content(body: Body, value: Any) -> bytes:
    if body.media_type == "text/plain":
        return (value if isinstance(value, str) else json.dumps(value)).encode()
    if body.media_type == "application/x-www-form-urlencoded":
        if not isinstance(value, dict):
            raise WrongArguments(f"{body.argument} must be an object: it is a form.")
        return urlencode({key: _flat(each) for key, each in value.items()}).encode()
    return json.dumps(value).encode()
