"""The connections of a server's providers: shared, kept for the next run, and not kept for ever."""

import pytest
from pydantic_ai.models import Model

from hosting.adapters.models.choice import ModelChoice
from hosting.adapters.models.providers import Providers
from hosting.domain.secret import Secret


async def test_those_that_were_asked_last_are_kept_open_and_the_others_closed() -> None:
    providers = Providers(most=2)
    models = [providers.model(_choice(number)) for number in range(4)]

    for model in models:
        async with providers.asked(model):
            assert not _is_closed(model)

    assert [_is_closed(model) for model in models] == [True, True, False, False]
    await providers.close()
    assert [_is_closed(model) for model in models] == [True] * 4


async def test_none_is_closed_under_a_run_that_asks_it() -> None:
    providers = Providers(most=1)
    busy, *others = [providers.model(_choice(number)) for number in range(3)]

    async with providers.asked(busy), providers.asked(busy):
        for other in others:
            async with providers.asked(other):
                pass
        during = _is_closed(busy)

    assert (during, _is_closed(busy)) == (False, True)
    await providers.close()


async def test_one_that_was_closed_is_opened_again_for_the_next_run() -> None:
    providers = Providers(most=1)
    first, second = [providers.model(_choice(number)) for number in range(2)]
    async with providers.asked(first), providers.asked(second):
        pass

    async with providers.asked(first):
        again = _is_closed(first)

    assert (again, _is_closed(first), _is_closed(second)) == (False, False, True)
    await providers.close()


async def test_only_those_that_were_wanted_last_are_remembered() -> None:
    providers = Providers(most=2)
    first, second = [providers.model(_choice(number)) for number in range(2)]

    assert providers.model(_choice(0)).provider is first.provider
    providers.model(_choice(2))

    assert providers.model(_choice(0)).provider is first.provider
    assert providers.model(_choice(1)).provider is not second.provider


@pytest.mark.parametrize("model", [None, "openai:gpt-5-mini"])
async def test_a_model_that_was_made_elsewhere_is_left_alone(model: object) -> None:
    async with Providers().asked(model):
        pass


def _choice(number: int) -> ModelChoice:
    return ModelChoice("openai", "m", f"http://127.0.0.1:9/{number}", Secret("key"))


def _is_closed(model: Model) -> bool:
    assert model.provider is not None
    closed: bool = model.provider.client.is_closed()
    return closed
