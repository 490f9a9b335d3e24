"""JSON from strangers is taken if and only if it is clean, and refused quickly if not."""

import json
import math
import time
from contextlib import suppress
from typing import Any, NoReturn

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events.strict import MAX_DEPTH, BodyRefused, Malformed, NoObject, TooDeep, members, mended

MEBIBYTE = 1 << 20
WITHIN_SECONDS = 2.0

ANY_TEXT = st.text(st.characters() | st.sampled_from('\x00"\\[]{}\ud800\udc00🌿'), max_size=8)
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ANY_TEXT, inner, max_size=4),
    max_leaves=12,
)
WRITTEN = st.one_of(
    ANY_JSON.map(lambda value: json.dumps(value).encode()),
    ANY_JSON.map(lambda value: json.dumps(value, ensure_ascii=False, indent=1).encode(errors="surrogatepass")),
)
PIECES = st.sampled_from(
    [
        *(b"[", b"]", b"{", b"}", b'"', b"\\", b":", b",", b" ", b"\n", b"0", b"12", b"-", b".5", b"e9", b"E+400"),
        *(b"null", b"true", b"nul", b"NaN", b"Infinity", b'"a"', b"\\u0000", b"\\u00", b"\\ud83d", b"\\ude00"),
        *(b"\x00", b"\xff", "é".encode(), b"\xed\xa0\x80", b"\x1f", b"\t", b"'", b"//", b'{"a":', b'{"\\u0061":'),
    ]
)
SPLICED = st.tuples(WRITTEN, st.integers(0, 200), st.integers(0, 3), PIECES | st.just(b"")).map(
    lambda cut: cut[0][: cut[1]] + cut[3] + cut[0][cut[1] + cut[2] :]
)
BODIES = WRITTEN | SPLICED | st.lists(PIECES, max_size=12).map(b"".join) | st.binary(max_size=12)


def within(value: bytes) -> bytes:
    """Return a body with one member."""
    return b'{"a":%b}' % value


def opened(body: bytes) -> dict[str, Any]:
    """Return the members of a body, decoded as whoever asks for one does it."""
    return {name: msgspec.json.decode(raw) for name, raw in members(body).items()}


def reference(body: bytes) -> dict[str, Any]:
    """Decode with the standard library, and refuse what cannot be stored or is no object; raises ValueError."""
    value = json.loads(body.decode(), parse_constant=refuse)
    check(value)
    return value if isinstance(value, dict) else refuse("no object")


def refuse(what: str) -> NoReturn:
    raise ValueError(what)


def check(value: object) -> None:
    """Look through a value for what cannot be stored."""
    if isinstance(value, str):
        if "\x00" in value:
            raise ValueError("NUL")
        value.encode()
    elif isinstance(value, float) and not math.isfinite(value):
        raise ValueError("out of range")
    elif isinstance(value, list):
        for item in value:
            check(item)
    elif isinstance(value, dict):
        for pair in value.items():
            check(list(pair))


@given(BODIES | BODIES.map(within))
@settings(max_examples=600, deadline=None)
def test_a_body_is_taken_if_the_standard_library_takes_it_and_it_can_be_stored(body: bytes) -> None:
    try:
        expected = reference(body)
    except ValueError:
        # A number out of range is the only fault that is found when its member is decoded.
        with pytest.raises((BodyRefused, msgspec.ValidationError)):
            opened(body)
    else:
        assert expected == opened(body)


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}"), ('[{"a":', "}]")])
def test_sixty_four_levels_are_taken_and_one_more_is_not(opening: str, closing: str) -> None:
    times, rest = divmod(MAX_DEPTH - 1, opening.count("[") + opening.count("{"))
    allowed = f"{'[' * rest}{opening * times}0{closing * times}{']' * rest}".encode()

    assert json.loads(within(allowed)) == opened(within(allowed))
    with pytest.raises(TooDeep):
        members(within(b"[%b]" % allowed))


