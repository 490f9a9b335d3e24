"""Which pages have generated parts, and how such a part is put in its place."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from docs.generate import events, http, openapi, problems, schemas, settings

REFERENCE: Final = Path(__file__).resolve().parents[1] / "reference"

PAGES: Final[Mapping[str, Mapping[str, Callable[[], str]]]] = {
    "events.md": {"inputs": events.inputs, "events": events.events},
    "http.md": {
        "problems": problems.problems_table,
        "everywhere": http.everywhere,
        "routes": http.routes,
        "bodies": schemas.bodies,
    },
    "settings.md": {"settings": settings.settings_table},
}

FILES: Final[Mapping[str, Callable[[], str]]] = {"openapi.json": openapi.document_text}
"""Files that are generated as a whole."""


class MarkerMissing(Exception):
    """A page lacks the two comments that a generated part stands between."""


def page_path(name: str) -> Path:
    """Return where a page lies."""
    return REFERENCE / name


def refreshed(name: str, text: str) -> str:
    """Return a page's text with every generated part written anew.

    Raises:
        MarkerMissing: the page has no place for a part.
    """
    for part, write in PAGES[name].items():
        text = _replaced(name, text, part, write().strip())
    return text


def _replaced(name: str, text: str, part: str, written: str) -> str:
    begin = f"<!-- generated: {part}; change the code, then run python -m docs.generate -->"
    end = f"<!-- end of {part} -->"
    if text.count(begin) != 1 or text.count(end) != 1:
        raise MarkerMissing(f"{name} must have the lines {begin!r} and {end!r}, once each.")
    before, rest = text.split(begin)
    _, after = rest.split(end)
    return f"{before}{begin}\n\n{written}\n\n{end}{after}"
