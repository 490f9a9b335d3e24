"""Reading the answers of a server."""

from typing import TypeVar

import httpx
import msgspec

from hosting.client.errors import AnswerUnreadable, Problem, ResponseRefused

T = TypeVar("T")

_PROBLEM = "application/problem+json"


class _ProblemDocument(msgspec.Struct):
    code: str
    detail: str
    outcome: str | None = None


def read_answer(response: httpx.Response, wanted: type[T]) -> T:
    """Read the body of an answer.

    Raises:
        Problem: the server refused.
        AnswerUnreadable: it is no answer of Branchline's.
    """
    check_answer(response)
    try:
        return msgspec.json.decode(response.content, type=wanted)
    except msgspec.DecodeError as error:
        raise unreadable(response) from error


def check_answer(response: httpx.Response) -> None:
    """Make sure that an answer, whose body has been read, is no refusal.

    Raises:
        Problem: the server refused.
        AnswerUnreadable: it is no answer of Branchline's.
    """
    if not response.is_success:
        raise refusal(response)


def refusal(response: httpx.Response) -> Problem | AnswerUnreadable:
    """Return what an unsuccessful answer, whose body has been read, means."""
    if not response.headers.get("content-type", "").startswith(_PROBLEM):
        return unreadable(response)
    try:
        document = msgspec.json.decode(response.content, type=_ProblemDocument)
    except msgspec.DecodeError:
        return unreadable(response)
    if document.outcome is not None:
        return ResponseRefused(response.status_code, document.code, document.detail, document.outcome)
    return Problem(response.status_code, document.code, document.detail)


def unreadable(response: httpx.Response) -> AnswerUnreadable:
    """Return the error of an answer that is none of Branchline's."""
    request = response.request
    return AnswerUnreadable(f"{request.method} {request.url}", response.status_code)