@pytest.mark.parametrize(
    "text",
    [
        "[" * 1000,
        "]}" * 1000,
        '"' * 3 + "[" * 200,
        "\\" + "[" * 200,
        "\\\\" + "{" * 200,
        '\\"' + "[" * 200 + '"',
    ],
)
def test_brackets_inside_a_text_are_no_levels(text: str) -> None:
    body = json.dumps({text: [text, {"b": text}]}).encode()

    assert {text: [text, {"b": text}]} == opened(body)


def test_many_siblings_are_not_deep() -> None:
    body = within(b"[" + b",".join([b'[{"a":[]},{}]'] * 20_000) + b"]")

    assert len(opened(body)["a"]) == 20_000


def test_the_last_of_two_equal_members_wins() -> None:
    assert opened(b'{"a":1,"b":{"c":3},"a":2,"b":{"c":4}}') == {"a": 2, "b": {"c": 4}}


HOSTILE: list[tuple[bytes, type[BodyRefused]]] = [
    (b"", Malformed),
    (b" \n", Malformed),
    (b"{", Malformed),
    (b'"open', Malformed),
    (b'{"a":1}}', Malformed),
    (b'{"a":1} {"b":2}', Malformed),
    (b"[1,]", Malformed),
    (b'{"a":1,}', Malformed),
    (b"{a:1}", Malformed),
    (b"{1:1}", Malformed),
    (b"'a'", Malformed),
    (b"// no\n1", Malformed),
    (b"\xef\xbb\xbf1", Malformed),
    ("1".encode("utf-16"), Malformed),
    (b'"\xff"', Malformed),
    (b'"\xc3"', Malformed),
    (b'"\xc0\x80"', Malformed),
    (b'"\xed\xa0\x80"', Malformed),
    (b'"\xf5\x80\x80\x80"', Malformed),
    (b'{"\xff":1}', Malformed),
    (b'"a\x00b"', Malformed),
    (b'"a\\u0000b"', Malformed),
    (b'"a\\\\\\u0000b"', Malformed),
    (b'{"a\\u0000b":1}', Malformed),
    (b'{"a":["\\u0000"]}', Malformed),
    (b"1\x00", Malformed),
    (b'"\x1f"', Malformed),
    (b'"a\nb"', Malformed),
    (b'"\\ud800"', Malformed),
    (b'"\\udc00"', Malformed),
    (b'"\\udc00\\ud800"', Malformed),
    (b'"\\ud800\\ud800"', Malformed),
    (b'"\\ud800x"', Malformed),
    (b'{"\\uD800":1}', Malformed),
    (b'"\\u12"', Malformed),
    (b'"\\x41"', Malformed),
    (b"NaN", Malformed),
    (b'{"a":NaN}', Malformed),
    (b"Infinity", Malformed),
    (b"-Infinity", Malformed),
    (b"01", Malformed),
    (b"+1", Malformed),
    (b".5", Malformed),
    (b"1.", Malformed),
    (b"0x10", Malformed),
    (b"[" * 100_000, TooDeep),
    (b"[" * 100_000 + b"]" * 100_000, TooDeep),
    (b'{"a":' * 100_000, TooDeep),
    (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, TooDeep),
    (b"[{" * 100_000, TooDeep),
    (b"[" * 65 + b"}" * 65, TooDeep),
]


@pytest.mark.parametrize(("value", "error"), HOSTILE, ids=lambda given: repr(given)[:24])
def test_a_body_with_a_hostile_value_is_refused_in_a_short_sentence(value: bytes, error: type[BodyRefused]) -> None:
    with pytest.raises(error) as refused:
        members(within(value))

    assert str(refused.value).endswith((".", "?"))
    assert len(str(refused.value)) < 200


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"", Malformed),
        (b" \n", Malformed),
        (b"{", Malformed),
        (b'{"a":1}}', Malformed),
        (b'{"a":1} {"b":2}', Malformed),
        (b"\xef\xbb\xbf{}", Malformed),
        (b"{}\x00", Malformed),
        (b'{"a":1', Malformed),
        ("{}".encode("utf-16"), Malformed),
        (b'{"a\\u0000b":1}', Malformed),
        (b"[]", NoObject),
        (b'"{}"', NoObject),
        (b"null", NoObject),
        (b"1e400", NoObject),
        (b"[" * 100_000, TooDeep),
    ],
    ids=lambda given: repr(given)[:24],
)
def test_a_body_that_is_no_object_is_refused_in_a_short_sentence(body: bytes, error: type[BodyRefused]) -> None:
    with pytest.raises(error) as refused:
        members(body)

    assert str(refused.value).endswith(".")
    assert len(str(refused.value)) < 200


