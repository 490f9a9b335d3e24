"""Names, types and ranges as they are read and written."""

import pytest

from hosting.api.contents_answer import disposition
from hosting.domain.content import content_of, content_uri
from hosting.domain.content_name import name_in, why_not_a_name
from hosting.domain.media_types import MediaTypes, content_type_of

NAMES = {
    'form-data; name="file"; filename="a.txt"': "a.txt",
    'form-data; name="file"; filename=a.txt': "a.txt",
    'form-data; filename="a%22b%41.txt"; name="file"': 'a"b%41.txt',
    'form-data; name="file"; filename="a\\"b"': 'a"b',
    'form-data; name="file"; filename="a%0D%0Ab"': "a\r\nb",
    'form-data; name="file"; filename="C:\\x"': "C:\\x",
    'form-data; name="f; filename=b"; filename="a"': "a",
    "form-data; name=\"file\"; filename*=UTF-8''%e2%82%ac.txt": "€.txt",
    'form-data; name="file"; filename="a"; filename*=utf-8\'\'b': "a",
    'form-data; name="file"; filename=""': "",
    'form-data; name="file"': None,
    "form-data; name=\"file\"; filename*=latin-1''a": None,
}


@pytest.mark.parametrize("header", NAMES)
def test_the_name_of_a_file_is_read_as_clients_write_it(header: str) -> None:
    assert name_in(header) == NAMES[header]


@pytest.mark.parametrize("name", ['a"b.txt', "a\\b", "a;b", "a\r\nSet-Cookie: x=1", "é\u202e.exe", "%41", "'"])
def test_a_name_is_handed_back_without_breaking_out_of_its_header(name: str) -> None:
    written = disposition(name)

    assert written.isascii()
    assert written.isprintable()
    quoted = written.removeprefix('attachment; filename="').partition('"')[0]
    assert written in {f'attachment; filename="{quoted}"', written}
    assert written.count('"') == 2
    assert "\\" not in written


def test_every_character_of_a_name_comes_back() -> None:
    name = "Größe \U0001f468\u200d\U0001f469 100%.txt"

    written = disposition(name)

    assert name_in(f"form-data; {written.rpartition('; ')[2]}") == name


def test_a_name_is_as_long_as_file_systems_take() -> None:
    assert why_not_a_name("ü" * 127 + "x") is None
    assert why_not_a_name("ü" * 128) == "it is longer than 255 bytes"


def test_types_are_taken_by_their_patterns() -> None:
    some = MediaTypes.parse(["image/*", "Application/PDF"])

    assert [some.takes(kind) for kind in ("image/png", "image/x; a=b", "application/pdf", "imagery/x", "text/x")] == [
        True,
        True,
        True,
        False,
        False,
    ]
    assert MediaTypes().takes("anything/else")
    for wrong in ("image", "*/*", "image/p*", ""):
        with pytest.raises(ValueError, match="no media type"):
            MediaTypes.parse([wrong])


def test_a_type_is_kept_with_its_parameters_and_cannot_break_out_of_a_header() -> None:
    assert content_type_of('Text/HTML; charset="utf-8"') == 'text/html; charset="utf-8"'
    assert content_type_of("image/SVG+xml") == "image/svg+xml"
    for wrong in ("", "text", "text/plain\r\nX: y", "text/plain; a", "text/plain;" + "a=b;" * 9, "té/x", "a/b, c/d"):
        assert content_type_of(wrong) is None, wrong


def test_a_content_is_named_by_its_id_and_nothing_else() -> None:
    assert content_of("hpd-content://cnt_1") == content_of("HPD-Content://cnt_1") == "cnt_1"
    assert content_uri(content_of("hpd-content://cnt_1") or "") == "hpd-content://cnt_1"  # type: ignore[arg-type]
    for wrong in ("hpd-content:cnt_1", "hpd-content:///x", "hpd-content://", "hpd-content://a/b", "https://a", "a"):
        assert content_of(wrong) is None, wrong
