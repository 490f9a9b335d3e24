"""A Secret shows nothing of itself, whatever is done with it but revealing."""

import copy
import json
import logging
import pickle
import traceback
from dataclasses import dataclass

import msgspec
import pytest
import structlog

from hosting.domain.secret import Secret

CANARY = "canary-5f1c"


@dataclass(frozen=True)
class Holder:
    """Something that has one."""

    key: Secret


def test_only_reveal_gives_the_text() -> None:
    assert Secret(CANARY).reveal() == CANARY


@pytest.mark.parametrize("text", ["", "a", CANARY, "x" * 5000])
def test_it_looks_the_same_whatever_it_holds(text: str) -> None:
    secret = Secret(text)

    shown = [repr(secret), str(secret), f"{secret}", f"{secret!r}", "{} {!r}".format(*[secret] * 2), repr([secret])]

    assert shown == ["Secret(***)"] * 4 + ["Secret(***) Secret(***)", "[Secret(***)]"]


def test_a_form_is_applied_to_what_is_shown() -> None:
    assert f"{Secret(CANARY):>15}" == "    Secret(***)"
    assert f"{Secret(CANARY):.3}" == "Sec"


def test_what_holds_one_does_not_show_it_either() -> None:
    assert repr(Holder(Secret(CANARY))) == "Holder(key=Secret(***))"


def test_it_has_no_place_to_look_into_by_accident() -> None:
    secret = Secret(CANARY)

    with pytest.raises(TypeError):
        vars(secret)
    assert CANARY not in str(dir(secret))


def test_no_encoder_takes_it() -> None:
    secret = Secret(CANARY)

    for encode in (msgspec.json.encode, msgspec.msgpack.encode, json.dumps, msgspec.to_builtins):
        with pytest.raises(TypeError) as refused:
            encode({"key": secret})  # type: ignore[operator]
        assert CANARY not in str(refused.value)


def test_it_is_neither_pickled_nor_copied() -> None:
    secret = Secret(CANARY)

    for attempt in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError) as refused:
            attempt(secret)
        assert CANARY not in str(refused.value)


def test_logs_and_tracebacks_do_not_show_it(caplog: pytest.LogCaptureFixture) -> None:
    secret = Secret(CANARY)
    with structlog.testing.capture_logs() as logged:
        structlog.get_logger().info("asked", key=secret)
    rendered = structlog.processors.JSONRenderer()(None, "", {"key": secret})
    logging.getLogger("trial").warning("asked with %s", secret)
    try:
        raise ValueError(secret)
    except ValueError as error:
        told = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())

    assert CANARY not in f"{logged} {rendered!r} {caplog.text}"
    assert "Secret(***)" in told
    assert "secret = Secret(***)" in told


def test_two_of_the_same_text_are_equal_and_nothing_else_is() -> None:
    assert Secret(CANARY) == Secret(CANARY)
    assert Secret(CANARY) != Secret(CANARY + "x")
    assert Secret(CANARY) != CANARY
    assert len({Secret(CANARY), Secret(CANARY), Secret("other")}) == 2


def test_its_hash_is_not_that_of_the_text() -> None:
    assert hash(Secret(CANARY)) != hash(CANARY)


def test_it_is_true_when_there_is_something_in_it() -> None:
    assert [bool(Secret("")), bool(Secret("a"))] == [False, True]


def test_half_a_surrogate_is_compared_without_a_fault() -> None:
    assert Secret("\udcff") == Secret("\udcff")
