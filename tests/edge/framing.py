"""Requests whose ends two servers may see in different places, or that are no HTTP/1.1 at all."""

from typing import Final

GET: Final = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n%b\r\n"
POST: Final = b"POST /sessions HTTP/1.1\r\nHost: localhost\r\n%b\r\n"
CHUNKED: Final = POST % b"Transfer-Encoding: chunked\r\n"
HIDDEN: Final = b"0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"


def _lengths(*values: bytes) -> bytes:
    return POST % b"".join(b"Content-Length: %b\r\n" % value for value in values) + b"{}"


def _encodings(*lines: bytes) -> bytes:
    return POST % b"".join(b"%b\r\n" % line for line in lines) + HIDDEN


REFUSED: Final[dict[str, bytes]] = {
    "a length and chunks": _encodings(b"Content-Length: 2", b"Transfer-Encoding: chunked"),
    "chunks and a length": _encodings(b"Transfer-Encoding: chunked", b"Content-Length: 2"),
    "two encodings": _encodings(b"Transfer-Encoding: chunked", b"Transfer-Encoding: identity"),
    "one encoding twice": _encodings(b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked"),
    "a list of one encoding twice": _encodings(b"Transfer-Encoding: chunked, chunked"),
    "a list of encodings": _encodings(b"Transfer-Encoding: gzip, chunked"),
    "an unknown encoding": _encodings(b"Transfer-Encoding: xchunked"),
    "no encoding": _encodings(b"Transfer-Encoding: identity"),
    "an empty encoding": _encodings(b"Transfer-Encoding: "),
    "an encoding behind a tabulator of another kind": _encodings(b"Transfer-Encoding: \x0bchunked"),
    "an encoding in quotes": _encodings(b'Transfer-Encoding: "chunked"'),
    "a space before the colon of an encoding": _encodings(b"Transfer-Encoding : chunked"),
    "an encoding in HTTP/1.0": b"POST /sessions HTTP/1.0\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    + HIDDEN,
    "one length twice": _lengths(b"2", b"2"),
    "two lengths": _lengths(b"2", b"3"),
    "a list of lengths": _lengths(b"2, 2"),
    "a negative length": _lengths(b"-2"),
    "a length with a plus": _lengths(b"+2"),
    "a length in hexadecimal digits": _lengths(b"0x2"),
    "a length with an underscore": _lengths(b"1_0"),
    "a length with a space": _lengths(b"2 2"),
    "an empty length": _lengths(b""),
    "a length beyond all numbers": _lengths(b"9" * 30),
    "line feeds alone": b"GET /healthz HTTP/1.1\nHost: localhost\n\n",
    "a line feed alone behind a header": GET % b"X: y\nZ: z\r\n",
    "a line feed alone at the end": b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\n",
    "a carriage return alone": GET % b"X: y\rZ: z\r\n",
    "a space before the colon": GET % b"X : y\r\n",
    "a folded header": GET % b"X: y\r\n z\r\n",
    "a folded first header": b"GET /healthz HTTP/1.1\r\n X: y\r\nHost: localhost\r\n\r\n",
    "a header without a colon": GET % b"X\r\n",
    "a header without a name": GET % b": y\r\n",
    "a NUL in a value": GET % b"X: a\x00b\r\n",
    "a NUL in a name": GET % b"X\x00: a\r\n",
    "a control character in a value": GET % b"X: a\x01b\r\n",
    "no host": b"GET /healthz HTTP/1.1\r\n\r\n",
    "two hosts": GET % b"Host: localhost\r\n",
    "a host that is none": b"GET /healthz HTTP/1.1\r\nHost: a/b c\r\n\r\n",
    "a host with a user": b"GET /healthz HTTP/1.1\r\nHost: b@a\r\n\r\n",
    "a target for another host": b"GET http://b/healthz HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a method that is none": b"G@T /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "an unknown method": b"FROB /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a method in small letters": b"get /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a tunnel": b"CONNECT a:80 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a target with a space": b"GET /hea lthz HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a target with a NUL": b"GET /hea\x00lthz HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a target with more than ASCII": b"GET /hea\xfflthz HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a target with a fragment": b"GET /healthz#a HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a target that is no path": b"GET healthz HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a target that is everything": b"GET * HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "no target": b"GET HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "HTTP/0.9": b"GET /healthz\r\n\r\n",
    "HTTP/0.9 that says so": b"GET /healthz HTTP/0.9\r\n\r\n",
    "HTTP/1.2": b"GET /healthz HTTP/1.2\r\nHost: localhost\r\n\r\n",
    "HTTP/2.0": b"GET /healthz HTTP/2.0\r\nHost: localhost\r\n\r\n",
    "http/1.1": b"GET /healthz http/1.1\r\nHost: localhost\r\n\r\n",
    "the preface of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(32)),
    "a size that is no number": CHUNKED + b"zz\r\n{}\r\n0\r\n\r\n",
    "a negative size": CHUNKED + b"-2\r\n{}\r\n0\r\n\r\n",
    "a size with 0x": CHUNKED + b"0x2\r\n{}\r\n0\r\n\r\n",
    "a size with a space": CHUNKED + b"2 \r\n{}\r\n0\r\n\r\n",
    "a size beyond all numbers": CHUNKED + b"f" * 17 + b"\r\n{}\r\n0\r\n\r\n",
    "a chunk longer than its size": CHUNKED + b"2\r\n{}{}\r\n0\r\n\r\n",
    "chunks that end with line feeds": CHUNKED + b"2\n{}\n0\n\n",
    "a line feed in an extension": CHUNKED + b"2;a\nb\r\n{}\r\n0\r\n\r\n",
    "a NUL in an extension": CHUNKED + b"2;\x00\r\n{}\r\n0\r\n\r\n",
    "an extension without end": CHUNKED + b"2;" + b"a" * (3 << 20),
    "chunks of one byte without end": CHUNKED + b"1\r\na\r\n" * 300_000,
    "a wrong header behind the body": CHUNKED + b"2\r\n{}\r\n0\r\nX : x\r\n\r\n",
}
"""Each must be answered with 400, and its connection closed with nothing behind it read."""
