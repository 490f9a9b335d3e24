"""How each kind of question is put to a person, and what a typed line means."""

from collections.abc import Mapping
from typing import Any, Final, Protocol

from events.clarification import ClarificationRequest, ClarificationResponse
from events.continuation import ContinuationRequest, ContinuationResponse
from events.interactions import Request, Response
from events.permissions import PermissionChoice, PermissionRequest, PermissionResponse
from hosting.cli.calls import call_text, value_text
from hosting.cli.legible import cut, exact, one_line, tamed

# What is allowed must be seen, so only what nobody could read is cut.
_LONGEST_ARGUMENT: Final = 4_000
_LONGEST_ON_ONE_LINE: Final = 120
_LONGEST_DESCRIPTION: Final = 300
_MOST_DIGITS: Final = 6


class Question(Protocol):
    """A question as it is put to a person."""

    @property
    def lines(self) -> list[str]:
        """What is asked."""
        ...

    @property
    def prompt(self) -> str:
        """What can be answered, in front of the cursor."""
        ...

    @property
    def hint(self) -> str:
        """What is told when the answer was not understood."""
        ...

    def read(self, typed: str) -> Response | None:
        """Return the answer that a line gives; None when it gives none."""
        ...


def question_of(request: Request) -> Question | None:
    """Return how to ask; None for a kind of question that no person answers at a prompt."""
    match request:
        case PermissionRequest():
            return PermissionQuestion(request)
        case ClarificationRequest():
            return ClarificationQuestion(request)
        case ContinuationRequest():
            return ContinuationQuestion(request)
    return None


class PermissionQuestion:
    """May this tool be called, with exactly these arguments?"""

    prompt = "[y]es, [n]o, [a]lways, ne[v]er: "
    hint = "Say y, n, a or v; what follows n or v is told to the agent."

    _MEANINGS: Final[Mapping[str, tuple[bool, PermissionChoice]]] = {
        "yes": (True, PermissionChoice.ASK),
        "no": (False, PermissionChoice.ASK),
        "always": (True, PermissionChoice.ALLOW_ALWAYS),
        "never": (False, PermissionChoice.DENY_ALWAYS),
    }
    _SHORT: Final[Mapping[str, str]] = {"y": "yes", "n": "no", "a": "always", "v": "never"}

    def __init__(self, request: PermissionRequest) -> None:
        self._request = request

    @property
    def lines(self) -> list[str]:
        """See Question.lines."""
        name, arguments = self._request.function_name, self._request.arguments or {}
        description = cut(one_line(self._request.description or ""), _LONGEST_DESCRIPTION)
        call = call_text(name, arguments, longest=_LONGEST_ARGUMENT)
        if len(call) <= _LONGEST_ON_ONE_LINE:
            return [f"Allow {call}? {description}".rstrip()]
        return [f"Allow {exact(name)}? {description}".rstrip(), *_listed(arguments)]

    def read(self, typed: str) -> PermissionResponse | None:
        """See Question.read."""
        word, _, reason = typed.strip().partition(" ")
        word = word.rstrip(",.:").lower()
        meaning = self._MEANINGS.get(self._SHORT.get(word, word))
        if meaning is None or (meaning[0] and reason):
            # `yes, but...` is no yes.
            return None
        approved, choice = meaning
        return PermissionResponse(
            permission_id=self._request.permission_id,
            source_name=self._request.source_name,
            approved=approved,
            reason=reason.strip() or None,
            choice=choice,
        )


class ClarificationQuestion:
    """What does the user want?"""

    def __init__(self, request: ClarificationRequest) -> None:
        self._request = request
        self._options = request.options or ()

    @property
    def lines(self) -> list[str]:
        """See Question.lines."""
        options = [f"  {place} {one_line(option)}" for place, option in enumerate(self._options, 1)]
        return [*tamed(self._request.question).split("\n"), *options]

    @property
    def prompt(self) -> str:
        """See Question.prompt."""
        return "A number, or words of your own: " if self._options else "> "

    @property
    def hint(self) -> str:
        """See Question.hint."""
        return "An empty answer is none."

    def read(self, typed: str) -> ClarificationResponse | None:
        """See Question.read."""
        answer = typed.strip()
        if not answer:
            return None
        place = int(answer) if answer.isascii() and answer.isdigit() and len(answer) <= _MOST_DIGITS else 0
        if answer not in self._options and 1 <= place <= len(self._options):
            answer = self._options[place - 1]
        return ClarificationResponse(
            request_id=self._request.request_id,
            source_name=self._request.source_name,
            question=self._request.question,
            answer=answer,
        )


class ContinuationQuestion:
    """May the run go on past its limit?"""

    prompt = "[y]es, [n]o, or how many more: "
    hint = "Say y, n, or a number of iterations from 1."

    def __init__(self, request: ContinuationRequest) -> None:
        self._request = request

    @property
    def lines(self) -> list[str]:
        """See Question.lines."""
        most = self._request.max_iterations
        return [f"Go on? {'The one iteration' if most == 1 else f'All {most} iterations'} of the run have been used."]

    def read(self, typed: str) -> ContinuationResponse | None:
        """See Question.read."""
        words = typed.lower().split()
        more = words[-1] if words and words[-1].isdigit() and words[-1].isascii() else ""
        approval = words[:-1] if more else words
        if approval in (["n"], ["no"]) and not more:
            return self._response(approved=False)
        if approval not in (["y"], ["yes"], []) or not words:
            return None
        if more and not (len(more) <= _MOST_DIGITS and int(more)):
            return None
        return self._response(approved=True, more=int(more or 0))

    def _response(self, *, approved: bool, more: int = 0) -> ContinuationResponse:
        return ContinuationResponse(
            continuation_id=self._request.continuation_id,
            source_name=self._request.source_name,
            approved=approved,
            extension_amount=more,
        )


def _listed(arguments: Mapping[str, Any]) -> list[str]:
    return [f"  {exact(name)}={value_text(value, longest=_LONGEST_ARGUMENT)}" for name, value in arguments.items()]
