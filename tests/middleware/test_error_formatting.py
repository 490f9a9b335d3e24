"""What the world learns of a failure: an AgentError's sentence, and of anything else no more than its type."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from events.ids import RunId
from hosting.domain.errors import LeaseLost, RunLost, StorageUnavailable
from middleware.error_formatting import ErrorFormatting
from middleware.errors import AgentError, RunTimedOut, ToolFailed, TurnFailed, Withdrawn

SECRET = "sk-12345 at /srv/agents/keys.py"  # an invented key, where a real one might be


@dataclass(frozen=True)
class Context:
    """What the layer may know of a run."""

    run_timeout: timedelta | None = None


class QuotaUsedUp(AgentError):
    is_retryable = True


async def failure_of(error: BaseException) -> TurnFailed:
    """Return how a turn that raises this leaves the layer."""

    async def turn() -> None:
        raise error

    with capture_logs(), pytest.raises(TurnFailed) as failed:
        await ErrorFormatting().around_turn(Context(), turn)
    return failed.value


async def test_the_sentence_of_an_agent_error_is_told() -> None:
    failed = await failure_of(QuotaUsedUp("Your quota is used up until Monday."))

    assert failed.error_type == "QuotaUsedUp"
    assert failed.message == "Your quota is used up until Monday."
    assert failed.is_retryable is True


@pytest.mark.parametrize(
    "error",
    [
        ValueError(SECRET),
        OSError(2, SECRET, SECRET),
        TimeoutError(SECRET),
        KeyError(SECRET),
        ExceptionGroup(SECRET, [ValueError(SECRET)]),
        ExceptionGroup(SECRET, [AgentError(SECRET)]),
        UnicodeDecodeError("utf-8", SECRET.encode(), 0, 1, SECRET),
    ],
)
async def test_the_text_of_any_other_error_stays_private(error: Exception) -> None:
    failed = await failure_of(error)

    assert failed.error_type == type(error).__name__
    assert failed.message == "The agent failed."
    assert failed.is_retryable is False
    assert SECRET not in f"{failed} {failed.args} {failed.error_type}"


async def test_a_private_error_is_in_the_servers_log() -> None:
    async def turn() -> None:
        raise ValueError(SECRET)

    with capture_logs() as logs, pytest.raises(TurnFailed):
        await ErrorFormatting().around_turn(Context(), turn)

    assert [(log["event"], log["log_level"], log["exc_info"]) for log in logs] == [("an agent failed", "error", True)]


@pytest.mark.parametrize(
    "error", [RunTimedOut(90), RunLost.after(3), AgentError("plain")], ids=lambda error: type(error).__name__
)
async def test_our_own_agent_errors_are_told_by_name(error: AgentError) -> None:
    failed = await failure_of(error)

    assert (failed.error_type, failed.message) == (type(error).__name__, str(error))


async def test_why_an_agent_that_was_let_work_has_failed_is_told_of_the_one_that_let_it() -> None:
    failed = await failure_of(ToolFailed("QuotaUsedUp", "Your quota is used up until Monday.", is_retryable=True))

    assert failed.error_type == "QuotaUsedUp"
    assert failed.message == "Your quota is used up until Monday."
    assert failed.is_retryable is True


@pytest.mark.parametrize("error", [Withdrawn(), LeaseLost(RunId("run_1")), StorageUnavailable(SECRET)])
async def test_a_withdrawn_run_has_not_failed(error: Withdrawn) -> None:
    async def turn() -> None:
        raise error

    with capture_logs() as logs, pytest.raises(Withdrawn) as passed:
        await ErrorFormatting().around_turn(Context(), turn)

    assert passed.value is error
    assert logs == []


async def test_a_cancelled_turn_has_not_failed() -> None:
    begun = asyncio.Event()

    async def turn() -> None:
        begun.set()
        await asyncio.Event().wait()

    task = asyncio.ensure_future(ErrorFormatting().around_turn(Context(), turn))
    await begun.wait()
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_turn_that_ends_well_is_left_alone() -> None:
    async def turn() -> None:
        await asyncio.sleep(0)

    with capture_logs() as logs:
        await ErrorFormatting().around_turn(Context(), turn)

    assert logs == []


@pytest.mark.parametrize(("text", "told"), [("a\x00b", "a\ufffdb"), ("a\ud800b", "a?b"), ("🌿", "🌿"), ("", "")])
async def test_what_cannot_be_stored_is_left_out_of_a_sentence(text: str, told: str) -> None:
    failed = await failure_of(AgentError(text))

    assert failed.message == told


@pytest.mark.parametrize("error", [SystemExit(2), KeyboardInterrupt(), GeneratorExit()])
async def test_what_would_end_the_server_ends_the_run(error: BaseException) -> None:
    failed = await failure_of(error)

    assert failed.error_type == type(error).__name__
    assert failed.message == "The agent failed."


async def test_a_sentence_that_cannot_be_told_stays_private_and_a_long_one_is_cut() -> None:
    class Mute(AgentError):
        def __str__(self) -> str:
            raise ValueError(SECRET)

    mute = await failure_of(Mute())
    long = await failure_of(AgentError("x" * 10_000))

    assert mute.message == "The agent failed."
    assert long.message == "x" * 4_000
