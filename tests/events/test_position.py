"""A position is read back as it was written, and nothing else is read as one."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events.position import Position

EPOCHS = st.text("0123456789abcdef", min_size=12, max_size=12)
WRITTEN = re.compile(r"[0-9a-f]{12}\.(0|[1-9][0-9]{0,17})", re.ASCII)


@given(EPOCHS, st.integers(0, 10**18 - 1))
@settings(max_examples=200, deadline=None)
def test_a_position_is_read_as_it_was_written(epoch: str, seq: int) -> None:
    position = Position(epoch, seq)

    assert position == Position.parse(str(position))


@given(st.text() | st.text("0123456789abcdef.-+ \n", max_size=40) | st.from_regex(WRITTEN, fullmatch=True))
@settings(max_examples=300, deadline=None)
def test_only_what_a_position_writes_is_read_as_one(text: str) -> None:
    position = Position.parse(text)

    assert (WRITTEN.fullmatch(text) is not None) == (position is not None)
    assert position is None or text == str(position)


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "42",
        "3f9a1c07b2de",
        "3f9a1c07b2de.",
        ".42",
        "3f9a1c07b2de.-1",
        "3f9a1c07b2de.+1",
        "3f9a1c07b2de.042",
        "3f9a1c07b2de.4 2",
        "3f9a1c07b2de.42 ",
        " 3f9a1c07b2de.42",
        "3f9a1c07b2de.42\n",
        "3f9a1c07b2de.4e2",
        "3f9a1c07b2de.4_2",
        "3F9A1C07B2DE.42",
        "3f9a1c07b2dg.42",
        "3f9a1c07b2d.42",
        "3f9a1c07b2dee.42",
        "3f9a1c07b2de.٤٢",
        "3f9a1c07b2de.1000000000000000000",
        "3f9a1c07b2de." + "9" * 5000,
        "9" * 5000,
        "\x00",
    ],
)
def test_another_form_is_no_position(text: str) -> None:
    position = Position.parse(text)

    assert position is None
