"""The form that brings a file (RFC 7578), read as it comes: no more of it is in memory than one piece.

The framework would have all of it in memory, or beside us on a disk, before a route sees any.
"""

from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass
from typing import Any, Final

from litestar import Request
from litestar.exceptions import InternalServerException
from multipart import MultipartError, MultipartSegment, PushMultipartParser, parse_options_header

from hosting.api.farewell import body_was_read
from hosting.api.problems import ApiError
from hosting.domain.content_errors import InvalidContentType, InvalidFileName, NoFileProvided
from hosting.domain.content_name import name_in, why_not_a_name
from hosting.domain.errors import InvalidRequest
from hosting.domain.media_types import UNSAID, MediaTypes, content_type_of

FIELD: Final = "file"
BESIDE_BYTES: Final = 64 << 10
"""How much a form may hold besides its file: boundaries, headers, other fields."""

_MOST_FIELDS: Final = 16
_LONGEST_BOUNDARY: Final = 70


@dataclass(frozen=True, slots=True)
class FormFile:
    """A file in a form: what it is called, what it says that it is, and its bytes, which are yet to come.

    `most_bytes` are as many as the form can have, when it says how large it is.
    """

    name: str
    content_type: str
    pieces: AsyncGenerator[bytes]
    most_bytes: int | None


async def read_form(request: Request[Any, Any, Any], largest_bytes: int, types: MediaTypes) -> FormFile:
    """Read a form up to its file; who reads the file to its end has read the form.

    Raises:
        InvalidContentType: it is no form that can have a file.
        NoFileProvided: it has none.
        InvalidFileName: the file cannot be called so.
        InvalidRequest: it is broken; the pieces can raise this, too.
        ApiError: it is larger than may be, ends before it is whole, or its file is of a type that is not taken; the
            pieces can raise this, too.
    """
    form = _Form(request, largest_bytes)
    segment = await form.segment()
    return FormFile(_name(segment), _content_type(segment, types), form.pieces(), request.content_length)


class _Form:
    """A form on its way."""

    def __init__(self, request: Request[Any, Any, Any], largest_bytes: int) -> None:
        self._request = request
        self._parser = PushMultipartParser(_boundary(request), max_segment_count=_MOST_FIELDS)
        self._largest_bytes = largest_bytes
        declared = request.content_length
        if declared is not None and declared > largest_bytes + BESIDE_BYTES:
            # Before a byte of it is asked for: who sends `Expect: 100-continue` has not begun.
            raise self._too_large()
        self._received = self._of_file = 0
        self._events = self._parsed()

    async def segment(self) -> MultipartSegment:
        """Return the head of the file; what stands before it is passed over."""
        async for event in self._events:
            if isinstance(event, MultipartSegment) and event.name == FIELD and _said(event):
                return event
        raise NoFileProvided

    async def pieces(self) -> AsyncGenerator[bytes]:
        """Yield the bytes of the file, and read what stands behind it."""
        is_file = True
        async for event in self._events:
            if event is None:
                is_file = False
            elif isinstance(event, MultipartSegment):
                if event.name == FIELD:
                    raise NoFileProvided("has more")
            elif is_file:
                self._of_file += len(event)
                yield bytes(event)
        body_was_read(self._request)

    async def _parsed(self) -> AsyncGenerator[MultipartSegment | bytes | bytearray | None]:
        try:
            async for data in self._request.stream():
                self._received += len(data)
                for event in self._parse(data):
                    yield event
                # Whoever reads has counted what of it was the file's.
                if self._of_file > self._largest_bytes or self._received - self._of_file > BESIDE_BYTES:
                    raise self._too_large()
        except InternalServerException as error:
            # The framework's word for a client that left; nobody reads this answer, and it is no fault of ours to log.
            raise ApiError("invalid-request", "The body ended before it was complete.") from error

    def _parse(self, data: bytes) -> Iterator[MultipartSegment | bytes | bytearray | None]:
        try:
            yield from self._parser.parse(data)
        except MultipartError as error:
            raise InvalidRequest(f"The form cannot be read: {str(error)[:100]}.") from error

    def _too_large(self) -> ApiError:
        return ApiError(
            "payload-too-large",
            f"A file may have {self._largest_bytes} bytes, and its form {BESIDE_BYTES} bytes besides it.",
        )


def _boundary(request: Request[Any, Any, Any]) -> str:
    if request.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise ApiError("unsupported-media-type", "Send the form uncompressed, without the header Content-Encoding.")
    media_type, options = parse_options_header(request.headers.get("content-type", ""))
    if media_type != "multipart/form-data":
        raise InvalidContentType(
            f"Send a form with the header Content-Type: multipart/form-data, not {media_type[:100] or 'without one'}."
        )
    boundary: str = options.get("boundary", "")
    if not boundary or len(boundary) > _LONGEST_BOUNDARY or not boundary.isascii() or not boundary.isprintable():
        raise InvalidContentType("The header Content-Type needs a boundary of 1 to 70 visible characters.")
    return boundary


def _said(segment: MultipartSegment) -> str | None:
    return name_in(segment.header("Content-Disposition"))


def _name(segment: MultipartSegment) -> str:
    name = _said(segment) or ""
    if (why := why_not_a_name(name)) is not None:
        raise InvalidFileName(f"A file cannot be called {name[:100]!r}: {why}.")
    return name


def _content_type(segment: MultipartSegment, types: MediaTypes) -> str:
    said = segment.header("Content-Type") or UNSAID
    content_type = content_type_of(said)
    if content_type is None:
        raise ApiError("unsupported-media-type", f"{said[:100]!r} is no media type such as image/png.")
    if not types.takes(content_type):
        taken = ", ".join(sorted(types.patterns))
        raise ApiError("unsupported-media-type", f"This server takes no {content_type[:100]}; it takes {taken[:200]}.")
    return content_type
