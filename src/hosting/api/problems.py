"""Every error as a problem document (RFC 9457); the only table of HTTP statuses."""

import re
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

import msgspec
import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException

from hosting.api.farewell import Farewell, may_send_more
from hosting.api.head import allow_header
from hosting.domain import (
    admission,
    content_errors,
    credential_errors,
    errors,
    keyed_errors,
    overload_errors,
    rating_errors,
    work_errors,
)
from hosting.domain.errors import BranchlineError, ConfigRefused, InvalidPosition, ResponseRefused

_log = structlog.get_logger("branchline.api")

MEDIA_TYPE: Final = "application/problem+json"
RETRY_AFTER_SECONDS: Final = 2
RETRY_SOON_SECONDS: Final = 1
_LONGEST_DETAIL: Final = 300
_LONGEST_INSTANCE: Final = 1024


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What went wrong, for a person (`detail`) and for a program (`code`); `errors` serves older clients.

    `error` and `message` are there on the routes of the fleet, whose clients look for nothing else.
    """

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str
    errors: dict[str, tuple[str, ...]]
    earliest: str | None = None
    latest: str | None = None
    outcome: str | None = None
    pointer: str | None = None
    error: str | None = None
    message: str | None = None


class ApiError(Exception):
    """A request that never reaches the core; `headers` are for its answer."""

    def __init__(self, code: str, detail: str, headers: Mapping[str, str] | None = None) -> None:
        self.code = code
        self.headers = headers or {}
        super().__init__(detail)


STATUS: Final[Mapping[type[BranchlineError], int]] = {
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.QueueFull: 429,
    errors.Invalid: 400,
    errors.InvalidPosition: 400,
    keyed_errors.RequestDiffers: 422,
    errors.ServerLeaving: 503,
    overload_errors.TooMany: 429,
    overload_errors.Overloaded: 503,
    admission.Unauthenticated: 401,
    admission.Forbidden: 403,
    admission.SigningKeyMissing: 503,
    credential_errors.SealKeyMissing: 503,
    credential_errors.CredentialUnreadable: 503,
    errors.StorageUnavailable: 503,
}

STATUS_OF_CODE: Final[Mapping[str, int]] = {
    "invalid-request": 400,
    "origin-refused": 403,
    "not-found": 404,
    "method-not-allowed": 405,
    "request-timeout": 408,
    "gone": 410,
    "payload-too-large": 413,
    "unsupported-media-type": 415,
    "range-not-satisfiable": 416,
    "too-many-requests": 429,
    "headers-too-large": 431,
    "internal-error": 500,
    "not-ready": 503,
}

_DETAIL: Final = {
    "not-found": "There is no such route; /openapi.json lists those there are.",
    "method-not-allowed": "This route does not answer that method; the Allow header names those it does.",
    "payload-too-large": "The body is larger than this route takes.",
    "internal-error": "Something went wrong on the server; its log says more.",
}

_NEVER_OF_THE_FRAMEWORK: Final = {
    "gone",
    "not-ready",
    "origin-refused",
    "request-timeout",
    "range-not-satisfiable",
    "too-many-requests",
    "headers-too-large",
}
_CODE_OF_STATUS: Final = {
    status: code for code, status in STATUS_OF_CODE.items() if code not in _NEVER_OF_THE_FRAMEWORK
}


_OF_THE_FLEET: Final = ("/api/", "/v1/daemon/")
# Clients compare the whole message of these.
_MESSAGE: Final = {
    admission.Unauthenticated.code: admission.INVALID_KEY,
    admission.TokenExpired.code: admission.TOO_OLD,
    admission.NotTheOwner.code: admission.NOT_THE_OWNER,
    admission.WorkerMissing.code: admission.WORKER_MISSING,
}

INTERNAL_ERROR: Final = _DETAIL["internal-error"]


def status_of(code: str) -> int:
    """Return the status that a code goes with.

    Raises:
        KeyError: there is no such code.
    """
    return STATUS_OF_CODE.get(code) or _CORE_STATUS_OF_CODE[code]


def is_of_the_fleet(path: str) -> bool:
    """Say whether a route is one of those that workers know by other servers too."""
    return path.startswith(_OF_THE_FLEET)


def problem(path: str, status: int, code: str, detail: str, **places: str) -> Problem:
    """Write the document about what went wrong with a request for this path."""
    shown = detail if len(detail) <= _LONGEST_DETAIL else f"{detail[:_LONGEST_DETAIL]}..."
    if is_of_the_fleet(path):
        places |= {"error": HTTPStatus(status).phrase, "message": _MESSAGE.get(code, shown)}
    return Problem(
        type=f"urn:branchline:problem:{code}",
        title=code.replace("-", " ").capitalize(),
        status=status,
        detail=shown,
        instance=quote(path[:_LONGEST_INSTANCE]),
        code=code,
        errors={pascal_case(code): (shown,)},
        **places,
    )


def _status_of_class(cls: type[BranchlineError]) -> int:
    return next((STATUS[base] for base in cls.__mro__ if base in STATUS), 500)


def _with_subclasses(cls: type[BranchlineError]) -> Iterable[type[BranchlineError]]:
    yield cls
    for below in cls.__subclasses__():
        yield from _with_subclasses(below)


# Whoever defines errors elsewhere is named here, or nobody has read of them when this is made.
_FAMILIES: Final = (
    errors,
    admission,
    content_errors,
    credential_errors,
    keyed_errors,
    overload_errors,
    rating_errors,
    work_errors,
)
_CORE_STATUS_OF_CODE: Final = {cls.code: _status_of_class(cls) for cls in _with_subclasses(BranchlineError)}


def core_problem(request: Request[Any, Any, Any], error: BranchlineError) -> Response[bytes]:
    """Answer what the core refused."""
    status = _status_of_class(type(error))
    if status == 500:
        _log.error("request failed", path=request.scope["path"], error=repr(error))
        return _answer(request, 500, "internal-error", _DETAIL["internal-error"])
    places = {}
    if isinstance(error, InvalidPosition):
        places = {"earliest": str(error.earliest), "latest": str(error.latest)}
    if isinstance(error, ResponseRefused):
        places = {"outcome": str(error.outcome)}
    if isinstance(error, ConfigRefused):
        places = {"pointer": error.pointer}
    return _answer(request, status, error.code, str(error), **places)


def api_problem(request: Request[Any, Any, Any], error: ApiError) -> Response[bytes]:
    """Answer what the edge refused."""
    response = _answer(request, STATUS_OF_CODE[error.code], error.code, str(error))
    response.headers.update(error.headers)
    return response


def framework_problem(request: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    """Answer what the framework refused: routes, methods, sizes and parameters."""
    if error.status_code >= 500:
        return unforeseen_problem(request, error)
    code = _CODE_OF_STATUS.get(error.status_code, "invalid-request")
    detail = _DETAIL.get(code) or _parameters(error) or error.detail
    response = _answer(request, STATUS_OF_CODE[code], code, detail)
    for name, value in (error.headers or {}).items():
        response.headers[name] = allow_header(value.split(", ")) if name.lower() == "allow" else value
    return response


def unforeseen_problem(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """Answer what nobody foresaw; only the log learns the cause."""
    _log.error("request failed unforeseen", path=request.scope["path"], exc_info=error)
    return _answer(request, 500, "internal-error", _DETAIL["internal-error"])


HANDLERS: Final[Mapping[Any, Any]] = {
    BranchlineError: core_problem,
    ApiError: api_problem,
    HTTPException: framework_problem,
    Exception: unforeseen_problem,
}


def _parameters(error: HTTPException) -> str:
    """Say which parameters are wrong; what the framework says repeats the whole URL."""
    if not isinstance(error, ValidationException) or not isinstance(error.extra, list):
        return ""
    wrong = (f"`{fault.get('key')}`: {fault.get('message')}" for fault in error.extra)
    return f"A parameter is wrong - {'; '.join(wrong)}."


def _answer(request: Request[Any, Any, Any], status: int, code: str, detail: str, **places: str) -> Response[bytes]:
    document = problem(request.scope["path"], status, code, detail, **places)
    headers = dict(headers_of(status, code))
    answer = Farewell if may_send_more(request) else Response
    return answer(msgspec.json.encode(document), status_code=status, media_type=MEDIA_TYPE, headers=headers)


def headers_of(status: int, code: str = "") -> Mapping[str, str]:
    """Return the headers that go with every problem of this status, and with one of this code."""
    if status == 401:
        return {"WWW-Authenticate": "Bearer"}
    if code == keyed_errors.RequestUnderWay.code:
        return {"Retry-After": str(RETRY_SOON_SECONDS)}
    return {"Retry-After": str(RETRY_AFTER_SECONDS)} if status in {429, 503} else {}


def pascal_case(code: str) -> str:
    """Return a code as older clients know it: `NotFound` for `not-found`."""
    return re.sub(r"(?:^|-)(.)", lambda match: match[1].upper(), code)
