"""What the server's own log says of a failure: where it was and what broke, and never what anybody said."""

import os
import re
import socket
import ssl
import traceback
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import urlsplit

import structlog
from pydantic_ai import exceptions as theirs
from pydantic_ai.messages import ToolReturnPart
from pydantic_ai.models import Model
from pydantic_core import ValidationError

from middleware.errors import ModelFailed

_log = structlog.get_logger("branchline.models")

# What a model has made up is told only where it looks like a name: an answer may be in a path, and a key in an answer.
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")
_QUOTED: Final = re.compile(r"Tool '([A-Za-z_][A-Za-z0-9_-]{0,63})' exceeded")
_MOST_PLACES: Final = 10
_DEEPEST: Final = 20


def note(error: BaseException, failure: ModelFailed, model: Model | None) -> None:
    """Log a failure for those who run the server."""
    # Never the error's own text: bodies and addresses are in it, and a key may be in both.
    where = [f"{frame.filename}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)[-3:]]
    told = {"provider": _address(model), "system": _system_error(error), **_misfit(error)}
    _log.warning(
        "a model failed",
        failure=type(failure).__name__,
        why=str(failure),
        cause=type(error).__name__,
        at=where,
        **{name: value for name, value in told.items() if value},
    )


def _address(model: Model | None) -> str | None:
    url = None if model is None else model.base_url
    if url is None:
        return None
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        return None
    # Not `netloc`, in which a password may be.
    return f"{parts.hostname}:{port}" if parts.hostname else None


def _system_error(error: BaseException) -> str | None:
    for each in _causes(error):
        if isinstance(each, ssl.SSLError):
            return f"TLS: {each.reason}" if each.reason else "TLS"
        if isinstance(each, socket.gaierror):
            return "the host's name is not known"
        if isinstance(each, OSError) and each.errno:
            # Not the error's own sentence, which may say more than the system does.
            return os.strerror(each.errno)
    return None


def _causes(error: BaseException) -> Iterator[BaseException]:
    current: BaseException | None = error
    for _ in range(_DEEPEST):
        if current is None:
            return
        yield current
        inside = current.exceptions[0] if isinstance(current, BaseExceptionGroup) else None
        current = inside or current.__cause__ or current.__context__


def _misfit(error: BaseException) -> dict[str, Any]:
    """Return which tool or output was not got right, and where in it."""
    if not isinstance(error, theirs.UnexpectedModelBehavior) or error.__cause__ is None:
        return {}
    named, cause = _QUOTED.match(error.message), error.__cause__
    part = cause.tool_retry if isinstance(cause, theirs.ToolRetryError) else None
    name = named[1] if named else part.tool_name if isinstance(part, ToolReturnPart) else "the output"
    return {"misfit": name, "places": _places(cause)}


def _places(cause: BaseException) -> list[str]:
    invalid = next((each for each in _causes(cause) if isinstance(each, ValidationError)), None)
    if invalid is None:
        return []
    found = invalid.errors(include_url=False, include_context=False, include_input=False)
    return [f"{_path(each['loc'])}: {each['type']}" for each in found[:_MOST_PLACES]]


def _path(location: tuple[int | str, ...]) -> str:
    return "/" + "/".join(str(step) if isinstance(step, int) or _NAME.fullmatch(step) else "?" for step in location)
