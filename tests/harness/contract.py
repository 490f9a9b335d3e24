"""The API's description as a judge: whether an answer is one that it says the route gives."""

import json
import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import jsonschema_rs

Json = dict[str, Any]

METHODS = ("get", "post", "put", "patch", "delete")
STREAM = "text/event-stream"
LINES = "application/x-ndjson"

_SHOWN = 300


@dataclass(frozen=True)
class Operation:
    """A route as the description has it; references to answers are resolved."""

    id: str
    method: str
    path: str
    described: Mapping[str, Any]
    responses: Mapping[str, Any]

    def codes(self) -> set[str]:
        """Return the problem codes that it is documented with."""
        return {code for response in self.responses.values() for code in codes_of(response)}

    def matches(self, path: str) -> bool:
        """Say whether a path is this route's; it is as it was sent, without its query."""
        return re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", self.path), path) is not None


@dataclass(frozen=True)
class Answer:
    """What came back; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def media_type(self) -> str:
        """What the body is said to be; empty when there is none."""
        return self.headers.get("content-type", "").partition(";")[0]


class Contract:
    """Judges answers. Schemas are closed for it: a member that the description does not name is a fault too."""

    def __init__(self, document: Json) -> None:
        self._document = document
        self._components = _closed(document["components"])
        self._validators: dict[str, jsonschema_rs.Validator] = {}
        self.operations = list(_operations(document))

    def operation(self, method: str, path: str) -> Operation | None:
        """Return the route that a request is for; a path without parameters goes before one with them."""
        found = [operation for operation in self.operations if operation.matches(path)]
        fewest = min((operation.path.count("{") for operation in found), default=0)
        return next((one for one in found if (one.path.count("{"), one.method) == (fewest, method.upper())), None)

    def fault(self, operation: Operation, answer: Answer) -> str | None:
        """Return what is wrong with an answer of a route; None when it is documented as it is."""
        response = operation.responses.get(str(answer.status))
        if response is None:
            return f"answers {answer.status}, which is not documented: {_shown(answer.body)}"
        missing = [name for name in _required_headers(response) if name.lower() not in answer.headers]
        if missing:
            return f"answers {answer.status} without the header {missing[0]}"
        content: Mapping[str, Any] = response.get("content", {})
        if not content:
            return f"answers {answer.status} with a body, where none is documented" if answer.body else None
        if answer.status < 300 and "*/*" in content:
            return None
        if answer.media_type not in content:
            return f"answers {answer.status} with {answer.media_type!r}, which is not documented"
        if answer.media_type == STREAM:
            return None
        schema = content[answer.media_type]["schema"]
        if answer.media_type == LINES:
            lines = (Answer(answer.status, answer.headers, line) for line in answer.body.splitlines())
            return next((fault for line in lines if (fault := self._misfit(line, schema["x-line"]))), None)
        return self._misfit(answer, schema)

    def misfit(self, schema: Json, value: object) -> str | None:
        """Return where a value does not fit a schema of the description; None when it does."""
        key = json.dumps(schema)
        if key not in self._validators:
            closed = {"components": self._components, "allOf": [schema]}
            self._validators[key] = jsonschema_rs.Draft202012Validator(closed, validate_formats=True)
        error = next(self._validators[key].iter_errors(value), None)
        return None if error is None else f"{error.message[:_SHOWN]} at {error.instance_path}"

    def outside_routes(self) -> dict[str, Json]:
        """Return the schema of what is answered where no route is, by status."""
        told = self._document["x-outside-routes"].values()
        responses = {status: _resolved(self._document, one) for answers in told for status, one in answers.items()}
        contents = {status: response.get("content", {}) for status, response in responses.items()}
        return {status: one["schema"] for status, content in contents.items() for one in content.values()}

    def _misfit(self, answer: Answer, schema: Json) -> str | None:
        try:
            value = json.loads(answer.body)
        except ValueError:
            return f"answers {answer.status} with a body that is no JSON: {_shown(answer.body)}"
        misfit = self.misfit(schema, value)
        return misfit and f"answers {answer.status} with a body that does not fit: {misfit}: {_shown(answer.body)}"


def codes_of(response: Mapping[str, Any]) -> list[str]:
    """Return the problem codes that an answer is documented with."""
    schema = response.get("content", {}).get("application/problem+json", {}).get("schema", {})
    found = (part.get("properties", {}).get("code", {}).get("enum", ()) for part in schema.get("allOf", ()))
    return [code for codes in found for code in codes]


def _operations(document: Json) -> Iterator[Operation]:
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                described = item[method]
                responses = {status: _resolved(document, one) for status, one in described["responses"].items()}
                yield Operation(described["operationId"], method.upper(), path, described, responses)


def _resolved(document: Json, response: Json) -> Json:
    name = response.get("$ref", "").rpartition("/")[2]
    found: Json = document["components"]["responses"][name] if name else response
    return found


def _required_headers(response: Mapping[str, Any]) -> list[str]:
    return [name for name, header in response.get("headers", {}).items() if header.get("required")]


def _closed(components: Json) -> Json:
    closed = deepcopy(components)
    for schema in closed["schemas"].values():
        if "properties" in schema:
            schema.setdefault("additionalProperties", False)
    return closed


def _shown(body: bytes) -> str:
    return body[:_SHOWN].decode(errors="replace")
