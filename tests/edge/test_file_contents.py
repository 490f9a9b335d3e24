"""Files in an input's message, as they are read: what is taken, and in what words the rest is refused."""

import base64
import json
from typing import Any

import msgspec
import pytest

from events.branches import DataContent, TextContent, UriContent
from hosting.domain.errors import InvalidInput
from hosting.runtime.input_contents import read_content

PNG = "data:image/png;base64,iVBORw0KGgo="
WHERE = "messages[0].contents[1]"
URL = "https://example.org/a.png?b=c#d"

TAKEN: list[tuple[dict[str, Any], TextContent | DataContent | UriContent]] = [
    ({"$type": "text", "text": "a"}, TextContent(text="a")),
    ({"$type": "data", "uri": PNG}, DataContent(uri=PNG, media_type="image/png")),
    ({"$type": "data", "uri": PNG, "mediaType": "Image/PNG"}, DataContent(uri=PNG, media_type="image/png")),
    ({"$type": "hpd:image", "uri": PNG}, DataContent(uri=PNG, media_type="image/png")),
    (
        {"$type": "data", "uri": "DATA:Audio/WebM;codecs=opus;BASE64,AAAA", "name": "a.webm"},
        DataContent(uri="DATA:Audio/WebM;codecs=opus;BASE64,AAAA", media_type="audio/webm"),
    ),
    ({"$type": "uri", "uri": URL, "mediaType": "image/PNG"}, UriContent(uri=URL, media_type="image/png")),
    ({"$type": "hpd:image", "uri": URL, "mediaType": "image/png"}, UriContent(uri=URL, media_type="image/png")),
    (
        {"$type": "hpd:document", "uri": "http://localhost:1/a", "mediaType": "application/pdf"},
        UriContent(uri="http://localhost:1/a", media_type="application/pdf"),
    ),
]

_ON_THE_WEB = "`messages[0].contents[1].uri` must be an http: or https: URL of at most 8192 characters."
_A_DATA_URI = "`messages[0].contents[1].uri` must be a data: URI, such as `data:image/png;base64,...`."
_IN_BASE64 = "`messages[0].contents[1].uri` must have its bytes in base64 (RFC 4648, section 4) with padding."

REFUSED: list[tuple[object, str]] = [
    (
        {"$type": "hostedFile", "fileId": "f"},
        "`messages[0].contents[1].$type` cannot be 'hostedFile'; it is one of "
        "text, data, uri, hpd:image, hpd:audio, hpd:video, hpd:document.",
    ),
    ({"$type": "text"}, "`messages[0].contents[1].text` is missing."),
    ({"$type": "data"}, "`messages[0].contents[1].uri` is missing."),
    ({"$type": "uri", "uri": URL}, "`messages[0].contents[1].mediaType` is missing."),
    (
        {"$type": "uri", "uri": URL, "mediaType": "image"},
        "`messages[0].contents[1].mediaType` must be a type and a subtype without parameters, such as `image/png`.",
    ),
    (
        {"$type": "data", "uri": PNG, "mediaType": "image/gif"},
        "`messages[0].contents[1].mediaType` is not what the URI says, image/png.",
    ),
    (
        {"$type": "hpd:audio", "uri": PNG},
        "`messages[0].contents[1].mediaType` cannot be image/png in a content of `$type` hpd:audio.",
    ),
    (
        {"$type": "uri", "uri": "hpd-content://abc", "mediaType": "image/png"},
        "`messages[0].contents[1].uri` names no file that was uploaded to this session: 'hpd-content://abc'.",
    ),
    ({"$type": "data", "uri": URL, "mediaType": "image/png"}, _A_DATA_URI),
    ({"$type": "data", "uri": "data:image/png;base64"}, _A_DATA_URI),
    ({"$type": "data", "uri": "data:image/png;" + "a=b;" * 200 + "base64,AAAA"}, _A_DATA_URI),
    (
        {"$type": "data", "uri": "data:;base64,AAAA"},
        "`messages[0].contents[1].uri` must name the media type after `data:`, such as `image/png`.",
    ),
    (
        {"$type": "data", "uri": "data:text/plain,hello"},
        "`messages[0].contents[1].uri` must have its bytes in base64, after `;base64,`.",
    ),
    ({"$type": "data", "uri": "data:text/plain;base64,"}, "`messages[0].contents[1].uri` must not be empty."),
    *(({"$type": "data", "uri": f"data:a/b;base64,{wrong}"}, _IN_BASE64) for wrong in ("AAA", "A===", "AA=A", "AA-_")),
    *(
        ({"$type": "data", "uri": f"data:a/b;base64,{wrong}"}, _IN_BASE64)
        for wrong in ("AAAA AAA", "AAA\u00e9", "%41A=")
    ),
    *(
        ({"$type": "uri", "uri": wrong, "mediaType": "image/png"}, _ON_THE_WEB)
        for wrong in ("", PNG, "file:///etc/passwd", "ftp://a/b", "//a/b", "https://", "https:///b", "https://[a")
    ),
    *(
        ({"$type": "uri", "uri": wrong, "mediaType": "image/png"}, _ON_THE_WEB)
        for wrong in ("https://a b", "https://a\n", "https://\u00e4.org", "http://a:99999/", "https://a/" + "b" * 8192)
    ),
]


@pytest.mark.parametrize("number", range(len(TAKEN)))
def test_a_content_is_taken_and_kept_in_one_of_three_forms(number: int) -> None:
    sent, expected = TAKEN[number]

    read = read_content(msgspec.Raw(json.dumps(sent).encode()), WHERE)

    assert read == expected


@pytest.mark.parametrize("number", range(len(REFUSED)))
def test_a_content_that_cannot_be_taken_is_refused_with_the_member_that_is_wrong(number: int) -> None:
    sent, expected = REFUSED[number]

    with pytest.raises(InvalidInput) as refused:
        read_content(msgspec.Raw(json.dumps(sent).encode()), WHERE)

    assert str(refused.value) == expected


@pytest.mark.parametrize("sent", ["a", 1, None, [], {}, {"$type": 1}, {"$type": "data", "uri": 1}])
def test_what_is_no_content_at_all_is_refused_with_its_place(sent: object) -> None:
    with pytest.raises(InvalidInput) as refused:
        read_content(msgspec.Raw(json.dumps(sent).encode()), WHERE)

    assert str(refused.value).startswith(f"`{WHERE}` is no content that can be taken: ")


@pytest.mark.parametrize("size", range(6))
def test_bytes_of_any_length_are_taken(size: int) -> None:
    uri = f"data:a/b;base64,{base64.b64encode(bytes(size + 1)).decode()}"

    read = read_content(msgspec.Raw(json.dumps({"$type": "data", "uri": uri}).encode()), WHERE)

    assert read == DataContent(uri=uri, media_type="a/b")