@pytest.mark.parametrize("number", [b"1e400", b"-1e400", b"9" * 5000, b"-" + b"9" * 5000], ids=lambda given: given[:8])
def test_a_number_out_of_range_is_found_by_whoever_decodes_its_member(number: bytes) -> None:
    body = b'{"a":[%b],"b":1}' % number

    found = members(body)

    assert msgspec.json.decode(found["b"]) == 1
    with pytest.raises(msgspec.ValidationError, match="out of range"):
        msgspec.json.decode(found["a"])


@pytest.mark.parametrize(
    ("written", "value"),
    [
        (b'"\\\\u0000"', "\\u0000"),
        (b'"\\\\\\\\u0000"', "\\\\u0000"),
        (b'"\\ud83c\\udf3f"', "🌿"),
        (b'"\\uD83C\\uDF3F"', "🌿"),
        (b'"\x7f"', "\x7f"),
        (b'"\xe2\x80\xa8"', "\u2028"),
        (b" \t\r\n1 \t\r\n", 1),
        (b"18446744073709551616", 2**64),
        (b"1e-400", 0.0),
        (b"-0", 0),
        (b'{"":1}', {"": 1}),
    ],
)
def test_what_is_only_strange_is_taken(written: bytes, value: object) -> None:
    assert {"a": value} == opened(within(written))


@pytest.mark.parametrize(
    "value",
    [
        b"[" * MEBIBYTE,
        b"]" * MEBIBYTE,
        b"][" * (MEBIBYTE // 2),
        b"{}" * (MEBIBYTE // 2),
        b'"' * MEBIBYTE,
        b"\\" * MEBIBYTE,
        b'"' + b"\\" * MEBIBYTE,
        b'"' + b"\\\\" * (MEBIBYTE // 2) + b'u0000"',
        b'"' + b"\\\\u0000" * (MEBIBYTE // 8) + b'"',
        b'"' + b"[" * MEBIBYTE + b'"',
        b'["' + b'\\"[' * (MEBIBYTE // 3),
        b'["' + b'","'.join([b"["] * (MEBIBYTE // 4)) + b'"]',
        b"[" + b",".join([b"[" * 62 + b"]" * 62] * (MEBIBYTE // 125)) + b"]",
        b"[" * 60 + b"[]," * (MEBIBYTE // 3),
        b'{"a":"' * (MEBIBYTE // 6),
        b'"' + b"\\ud83c\\udf3f" * (MEBIBYTE // 12) + b"\\ud83c",
        b'"' + b"\xff" * MEBIBYTE + b'"',
        b" " * MEBIBYTE,
        b"9" * MEBIBYTE,
        b"0." + b"9" * MEBIBYTE,
        b"-" * MEBIBYTE,
        b"{" + b",".join(b'"%d":0' % index for index in range(MEBIBYTE // 9)) + b"}",
        b"{" + b'"a":0,' * (MEBIBYTE // 6),
    ],
    ids=lambda value: repr(value[:16]),
)
def test_a_mebibyte_of_anything_is_settled_in_time(value: bytes) -> None:
    before = time.process_time()

    with suppress(BodyRefused):
        members(mended(within(value)))

    assert time.process_time() - before < WITHIN_SECONDS


@given(ANY_TEXT)
def test_what_cannot_be_stored_is_replaced_and_nothing_else(text: str) -> None:
    storable = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").replace("\x00", "\ufffd")

    read = msgspec.json.decode(members(mended(json.dumps({"a": text}).encode()))["a"], type=str)

    assert storable == read
