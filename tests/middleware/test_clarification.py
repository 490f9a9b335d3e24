"""A question in words, and the answer to it."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeVar

import pytest

from events.clarification import ClarificationRequest, ClarificationResponse
from events.interactions import Request, Response
from middleware.clarification import clarify
from middleware.errors import RequestExpired

A = TypeVar("A", bound=Response)


@dataclass
class Asker:
    """Answers each question with the same words, or not at all."""

    answer: str | None
    asked: list[tuple[Request, type[Response], timedelta | None]] = field(default_factory=list)

    def new_request_id(self) -> str:
        return "req_1"

    async def ask(self, request: Request, answer: type[A], *, within: timedelta | None) -> A:
        self.asked.append((request, answer, within))
        if self.answer is None:
            raise RequestExpired(request.request_key, "CLARIFICATION_REQUEST")
        return answer(request_id=request.request_key, answer=self.answer)


@pytest.mark.parametrize("answer", ["red", "violet", ""])
async def test_the_answer_is_what_the_user_says_also_when_it_is_none_of_the_options(answer: str) -> None:
    said = await clarify(Asker(answer), "Which one?", ["red", "green"], agent_name="Painter", within=None)

    assert said == answer


@pytest.mark.parametrize(("options", "shown"), [(["red", "green"], ("red", "green")), ([], None)])
@pytest.mark.parametrize("within", [None, timedelta(seconds=3)])
async def test_the_user_is_told_the_question_its_options_and_who_asks(
    options: list[str], shown: tuple[str, ...] | None, within: timedelta | None
) -> None:
    asker = Asker("red")

    await clarify(asker, "Which one?", options, agent_name="Painter", within=within)

    request = ClarificationRequest(
        request_id="req_1", source_name="Clarification", question="Which one?", agent_name="Painter", options=shown
    )
    assert asker.asked == [(request, ClarificationResponse, within)]


async def test_who_asks_is_told_when_nobody_answers_in_time() -> None:
    with pytest.raises(RequestExpired, match="CLARIFICATION_REQUEST") as expired:
        await clarify(Asker(None), "Which one?", agent_name="Painter", within=timedelta(seconds=3))

    assert expired.value.request_id == "req_1"
