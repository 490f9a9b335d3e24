"""What goes wrong at a provider, or on the way there, as a failure that can be told."""

import re
from collections.abc import Mapping
from datetime import timedelta
from types import TracebackType
from typing import Final, Self

from pydantic_ai import exceptions as theirs
from pydantic_ai.messages import ModelResponse
from pydantic_ai.models import Model
from pydantic_core import ValidationError

from hosting.adapters.models import failures as ours
from hosting.adapters.models.fault_notes import note
from hosting.adapters.models.making import models_inside
from hosting.adapters.models.unsendable import is_unsendable, is_unspeakable
from middleware.errors import AgentError, ModelFailed

_Kind = tuple[type[ModelFailed], str]

# Subclasses before what they are made of.
_KINDS: Final[Mapping[type[Exception], _Kind]] = {
    theirs.ModelTimeoutError: (ours.ModelTimedOut, "The provider of the model {model} did not answer in time"),
    theirs.ModelRequestTimeout: (ours.ModelTimedOut, "The provider of the model {model} did not answer in time"),
    theirs.ModelConnectionError: (
        ours.ModelUnreachable,
        "The provider of the model {model} cannot be reached, or the connection broke",
    ),
    theirs.ModelOverloadedError: (ours.ModelOverloaded, "The provider of the model {model} is overloaded"),
    theirs.ModelUnavailableError: (ours.ModelOverloaded, "The provider of the model {model} is not available"),
    theirs.ModelServerError: (ours.ModelServerFailed, "The provider of the model {model} failed"),
    theirs.ModelRateLimitError: (ours.ModelRateLimited, "The provider of the model {model} is asked too often"),
    theirs.ModelQuotaExceededError: (ours.ModelQuotaExceeded, "The quota for the model {model} is used up"),
    theirs.ModelContextWindowExceededError: (
        ours.ModelContextExceeded,
        "The conversation is too long for the model {model}",
    ),
    theirs.ModelAuthenticationError: (
        ours.ModelKeyRefused,
        "The provider of the model {model} does not accept the key of this server",
    ),
    theirs.ModelNotFoundError: (ours.ModelNotFound, "The provider has no model {model}"),
    theirs.ModelRequestRejectedError: (ours.ModelCallRefused, "The provider of the model {model} refused the call"),
    theirs.ContentFilterError: (ours.ModelAnswerWithheld, "The provider of the model {model} withheld the answer"),
    theirs.OutputTokenLimitExceeded: (
        ours.ModelAnswerTooLong,
        "The model {model} used up the tokens that it may write before its answer was complete",
    ),
    theirs.UsageLimitExceeded: (ours.ModelLimitReached, "The agent has used up what it may use in one run"),
    theirs.ConcurrencyLimitExceeded: (ours.ModelRateLimited, "Too many calls wait for the model {model}"),
}
_GARBLED: Final = (ours.ModelGarbled, "The model {model} gave an answer that makes no sense")
_MISUSED: Final = (
    ours.ModelTriesUsedUp,
    "The model {model} was told what is wrong with its calls or its answer, and did not get it right",
)
_REFUSED: Final = (ours.ModelCallRefused, "The provider of the model {model} refused the call")
_UNSENDABLE: Final = (
    "The model {model} cannot be given a file of the conversation: it does not take this kind, or the file cannot be "
    "fetched."
)
_UNSPEAKABLE: Final = (
    ours.ModelCallRefused,
    "The model {model} cannot be called: its key, or something else of the call, has signs that HTTP cannot carry",
)
_PERHAPS_ELSEWHERE: Final = "The address of the model {model} may be wrong, with a /v1 too few or too many at its end: "
_ELSEWHERE: Final = (ours.ModelCallRefused, _PERHAPS_ELSEWHERE + "nothing there answers as a provider does")
_NO_ANSWER: Final = (ours.ModelGarbled, _PERHAPS_ELSEWHERE + "what came from there is no answer of a model")
_LATE, _UNREACHABLE, _FAILED = (
    _KINDS[theirs.ModelTimeoutError],
    _KINDS[theirs.ModelConnectionError],
    _KINDS[theirs.ModelServerError],
)
_WRONG: Final = theirs.ModelRetry | theirs.ToolRetryError | ValidationError
_LATE_STATUSES: Final = frozenset({408, 504})
# The provider was not ready for the call: https://www.rfc-editor.org/rfc/rfc9110#status.409 and rfc8470#section-5.2
_NOT_YET_STATUSES: Final = frozenset({409, 425})
# What a web server answers where nothing is, or nothing that takes calls.
_ELSEWHERE_STATUSES: Final = frozenset({404, 405})
_NO_EVENTS: Final = "Streamed response ended without content or tool calls"
_MADE_UP: Final = frozenset({"stop", "tool_call"})
_ENDS_WITH_REASON: Final = "openai_chat_streaming_requires_finish_reason"
_TRANSPORTS: Final = frozenset({"aiohttp", "botocore", "grpc", "httpcore", "httpx", "httpx2", "urllib3", "websockets"})
# Neither keys nor addresses are words of letters.
_WORD: Final = re.compile(r"[A-Za-z]{2,32}(?:_[A-Za-z]{1,32}){0,6}")
_LONGEST_NAME: Final = 100


class Told:
    """Raises what a provider or its client raised within as a failure that can be told; all else passes as it is."""

    def __init__(self, model: Model | None) -> None:
        self._model = model

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        failure = failure_of(error, self._model) if isinstance(error, Exception) else None
        if error is not None and failure is not None:
            note(error, failure, self._model)
            raise failure from error


