"""The pages of the documentation, and the samples on them."""

import re
from dataclasses import dataclass
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]

_FENCE = re.compile(r"^```(\w+)(?: ([^\n]*))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_NAME = re.compile(r"(?:#|//|<!--) (\w+\.\w+)(?: -->)?\n")


@dataclass(frozen=True)
class Sample:
    """A fenced block: its language, what stands behind the language, and its text."""

    language: str
    title: str
    text: str

    @property
    def file_name(self) -> str:
        """The name in the comment that a file begins with."""
        match = _NAME.match(self.text)
        assert match is not None, f"a sample does not begin with its file's name:\n{self.text}"
        return match[1]


@dataclass(frozen=True)
class Page:
    """A page, by its path from the top."""

    name: str

    @property
    def path(self) -> Path:
        """Where it lies."""
        return TOP / self.name

    @property
    def text(self) -> str:
        """What it says."""
        return self.path.read_text("utf-8")

    def samples(self, *languages: str) -> list[Sample]:
        """Return its samples in order, those of some languages."""
        found = [Sample(match[1], match[2] or "", match[3]) for match in _FENCE.finditer(self.text)]
        return [sample for sample in found if sample.language in languages]


README = Page("README.md")


def all_pages() -> list[Page]:
    """Return every page there is."""
    return [README, *(Page(str(path.relative_to(TOP))) for path in sorted((TOP / "docs").rglob("*.md")))]


def pages_with(*languages: str) -> list[Page]:
    """Return the pages that have samples of some languages."""
    return [page for page in all_pages() if page.samples(*languages)]
