"""What a client reads of a value that does not fit: the member by its name, and a pointer, and no type of ours."""

import pytest

from events.catalog import Catalog
from events.serializer import Serializer
from hosting.api.bodies import decode_body, decode_input
from hosting.api.branches import CreateBranch
from hosting.domain.errors import InvalidInput, InvalidRequest
from hosting.domain.sentences import plain_sentence

INPUTS = {
    b'{"text":"a","clientInputId":7}': "`clientInputId` must be a string, not a number - at `$.clientInputId`.",
    b'{"text":1.5}': "`text` must be a string, not a number - at `$.text`.",
    b'{"text":null}': "`text` must be a string, not null - at `$.text`.",
    b'{"text":true}': "`text` must be a string, not true or false - at `$.text`.",
    b'{"type":"USER_TEXT_INPUT"}': "`text` is missing - at `$`.",
    b'{"text":"a","runningRunBehavior":"dance"}': (
        "`runningRunBehavior` cannot be 'dance' - at `$.runningRunBehavior`."
    ),
    b'{"type":"USER_MESSAGES_INPUT","messages":{}}': "`messages` must be an array, not an object - at `$.messages`.",
    b'{"type":"USER_MESSAGES_INPUT","messages":[[]]}': (
        "`messages[0]` must be an object, not an array - at `$.messages[0]`."
    ),
    b'{"type":"USER_MESSAGES_INPUT","messages":[{"role":"tool"}]}': (
        "`messages[0].role` cannot be 'tool' - at `$.messages[0].role`."
    ),
}

DECODED = {
    "Expected `int`, got `str` - at `$.a`": "`a` must be a whole number, not a string - at `$.a`.",
    "Expected `int`, got `float` - at `$.a`": "`a` must be a whole number - at `$.a`.",
    "Expected `bool | null`, got `str` - at `$.a`": "`a` must be true or false, not a string - at `$.a`.",
    "Object missing required field `b` - at `$.a[2]`": "`a[2].b` is missing - at `$.a[2]`.",
    "Expected `object`, got `array`": "The body must be an object, not an array - at `$`.",
    "Expected `int` >= 0 - at `$.a`": "Expected `int` >= 0 - at `$.a`.",
    "Expected `datetime`, got `int` - at `$.a`": "Expected `datetime`, got `int` - at `$.a`.",
    "Number out of range - at `$.a`": "Number out of range - at `$.a`.",
    "Something else": "Something else - at `$`.",
    "x" * 5000: f"{'x' * 119}... - at `$`.",
    f"Invalid enum value '{'y' * 5000}' - at `$.a`": f"`a` cannot be '{'y' * 100}...' - at `$.a`.",
}


@pytest.mark.parametrize("body", INPUTS)
async def test_an_input_that_does_not_fit_is_refused_in_plain_words(body: bytes) -> None:
    with pytest.raises(InvalidInput) as refused:
        await decode_input(body, Serializer(Catalog.standard()))

    assert str(refused.value) == INPUTS[body]


async def test_another_body_that_does_not_fit_is_refused_in_plain_words() -> None:
    with pytest.raises(InvalidRequest) as refused:
        await decode_body(b'{"tags":["a",1]}', CreateBranch)

    assert str(refused.value) == "`tags[1]` must be a string, not a number - at `$.tags[1]`."


@pytest.mark.parametrize("said", DECODED)
def test_what_the_decoder_says_is_told_plainly_or_left_as_it_is(said: str) -> None:
    assert plain_sentence(said) == DECODED[said]
