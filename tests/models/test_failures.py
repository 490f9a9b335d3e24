"""What providers and their clients raise becomes a failure that can be told, and tells nothing else."""

import errno
import json
from datetime import timedelta

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from pydantic_ai import exceptions as theirs
from pydantic_ai.models import Model
from pydantic_ai.models.fallback import FallbackModel
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.models.test import TestModel as ModelOfTests
from pydantic_ai.providers.openai import OpenAIProvider

from hosting.adapters.models import failures as ours
from hosting.adapters.models.faults import Told, failure_of
from middleware.errors import AgentError, ModelFailed

SECRET = "sk-live-4eC39HqLyjWDarjtT1zdp7dc"
REMOTE = OpenAIChatModel("m-1", provider=OpenAIProvider(base_url=f"http://u:{SECRET}@h/v1", api_key=SECRET))
AGAIN, NEVER = True, False


def _status(code: int, **said: object) -> theirs.ModelHTTPError:
    category = {
        401: theirs.ModelAuthenticationError,
        403: theirs.ModelAuthenticationError,
        404: theirs.ModelNotFoundError,
        400: theirs.ModelRequestRejectedError,
        429: theirs.ModelRateLimitError,
        402: theirs.ModelQuotaExceededError,
        500: theirs.ModelServerError,
        503: theirs.ModelUnavailableError,
        529: theirs.ModelOverloadedError,
    }.get(code)
    body = {"error": {"message": f"Incorrect API key provided: {SECRET}"}}
    return theirs.ModelHTTPError.for_category(category, status_code=code, model_name=SECRET, body=body, **said)  # type: ignore[arg-type]


def _after_tries(last: Exception) -> Exception:
    error = theirs.UnexpectedModelBehavior(SECRET)
    error.__cause__ = last
    return error


def _because_of(cause: Exception) -> Exception:
    error = theirs.ModelConnectionError(SECRET, SECRET)
    error.__cause__ = RuntimeError(SECRET)
    error.__cause__.__cause__ = cause
    return error


CASES = [
    (_status(400), ours.ModelCallRefused, NEVER),
    (_status(401), ours.ModelKeyRefused, NEVER),
    (_status(402), ours.ModelQuotaExceeded, NEVER),
    (_status(403), ours.ModelKeyRefused, NEVER),
    (_status(404), ours.ModelNotFound, NEVER),
    (_status(408), ours.ModelTimedOut, AGAIN),
    (_status(409), ours.ModelServerFailed, AGAIN),
    (_status(413), ours.ModelCallRefused, NEVER),
    (_status(429), ours.ModelRateLimited, AGAIN),
    (_status(500), ours.ModelServerFailed, AGAIN),
    (_status(503), ours.ModelOverloaded, AGAIN),
    (_status(529), ours.ModelOverloaded, AGAIN),
    (_status(599), ours.ModelServerFailed, AGAIN),
    (theirs.ModelConnectionError(SECRET, SECRET), ours.ModelUnreachable, AGAIN),
    (theirs.ModelTimeoutError(SECRET, SECRET), ours.ModelTimedOut, AGAIN),
    (theirs.ModelRequestTimeout(SECRET, 3), ours.ModelTimedOut, AGAIN),
    (theirs.ModelAPIError(SECRET, SECRET), ours.ModelGarbled, AGAIN),
    (theirs.ModelContextWindowExceededError(SECRET, SECRET), ours.ModelContextExceeded, NEVER),
    (theirs.UnexpectedModelBehavior(SECRET, body=SECRET), ours.ModelGarbled, AGAIN),
    (_after_tries(theirs.ModelRetry(SECRET)), ours.ModelTriesUsedUp, AGAIN),
    (theirs.ContentFilterError(SECRET, body=SECRET), ours.ModelAnswerWithheld, NEVER),
    (theirs.IncompleteToolCall(SECRET), ours.ModelAnswerTooLong, NEVER),
    (theirs.UsageLimitExceeded(SECRET), ours.ModelLimitReached, NEVER),
    (httpx.ReadTimeout(SECRET), ours.ModelTimedOut, AGAIN),
    (httpx.RemoteProtocolError(SECRET), ours.ModelUnreachable, AGAIN),
    (ConnectionResetError(SECRET), ours.ModelUnreachable, AGAIN),
    (TimeoutError(SECRET), ours.ModelTimedOut, AGAIN),
    (json.JSONDecodeError(SECRET, SECRET, 0), ours.ModelGarbled, AGAIN),
    (KeyError(SECRET), ours.ModelGarbled, AGAIN),
    (httpx.LocalProtocolError(SECRET), ours.ModelCallRefused, NEVER),
    (UnicodeEncodeError("ascii", SECRET, 0, 1, SECRET), ours.ModelCallRefused, NEVER),
    (_because_of(httpx.LocalProtocolError(SECRET)), ours.ModelCallRefused, NEVER),
]


@pytest.mark.parametrize(("error", "kind", "again"), CASES, ids=lambda case: getattr(case, "__name__", str(case))[:20])
def test_each_error_is_told_by_what_it_means_and_nothing_of_its_text(
    error: Exception, kind: type[ModelFailed], again: bool
) -> None:
    failure = failure_of(error, REMOTE)

    assert type(failure) is kind
    assert failure.is_retryable is again
    assert SECRET not in str(failure)
    assert str(failure).endswith(".")


