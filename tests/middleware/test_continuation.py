"""A turn that has used up its model calls asks for more, or stops with a word."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeVar

import pytest

from events.continuation import ContinuationRequest, ContinuationResponse
from events.interactions import Request, Response
from middleware.continuation import Continuation
from middleware.errors import RequestExpired, TurnStopped

A = TypeVar("A", bound=Response)


@dataclass
class Turn:
    """A turn that is asked by `answers`: how many more there may be, None to deny, or an error that is raised."""

    answers: list[int | Exception | None] = field(default_factory=list)
    iteration: int = 0
    iteration_limit: int | None = 3
    iteration_extension: int = 2
    continuation_timeout: timedelta | None = timedelta(hours=1)
    asked: list[tuple[Request, type[Any], timedelta | None]] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def new_request_id(self) -> str:
        return f"req_{len(self.asked) + 1}"

    async def ask(self, request: Request, answer: type[A], *, within: timedelta | None) -> A:
        self.asked.append((request, answer, within))
        given = self.answers.pop(0)
        if isinstance(given, Exception):
            raise given
        more = {} if given is None else {"extension_amount": given}
        return answer(continuation_id=request.request_key, approved=given is not None, **more)

    async def conclude(self, text: str) -> None:
        self.said.append(text)

    async def call(self, layer: Continuation) -> str:
        """Make one more model call."""
        self.iteration += 1

        async def work() -> str:
            return f"call {self.iteration}"

        return await layer.around_model_call(self, work)

    async def calls(self, count: int) -> list[str]:
        """Make so many model calls in a turn of their own."""
        layer = Continuation()
        return [await self.call(layer) for _ in range(count)]

    @property
    def limits(self) -> list[tuple[int, int]]:
        """Which iteration each question was about, and the limit that it told."""
        requests = [request for request, _, _ in self.asked if isinstance(request, ContinuationRequest)]
        return [(request.current_iteration, request.max_iterations) for request in requests]


async def test_nothing_is_asked_within_the_limit() -> None:
    turn = Turn()

    made = await turn.calls(3)

    assert made == ["call 1", "call 2", "call 3"]
    assert turn.asked == []


async def test_nothing_is_asked_without_a_limit() -> None:
    turn = Turn(iteration_limit=None)

    made = await turn.calls(500)

    assert len(made) == 500
    assert turn.asked == []


async def test_the_first_call_past_the_limit_is_asked_for_before_it_is_made() -> None:
    turn = Turn([1])

    made = await turn.calls(4)

    request = ContinuationRequest(
        continuation_id="req_1", source_name="ContinuationPermission", current_iteration=4, max_iterations=3
    )
    assert made[-1] == "call 4"
    assert turn.asked == [(request, ContinuationResponse, timedelta(hours=1))]


@pytest.mark.parametrize(
    ("answers", "calls", "limits"),
    [
        ([1, 1], 5, [(4, 3), (5, 4)]),
        ([2], 5, [(4, 3)]),
        ([2, 1], 6, [(4, 3), (6, 5)]),
        ([0], 5, [(4, 3)]),
        ([0, 1], 6, [(4, 3), (6, 5)]),
        ([-7, 1], 6, [(4, 3), (6, 5)]),
        ([100], 100, [(4, 3)]),
    ],
)
async def test_an_answer_allows_as_many_more_as_it_says_or_as_the_agent_has_by_default(
    answers: list[int | Exception | None], calls: int, limits: list[tuple[int, int]]
) -> None:
    turn = Turn(answers)

    made = await turn.calls(calls)

    assert len(made) == calls
    assert turn.limits == limits
    assert turn.answers == []


async def test_each_turn_counts_its_own_extensions() -> None:
    turn = Turn([5])
    await turn.calls(4)

    next_turn = Turn([1])
    await next_turn.calls(4)

    assert next_turn.limits == [(4, 3)]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [(None, "continuation_denied"), (RequestExpired("req_1", "CONTINUATION_REQUEST"), "continuation_expired")],
)
async def test_a_turn_that_may_not_go_on_says_so_and_stops(answer: Exception | None, reason: str) -> None:
    turn = Turn([answer])

    with pytest.raises(TurnStopped) as stopped:
        await turn.calls(4)

    assert stopped.value.reason == reason
    assert turn.said == ["I have used up my 3 iterations and was not allowed to go on, so I stop here."]


async def test_what_stops_after_an_extension_tells_the_limit_as_it_was_then() -> None:
    turn = Turn([2, None])

    with pytest.raises(TurnStopped):
        await turn.calls(6)

    assert turn.said == ["I have used up my 5 iterations and was not allowed to go on, so I stop here."]


async def test_any_other_failure_to_ask_passes_and_nothing_is_said() -> None:
    turn = Turn([ConnectionError("gone")])

    with pytest.raises(ConnectionError):
        await turn.calls(4)

    assert turn.said == []


async def test_a_question_can_wait_as_long_as_it_takes() -> None:
    turn = Turn([1], continuation_timeout=None)

    await turn.calls(4)

    assert turn.asked[0][2] is None


async def test_what_the_model_call_raises_passes() -> None:
    async def work() -> None:
        raise ValueError("the model's")

    with pytest.raises(ValueError, match="the model's"):
        await Continuation().around_model_call(Turn(iteration=1), work)
