"""What the server's environment says of its owner stays here when a client chooses the place of a model."""

import pytest
from pydantic_ai.settings import ModelSettings

from hosting.adapters.models.choice import ModelChoice
from hosting.adapters.models.making import another, make_model, make_provider
from hosting.domain.secret import Secret
from tests.harness.providers.provider import FakeProvider
from tests.harness.providers.steps import Text
from tests.models.asked import ask

WIRES = {"openai-chat": "/v1", "openai-responses": "/v1", "anthropic": ""}
ENVIRONMENT = {
    "OPENAI_API_KEY": "CANARY-key",
    "OPENAI_ORG_ID": "CANARY-organization",
    "OPENAI_PROJECT_ID": "CANARY-project",
    "OPENAI_CUSTOM_HEADERS": "X-Own: CANARY-own",
    "ANTHROPIC_API_KEY": "CANARY-key",
    "ANTHROPIC_CUSTOM_HEADERS": "X-Own: CANARY-own",
}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize("settings", [None, ModelSettings(max_retries=7)])
@pytest.mark.parametrize("wire", WIRES)
async def test_a_place_that_a_client_chose_hears_nothing_of_the_environment(
    wire: str, settings: ModelSettings | None
) -> None:
    async with FakeProvider() as provider:
        choice = ModelChoice(wire, "m", provider.url + WIRES[wire], Secret("mine"))
        async with make_provider(choice) as made:
            provider.answers(Text("Fine."))
            await ask(make_model(choice, made), settings)

        heard = (await provider.request(0)).headers

    assert "CANARY" not in str(heard)
    assert "mine" in str(heard)


@pytest.mark.parametrize("wire", WIRES)
async def test_the_place_to_which_a_client_moved_a_model_hears_nothing_of_the_environment(wire: str) -> None:
    choice = ModelChoice(wire, "m", trusted=True)
    async with FakeProvider() as provider, make_provider(choice) as own:
        model = another(make_model(choice, own), None, Secret("mine"), provider.url + WIRES[wire])
        assert model.provider is not None
        async with model.provider:
            provider.answers(Text("Fine."))
            await ask(model)

        heard = (await provider.request(0)).headers

    assert "CANARY" not in str(heard)
    assert "mine" in str(heard)


async def test_a_place_that_the_operator_chose_hears_all_of_it() -> None:
    async with FakeProvider() as provider:
        choice = ModelChoice("openai-chat", "m", provider.openai, trusted=True)
        async with make_provider(choice) as made:
            provider.answers(Text("Fine."))
            await ask(make_model(choice, made))

        heard = (await provider.request(0)).headers

    assert (heard["authorization"], heard["openai-organization"], heard["x-own"]) == (
        "Bearer CANARY-key",
        "CANARY-organization",
        "CANARY-own",
    )