def test_the_status_and_the_providers_own_words_are_told() -> None:
    error = _status(429, provider_error_code="rate_limit_exceeded", provider_error_type=SECRET)

    failure = failure_of(error, REMOTE)

    assert str(failure) == "The provider of the model m-1 is asked too often (429, rate_limit_exceeded)."


NOT_FOUND = [
    ("404 page not found", ours.ModelCallRefused),
    ("", ours.ModelCallRefused),
    ({"detail": "Not Found"}, ours.ModelCallRefused),
    ("<html><title>Nothing here</title></html>", ours.ModelCallRefused),
    ({"message": "The m-1 does not exist", "type": "NotFoundError"}, ours.ModelNotFound),
    ({"error": {"message": "no m-1"}}, ours.ModelNotFound),
    ("model m-1 not found", ours.ModelNotFound),
]


@pytest.mark.parametrize(("body", "kind"), NOT_FOUND, ids=str)
def test_nothing_at_an_address_is_not_told_as_a_missing_model(body: object, kind: type[ModelFailed]) -> None:
    missing = theirs.ModelNotFoundError
    error = theirs.ModelHTTPError.for_category(missing, status_code=404, model_name="m-1", body=body)

    failure = failure_of(error, REMOTE)

    assert type(failure) is kind
    assert ("/v1" in str(failure)) is (kind is ours.ModelCallRefused)


def test_a_page_that_comes_instead_of_an_answer_is_told_as_an_address_that_may_be_wrong() -> None:
    error = theirs.UnexpectedModelBehavior("Streamed response ended without content or tool calls")

    failure = failure_of(error, REMOTE)

    assert isinstance(failure, ours.ModelGarbled)
    assert "with a /v1 too few or too many at its end" in str(failure)


@given(st.text(), st.text(), st.text(min_size=12))
def test_no_word_of_a_provider_is_told_that_could_hold_a_key(code: str, kind: str, message: str) -> None:
    keys = [f"{code}{SECRET}", f"{SECRET}{kind}"]
    error = theirs.ModelAPIError("m", message, body=message, provider_error_code=keys[0], provider_error_type=keys[1])

    failure = failure_of(error, REMOTE)

    assert str(failure) == "The model m-1 gave an answer that makes no sense."


def test_how_long_a_provider_wants_to_be_left_alone_is_kept() -> None:
    failure = failure_of(_status(429, headers={"Retry-After": "7"}), REMOTE)

    assert failure is not None
    assert failure.retry_after == timedelta(seconds=7)


def test_of_several_models_that_failed_one_that_may_succeed_is_told() -> None:
    error = theirs.FallbackExceptionGroup("all failed", [_status(401), _status(500), _status(404)])

    failure = failure_of(error, FallbackModel(REMOTE, REMOTE))

    assert isinstance(failure, ours.ModelServerFailed)


@pytest.mark.parametrize("error", [ValueError("a bug"), OSError("no such file"), KeyError("a bug")])
@pytest.mark.parametrize("model", [None, ModelOfTests()], ids=["none", "local"])
def test_a_bug_of_an_agents_own_is_not_blamed_on_a_provider(error: Exception, model: Model | None) -> None:
    with pytest.raises(type(error)) as raised, Told(model):
        raise error

    assert raised.value is error


@pytest.mark.parametrize("error", [RuntimeError("a bug"), AgentError("told already"), theirs.RunCancelled("stop")])
def test_what_is_no_failure_of_a_model_passes_as_it_is(error: Exception) -> None:
    with pytest.raises(type(error)) as raised, Told(REMOTE):
        raise error

    assert raised.value is error


def test_the_log_of_the_server_has_no_text_of_an_error(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ours.ModelKeyRefused), Told(REMOTE):
        raise _status(401)

    logged = "".join(capfd.readouterr())
    assert "ModelKeyRefused" in logged
    assert SECRET not in logged


def test_the_log_of_the_server_says_where_a_provider_is_and_what_the_system_said(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(ours.ModelUnreachable), Told(REMOTE):
        raise theirs.ModelConnectionError("m-1", SECRET) from ConnectionRefusedError(errno.ECONNREFUSED, SECRET)

    logged = "".join(capfd.readouterr())
    assert "h:80" in logged
    assert "Connection refused" in logged
    assert SECRET not in logged


def test_the_log_of_the_server_says_which_arguments_a_model_did_not_get_right(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(ValidationError) as misfit:
        TypeAdapter(dict[str, int]).validate_python({"age": SECRET, f"{SECRET} {SECRET}": "x"})
    error = theirs.UnexpectedModelBehavior("Tool 'enrol' exceeded max retries count of 1.")
    error.__cause__ = misfit.value

    with pytest.raises(ours.ModelTriesUsedUp), Told(REMOTE):
        raise error

    logged = "".join(capfd.readouterr())
    assert "enrol" in logged
    assert "/age: int_parsing" in logged
    assert SECRET not in logged
