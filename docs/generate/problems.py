"""The error codes, as pages show them."""

from collections.abc import Iterator, Mapping
from typing import Final

from docs.generate.docstrings import sentences
from docs.generate.tables import code, table

from hosting.api.problems import STATUS, STATUS_OF_CODE
from hosting.domain.errors import BranchlineError

_EDGE: Final[Mapping[str, str]] = {
    "invalid-request": "A body, path or query parameter is wrong.",
    "origin-refused": "The header Origin names a site that is neither the server's own nor in BRANCHLINE_ORIGINS.",
    "not-found": "There is no such route.",
    "method-not-allowed": "The route does not answer that method; the header Allow names those it does.",
    "gone": "The route was there once, and is no more; the detail says what to use instead.",
    "payload-too-large": "The body is larger or nested deeper than the route takes.",
    "unsupported-media-type": "The body, or a file in it, is declared to be something that the route does not take.",
    "range-not-satisfiable": "The header Range asks for bytes behind the end of a content; the detail has its size.",
    "request-timeout": "The request's head or body took too long to come; the connection is closed.",
    "too-many-requests": (
        "The address has too many connections open, too many requests wait on one of them, or the tenant has too many "
        "under way."
    ),
    "headers-too-large": "The request has more headers, or more bytes before its body, than the server takes.",
    "internal-error": "The server made a mistake; its log says more, the document does not.",
    "not-ready": "The server does not want requests now, or is stopping and takes no inputs; the detail says which.",
}
"""What the edge refuses before the core is asked: these have no class to read a sentence from, or not only one."""


def codes() -> dict[str, tuple[int, str]]:
    """Return the status and meaning of every code.

    Raises:
        KeyError: a code of the edge has no meaning here yet.
    """
    found = {name: (status, _EDGE[name]) for name, status in STATUS_OF_CODE.items()}
    for cls in _subclasses(BranchlineError):
        status = next((STATUS[parent] for parent in cls.__mro__ if parent in STATUS), None)
        if status is not None and "code" in cls.__dict__ and cls.code not in found:
            found[cls.code] = (status, sentences(cls))
    return dict(sorted(found.items(), key=lambda item: (item[1][0], item[0])))


def problems_table() -> str:
    """Describe every code in one table."""
    rows = [(code(name), str(status), meaning) for name, (status, meaning) in codes().items()]
    return table(("code", "status", "means"), rows)


def _subclasses(cls: type[BranchlineError]) -> Iterator[type[BranchlineError]]:
    for child in cls.__subclasses__():
        yield child
        yield from _subclasses(child)
