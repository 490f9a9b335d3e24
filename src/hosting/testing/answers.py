"""How a test answers what an agent asks."""

from collections.abc import Callable, Iterable

from events.clarification import ClarificationRequest, ClarificationResponse
from events.continuation import ContinuationRequest, ContinuationResponse
from events.interactions import Request, Response
from events.permissions import PermissionRequest, PermissionResponse

Respond = Callable[[Request], Response | None]
"""Answers a question, or leaves it to the other answers."""


class NotAnswered(AssertionError):
    """The agent asked something that the test has no answer to."""


class Answers:
    """What a test says to permissions and continuations, to questions in words one after the other, and to the rest."""

    def __init__(self, approve: bool | None, answers: Iterable[str], respond: Respond | None) -> None:  # noqa: FBT001
        self._approve = approve
        self._answers = iter(answers)
        self._respond = respond

    def to(self, request: Request) -> Response:
        """Return the answer to a question.

        Raises:
            NotAnswered: there is none.
        """
        given = None if self._respond is None else self._respond(request)
        if given is not None:
            return given
        if isinstance(request, ClarificationRequest):
            return self._in_words(request)
        if isinstance(request, PermissionRequest):
            asked = f"may call {request.function_name} with {request.arguments}"
            return PermissionResponse(permission_id=request.permission_id, approved=self._decision(asked))
        if isinstance(request, ContinuationRequest):
            approved = self._decision(f"may go on past {request.max_iterations} iterations")
            return ContinuationResponse(continuation_id=request.continuation_id, approved=approved)
        raise NotAnswered(f"The agent asked a {type(request).__name__}; answer it with respond=...")

    def _in_words(self, request: ClarificationRequest) -> Response:
        answer = next(self._answers, None)
        if answer is None:
            raise NotAnswered(f"The agent asked {request.question!r}; answer it with answers=[...].")
        return ClarificationResponse(request_id=request.request_id, answer=answer)

    def _decision(self, asked: str) -> bool:
        if self._approve is None:
            raise NotAnswered(f"The agent asked whether it {asked}; answer it with approve=True or approve=False.")
        return self._approve
