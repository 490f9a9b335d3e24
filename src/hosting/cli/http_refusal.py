"""What a connection is told when nobody behind it may be asked."""

from collections.abc import Iterable
from http import HTTPStatus
from urllib.parse import unquote

import msgspec

from hosting.api.problems import MEDIA_TYPE, RETRY_AFTER_SECONDS, problem, status_of


class Refused(Exception):
    """A request that goes no further than its connection; `code` and the sentence say why."""

    def __init__(self, code: str, detail: str) -> None:
        self.code = code
        super().__init__(detail)

    def answer(self, target: bytes, headers: Iterable[tuple[bytes, bytes]]) -> bytes:
        """Write the whole answer, with these headers besides its own; `target` is what was asked for, if it is known.

        It says that the connection ends: where the next request would begin, nobody knows.
        """
        path = target.partition(b"?")[0].decode("latin-1") if target.startswith(b"/") else "/"
        document = problem(unquote(path), status_of(self.code), self.code, str(self))
        body = msgspec.json.encode(document)
        lines = [
            b"HTTP/1.1 %d %b" % (document.status, HTTPStatus(document.status).phrase.encode()),
            *(b"%b: %b" % header for header in headers),
            b"content-type: " + MEDIA_TYPE.encode(),
            b"content-length: %d" % len(body),
            b"connection: close",
        ]
        if document.status in {429, 503}:
            lines.append(b"retry-after: %d" % RETRY_AFTER_SECONDS)
        return b"\r\n".join((*lines, b"", body))
