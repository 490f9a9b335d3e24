"""One content of a message that a client sends: text, a file, or where a file is."""

from collections.abc import Mapping
from typing import Final, NoReturn
from urllib.parse import urlsplit

import msgspec

from events.branches import DataContent, TextContent, UriContent
from events.ids import ContentId
from hosting.domain.content import Content, content_of, content_uri, is_content_uri
from hosting.domain.data_uri import DataUri, is_media_type
from hosting.domain.errors import InvalidInput
from hosting.domain.media_types import UNSAID

InputContent = TextContent | DataContent | UriContent

_KINDS: Final = {"hpd:image": "image/", "hpd:audio": "audio/", "hpd:video": "video/", "hpd:document": ""}
"""Older words for a file of some kind, and what its media type begins with."""
_KNOWN: Final = ("text", "data", "uri", *_KINDS)
_LONGEST_URI: Final = 8192
_LONGEST_NAMING: Final = 64 << 10

Uploads = Mapping[ContentId, Content]
"""Uploaded files of the session, those that an input names."""
NO_UPLOADS: Final[Uploads] = {}


class _Given(msgspec.Struct, frozen=True, rename="camel"):
    """What any of them may have."""

    type: str = msgspec.field(name="$type")
    text: str | None = None
    uri: str | None = None
    media_type: str | None = None


def upload_named(part: msgspec.Raw) -> ContentId | None:
    """Return the uploaded file that a content names; None when it names none, or cannot be read."""
    if memoryview(part).nbytes > _LONGEST_NAMING:
        # It brings bytes of its own.
        return None
    try:
        given = msgspec.json.decode(part, type=_Given)
    except msgspec.ValidationError:
        return None
    return None if given.uri is None else content_of(given.uri)


def read_content(part: msgspec.Raw, where: str, uploads: Uploads = NO_UPLOADS) -> InputContent:
    """Read a content; `where` says which it is.

    Raises:
        InvalidInput: it cannot be taken.
    """
    try:
        given = msgspec.json.decode(part, type=_Given)
    except msgspec.ValidationError as error:
        raise InvalidInput(f"`{where}` is no content that can be taken: {error}.") from error
    if given.type not in _KNOWN:
        _refuse(f"{where}.$type", f"cannot be {given.type[:100]!r}; it is one of {', '.join(_KNOWN)}")
    if given.type == "text":
        return TextContent(text=_needed(given.text, f"{where}.text"))
    uri = _needed(given.uri, f"{where}.uri")
    as_bytes = given.type == "data" or (given.type != "uri" and uri[:5].lower() == "data:")
    if as_bytes:
        content: DataContent | UriContent = _data(given, uri, where)
    elif is_content_uri(uri):
        content = _upload(given, uri, where, uploads)
    else:
        content = _elsewhere(given, uri, where)
    if not content.media_type.startswith(_KINDS.get(given.type, "")):
        _refuse(f"{where}.mediaType", f"cannot be {content.media_type} in a content of `$type` {given.type}")
    return content


def _data(given: _Given, uri: str, where: str) -> DataContent:
    try:
        media_type = DataUri.read(uri).media_type
    except ValueError as error:
        raise InvalidInput(f"`{where}.uri` {error}.") from error
    if given.media_type is not None and given.media_type.lower() != media_type:
        _refuse(f"{where}.mediaType", f"is not what the URI says, {media_type}")
    return DataContent(uri=uri, media_type=media_type)


def _upload(given: _Given, uri: str, where: str, uploads: Uploads) -> UriContent:
    named = content_of(uri)
    if named is None or named not in uploads:
        _refuse(f"{where}.uri", f"names no file that was uploaded to this session: {uri[:100]!r}")
    media_type = uploads[named].media_type
    if given.media_type is not None and media_type == UNSAID:
        # Nobody said what it is when it was uploaded.
        media_type = _media_type(given.media_type, where)
    elif given.media_type is not None and given.media_type.lower() != media_type:
        _refuse(f"{where}.mediaType", f"is not that of the file, {media_type}")
    return UriContent(uri=content_uri(named), media_type=media_type)


def _elsewhere(given: _Given, uri: str, where: str) -> UriContent:
    media_type = _media_type(_needed(given.media_type, f"{where}.mediaType"), where)
    if not _is_on_the_web(uri):
        _refuse(f"{where}.uri", f"must be an http: or https: URL of at most {_LONGEST_URI} characters")
    return UriContent(uri=uri, media_type=media_type)


def _media_type(given: str, where: str) -> str:
    if not is_media_type(given):
        _refuse(f"{where}.mediaType", "must be a type and a subtype without parameters, such as `image/png`")
    return given.lower()


def _is_on_the_web(uri: str) -> bool:
    if len(uri) > _LONGEST_URI or not uri.isascii() or not uri.isprintable() or " " in uri:
        return False
    try:
        parts = urlsplit(uri)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _needed(member: str | None, where: str) -> str:
    if member is None:
        _refuse(where, "is missing")
    return member


def _refuse(where: str, why: str) -> NoReturn:
    raise InvalidInput(f"`{where}` {why}.")
