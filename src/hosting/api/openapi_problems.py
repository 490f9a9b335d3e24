"""Problems as answers of a route: which codes a status comes with."""

from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Final

from litestar.openapi.datastructures import ResponseSpec

from events.interactions import ResponseOutcome
from hosting.api.openapi_schemas import POSITION, TEXT, Json, Schemas, reference
from hosting.api.problems import MEDIA_TYPE, RETRY_AFTER_SECONDS, Problem, pascal_case, status_of
from hosting.domain.keyed_errors import RequestUnderWay

EVERYWHERE: Final = (
    "invalid-request",
    "origin-refused",
    "request-timeout",
    "too-many-requests",
    "overloaded",
    "headers-too-large",
    "internal-error",
)
"""What any route may answer with, whatever is asked of it: all but two come before a route is looked for."""

OF_CALLERS: Final = ("unauthenticated", "token-expired", "forbidden", "storage-unavailable")
"""What any route may answer with that takes roles: who is asking is looked up in the store."""

_MEMBERS_OF: Final[Mapping[str, tuple[str, ...]]] = {
    "invalid-position": ("earliest", "latest"),
    "response-not-awaited": ("outcome",),
    "branch-runtime-not-active": ("outcome",),
    "config-refused": ("pointer",),
}
_RETRY_AFTER: Final[Json] = {
    "Retry-After": {
        "description": "When to try again, in seconds.",
        "required": True,
        "schema": {"type": "integer", "minimum": 0, "examples": [RETRY_AFTER_SECONDS]},
    }
}
_MAYBE_RETRY_AFTER: Final[Json] = {"Retry-After": {**_RETRY_AFTER["Retry-After"], "required": False}}
_ALLOW: Final[Json] = {
    "Allow": {"description": "The methods that the route answers.", "required": True, "schema": TEXT},
}
_CHALLENGE: Final[Json] = {
    "WWW-Authenticate": {"description": "How to show who is asking.", "required": True, "schema": {"const": "Bearer"}},
}
_HEADERS: Final[Mapping[int, Json]] = {401: _CHALLENGE, 405: _ALLOW, 429: _RETRY_AFTER, 503: _RETRY_AFTER}


@dataclass
class ProblemSpec(ResponseSpec):
    """The problems that a route answers with under one status."""

    codes: tuple[str, ...] = ()


def problem_specs(codes: Iterable[str]) -> dict[int, ResponseSpec]:
    """Return the answers of a route with these problems, by status."""
    by_status: dict[int, list[str]] = {}
    for code in dict.fromkeys((*codes, *EVERYWHERE)):
        by_status.setdefault(status_of(code), []).append(code)
    return {
        status: ProblemSpec(Problem, generate_examples=False, media_type=MEDIA_TYPE, codes=tuple(named))
        for status, named in sorted(by_status.items())
    }


class Problems:
    """The answers with problems of a document; an answer with one code only has a name."""

    def __init__(self) -> None:
        self.named: dict[str, Json] = {}

    def response(self, status: int, codes: Sequence[str]) -> Json:
        """Return the answer with one of these problems, or what stands for it."""
        if len(codes) > 1:
            return _response(status, codes)
        name = pascal_case(codes[0])
        self.named[name] = _response(status, codes)
        return {"$ref": f"#/components/responses/{name}"}

    def spelled_out(self, response: Json) -> Json:
        """Return an answer without a name, which a single route can add to."""
        named: Json = self.named[response["$ref"].rpartition("/")[2]] if "$ref" in response else response
        return deepcopy(named)


def describe_problem(schemas: Schemas) -> None:
    """Name the schema of a problem document, with the members that go with some codes only."""
    described = schemas.written_members(Problem)
    described["properties"] |= {
        "type": {**TEXT, "pattern": "^urn:branchline:problem:[a-z-]+$"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "code": {**TEXT, "pattern": "^[a-z]+(-[a-z]+)*$"},
        "earliest": POSITION,
        "latest": POSITION,
        "outcome": schemas.written(ResponseOutcome),
        "pointer": {**TEXT, "format": "json-pointer"},
    }
    described["allOf"] = [
        {"if": {"properties": {"code": {"const": code}}}, "then": {"required": list(members)}}
        for code, members in _MEMBERS_OF.items()
    ]
    schemas.named[Problem.__name__] = described


def _response(status: int, codes: Sequence[str]) -> Json:
    exactly = {"properties": {"status": {"const": status}, "code": {"enum": list(codes)}}}
    schema = {"allOf": [reference(Problem.__name__), exactly]}
    response: Json = {
        "description": f"Problem: {', '.join(codes)}.",
        "content": {MEDIA_TYPE: {"schema": schema}},
    }
    headers = _MAYBE_RETRY_AFTER if RequestUnderWay.code in codes else _HEADERS.get(status)
    return response | ({} if headers is None else {"headers": headers})
