"""A provider's client makes each call once, and is told so only where it can do otherwise."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from pydantic_ai.messages import ModelMessage, ModelRequest, ModelResponse, TextPart
from pydantic_ai.models import Model, ModelRequestParameters
from pydantic_ai.models.fallback import FallbackModel
from pydantic_ai.models.function import AgentInfo, FunctionModel
from pydantic_ai.models.wrapper import WrapperModel
from pydantic_ai.settings import ModelSettings

from events.ids import RunId
from hosting.adapters.models.asking import Asking
from hosting.adapters.models.care import Care
from hosting.adapters.models.patience import Patience
from hosting.domain.definition import AgentConfig, MiddlewareConfig
from hosting.ports.agents import Limits
from hosting.runtime.middlewares import limits_of_config

asked: list[ModelSettings] = []


async def _say(messages: list[ModelMessage], info: AgentInfo) -> AsyncIterator[str]:
    asked.append(info.model_settings or ModelSettings())
    yield "Fine."


class Stubborn(FunctionModel):
    unsupported_settings = frozenset({"max_retries"})


TRUSTING, STUBBORN = FunctionModel(stream_function=_say), Stubborn(stream_function=_say)


@pytest.mark.parametrize("settings", [None, {"temperature": 0.5}, {"max_retries": 7}])
@pytest.mark.parametrize("model", [TRUSTING, WrapperModel(TRUSTING), FallbackModel(TRUSTING, TRUSTING)])
async def test_no_client_tries_again_by_itself(model: Model, settings: ModelSettings | None) -> None:
    await _ask(model, settings)

    assert asked[-1] == {**(settings or {}), "max_retries": 0}


@pytest.mark.parametrize("model", [STUBBORN, WrapperModel(STUBBORN), FallbackModel(STUBBORN, TRUSTING)])
async def test_a_client_that_knows_no_tries_is_not_told_of_them(model: Model) -> None:
    await _ask(model, {"temperature": 0.5})

    assert asked[-1] == {"temperature": 0.5}


async def test_an_agents_own_times_come_before_those_of_its_server() -> None:
    care = Care(Patience(first=timedelta(seconds=1), idle=timedelta(seconds=2), call=timedelta(seconds=3)))

    own = care.within(Limits(model_idle_timeout=timedelta(minutes=5)))

    expected = Patience(first=timedelta(seconds=1), idle=timedelta(minutes=5), call=timedelta(seconds=3))
    assert own.patience == expected
    assert care.within(Limits(model_call_timeout=timedelta(seconds=1))).patience.hasty == {"call"}
    assert own.breaker is care.breaker


def test_a_definition_can_say_how_long_its_model_is_waited_for() -> None:
    times = {"modelFirst": "PT1S", "modelIdle": "PT2S", "modelCall": "PT3S"}
    said = MiddlewareConfig(name="timeout", options=times)

    limits = limits_of_config(AgentConfig(middlewares=(said,)), by_operator=False)

    assert (limits.model_first_timeout, limits.model_idle_timeout, limits.model_call_timeout, limits.run_timeout) == (
        timedelta(seconds=1),
        timedelta(seconds=2),
        timedelta(seconds=3),
        None,
    )


async def _ask(model: Model, settings: ModelSettings | None) -> ModelResponse:
    asking = Asking(Care(), model, RunId("run_1"))

    async def read(stream, events):  # type: ignore[no-untyped-def]
        async for _ in events:
            pass
        return stream.get()

    answer = await asking.ask([ModelRequest.user_text_prompt("Hello")], settings, ModelRequestParameters(), read)
    assert answer.parts == [TextPart("Fine.")]
    return answer