def failure_of(error: Exception, model: Model | None) -> ModelFailed | None:
    """Return the failure that an error stands for; None for one that is none of a provider's."""
    if isinstance(error, AgentError):
        return None
    if (stopped := _stopped_by_us(error)) is not None:
        return type(stopped)(str(stopped))
    if isinstance(error, theirs.FallbackExceptionGroup):
        failures = [failure for each in error.exceptions if (failure := failure_of(each, model)) is not None]
        return next((failure for failure in failures if failure.is_retryable), failures[-1] if failures else None)
    if is_unsendable(error):
        return ours.ModelCallRefused(_UNSENDABLE.format(model=_shown(model)))
    kind = _kind_of(error, is_remote=model is not None and model.base_url is not None)
    if kind is None:
        return None
    make, sentence = kind
    told = sentence.format(model=_shown(model)) + _detail(error)
    asked = error.retry_after if isinstance(error, theirs.ModelAPIError) else None
    return make(told, retry_after=None if asked is None else timedelta(seconds=max(0, asked)))


def check_whole(response: ModelResponse, model: Model) -> None:
    """Make sure that an answer is all that its model had to say.

    A provider says at the end why its answer ends. Some that are compatible with OpenAI's do not, but say there what
    the answer has cost; one that says neither is whole only if the model's profile says that it need not.

    Raises:
        ModelUnreachable: it was cut off, by somebody on the way who ended it politely.
    """
    is_cut = response.state == "incomplete" or (model.system == "anthropic" and _reason(response) is None)
    if is_cut or _has_no_end(response, model):
        raise ours.ModelUnreachable(f"The answer of the model {_shown(model)} broke off.")


def _stopped_by_us(error: BaseException) -> ModelFailed | None:
    """Return the failure with which this server ended an answer, for which clients blame the connection."""
    cause = error.__cause__ if isinstance(error, theirs.ModelAPIError) else None
    while cause is not None and not isinstance(cause, ModelFailed):
        cause = cause.__cause__
    return cause


def _has_no_end(response: ModelResponse, model: Model) -> bool:
    # pydantic-ai makes up a reason for an answer of chat completions that has none; the provider's own is a detail.
    is_made_up = response.finish_reason in _MADE_UP and "finish_reason" not in (response.provider_details or {})
    if not is_made_up or response.provider_url is None or response.usage.has_values():
        return False
    return all(each.profile.get(_ENDS_WITH_REASON) is not False for each in models_inside(model))


def _kind_of(error: Exception, *, is_remote: bool) -> _Kind | None:
    if isinstance(error, theirs.RunCancelled):
        return None
    if is_remote and is_unspeakable(error):
        return _UNSPEAKABLE
    named = next((kind for each, kind in _KINDS.items() if isinstance(error, each)), None)
    if named is not None:
        return _ELSEWHERE if _is_elsewhere(error) else named
    if isinstance(error, theirs.ModelAPIError | theirs.UnexpectedModelBehavior):
        return _of_other(error)
    return _of_client(error) if is_remote else None


def _of_other(error: theirs.ModelAPIError | theirs.UnexpectedModelBehavior) -> _Kind:
    """Return what an error stands for that has no kind of its own."""
    if isinstance(error, theirs.ModelHTTPError):
        return _ELSEWHERE if _is_elsewhere(error) else _of_status(error.status_code)
    if isinstance(error, theirs.UnexpectedModelBehavior) and isinstance(error.__cause__, _WRONG):
        return _MISUSED
    return _NO_ANSWER if error.message == _NO_EVENTS else _GARBLED


def _of_client(error: Exception) -> _Kind | None:
    if isinstance(error, OSError) or type(error).__module__.partition(".")[0] in _TRANSPORTS:
        return _LATE if "Timeout" in type(error).__name__ else _UNREACHABLE
    # What a client stumbles over that is given something else than it knows.
    is_shape = isinstance(error, ValueError | TypeError | LookupError | AttributeError | AssertionError)
    return _GARBLED if is_shape else None


def _of_status(status: int) -> _Kind:
    if status in _LATE_STATUSES:
        return _LATE
    if status in _NOT_YET_STATUSES or status >= 500:
        return _FAILED
    return _REFUSED


def _is_elsewhere(error: Exception) -> bool:
    """Say whether it was no provider that did not find something: its form of an error, or the model, is not told."""
    if not isinstance(error, theirs.ModelHTTPError) or error.status_code not in _ELSEWHERE_STATUSES or error.in_stream:
        return False
    body = error.body
    # Each client unwraps these as it likes: {"error": {"message": ...}}, or {"Error": {"Message": ...}}.
    if isinstance(body, Mapping) and ("message" in body or any(isinstance(each, Mapping) for each in body.values())):
        return False
    return "model" not in str(body).casefold()


def _detail(error: Exception) -> str:
    """Return what of an error is surely harmless: its status, and the words that providers have for errors."""
    said = [str(error.status_code)] if isinstance(error, theirs.ModelHTTPError) else []
    if isinstance(error, theirs.ModelAPIError):
        words = dict.fromkeys((error.provider_error_code, error.provider_error_type))
        said += [word for word in words if word and _WORD.fullmatch(word)]
    return f" ({', '.join(said)})." if said else "."


def _shown(model: Model | None) -> str:
    name = "of the agent" if model is None else model.model_name[:_LONGEST_NAME]
    return name if name.isprintable() else repr(name)


def _reason(response: ModelResponse) -> object:
    return response.finish_reason or (response.provider_details or {}).get("finish_reason")
