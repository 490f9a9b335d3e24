"""An answer without end is cut off before it fills the server's memory, whatever it is."""

import gzip

import pytest
from pydantic_ai.exceptions import ModelHTTPError

from hosting.adapters.models.choice import ModelChoice
from hosting.adapters.models.failures import ModelAnswerTooLong, ModelCallRefused, ModelGarbled
from hosting.adapters.models.making import make_model, make_provider
from hosting.adapters.models.measured import MOST_OF_AN_ANSWER, MOST_OF_AN_ERROR, MOST_OF_AN_EVENT
from hosting.domain.secret import Secret
from middleware.errors import ModelFailed
from tests.harness.providers.provider import FakeProvider, Script
from tests.harness.providers.request import Request
from tests.harness.providers.steps import Hold, Raw, Status, Text
from tests.models.asked import ask

WIRES = {"openai": "/v1", "openai-responses": "/v1", "anthropic": ""}
MIB = 1024 * 1024
LINE = Raw(b"x" * MIB)
LINES = Raw((b"data: " + b"x" * (MIB // 4) + b"\n") * 4)
COMMENTS = Raw((b": " + b"x" * (MIB // 4) + b"\r\n\r\n") * 4)


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize(
    ("piece", "most"),
    [(LINE, MOST_OF_AN_EVENT), (LINES, MOST_OF_AN_EVENT), (COMMENTS, MOST_OF_AN_ANSWER)],
    ids=["a line", "an event", "the whole"],
)
async def test_an_answer_that_does_not_end_is_cut_off(wire: str, piece: Raw, most: int) -> None:
    failure, _ = await _fail(wire, (*[piece] * (most // MIB + 1), Hold()))

    assert (type(failure), failure.is_retryable) == (ModelAnswerTooLong, False)


@pytest.mark.parametrize("wire", WIRES)
async def test_no_more_is_read_of_an_error_than_errors_have(wire: str) -> None:
    failure, _ = await _fail(wire, (Status(400, body=b"E" * 30 * MIB),))

    assert type(failure) is ModelCallRefused
    assert isinstance(failure.__cause__, ModelHTTPError)
    assert 0 < len(str(failure.__cause__)) < 2 * MOST_OF_AN_ERROR


@pytest.mark.parametrize("wire", WIRES)
async def test_no_answer_is_unpacked(wire: str) -> None:
    packed = Status(200, {"content-encoding": "gzip"}, gzip.compress(bytes(MIB)))

    failure, request = await _fail(wire, (packed,))

    assert request.headers["accept-encoding"] == "identity"
    assert (type(failure), "packed" in str(failure)) == (ModelGarbled, True)


@pytest.mark.parametrize("wire", ["groq", "mistral"])
async def test_the_clients_of_other_providers_measure_as_well(wire: str) -> None:
    failure, _ = await _fail(wire, (*[LINE] * 9, Hold()))

    assert type(failure) is ModelAnswerTooLong


async def test_a_client_that_was_closed_measures_when_it_is_opened_again() -> None:
    async with FakeProvider() as provider:
        choice = ModelChoice("openai", "m", provider.openai, Secret("key"))
        made = make_provider(choice)
        async with made:
            provider.answers(Text("Fine."))
            await ask(make_model(choice, made))
        async with made:
            provider.answers(*[LINE] * 9, Hold())

            with pytest.raises(ModelAnswerTooLong):
                await ask(make_model(choice, made))


async def test_events_that_are_large_together_are_read() -> None:
    async with FakeProvider() as provider:
        choice = ModelChoice("openai", "m", provider.openai, Secret("key"))
        async with make_provider(choice) as made:
            provider.answers(*[COMMENTS] * 12, Text("Fine."))

            answer = await ask(make_model(choice, made))

    assert answer.text == "Fine."


async def _fail(wire: str, script: Script) -> tuple[ModelFailed, Request]:
    async with FakeProvider() as provider:
        choice = ModelChoice(wire, "m", provider.url + WIRES.get(wire, ""), Secret("key"))
        async with make_provider(choice) as made:
            provider.answers(*script)
            with pytest.raises(ModelFailed) as raised:
                await ask(make_model(choice, made))
            return raised.value, await provider.request(0)
