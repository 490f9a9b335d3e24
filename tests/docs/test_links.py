"""Whatever a page points at is there."""

import re
from pathlib import Path

import pytest

from tests.docs.pages import TOP, Page, all_pages

_LINK = re.compile(r"\]\(([^)\s]+)\)")
_CODE_PATH = re.compile(r"`((?:src|tests|migrations|docs)/[\w./-]+)`")
_FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_DOCS_IN_CODE = re.compile(r"docs/[\w./-]+\.md")


@pytest.mark.parametrize("page", all_pages(), ids=lambda page: page.name)
def test_every_link_of_a_page_leads_somewhere(page: Page) -> None:
    broken = [link for link in _LINK.findall(_prose(page.path)) if not _leads_somewhere(page.path, link)]

    assert broken == []


@pytest.mark.parametrize("page", all_pages(), ids=lambda page: page.name)
def test_every_path_of_the_code_that_a_page_names_exists(page: Page) -> None:
    assert [path for path in _CODE_PATH.findall(page.text) if not (TOP / path).exists()] == []


def test_every_page_that_the_code_names_exists() -> None:
    named = {
        (str(path.relative_to(TOP)), name)
        for path in (TOP / "src").rglob("*.py")
        for name in _DOCS_IN_CODE.findall(path.read_text("utf-8"))
    }

    assert named
    assert [(path, name) for path, name in sorted(named) if not (TOP / name).is_file()] == []


def test_every_page_can_be_reached_from_the_index() -> None:
    reached: set[Path] = set()
    waiting = [TOP / "README.md"]
    while waiting:
        path = waiting.pop()
        if path in reached or path.suffix != ".md":
            continue
        reached.add(path)
        links = [link for link in _LINK.findall(_prose(path)) if "://" not in link and not link.startswith("#")]
        waiting += [(path.parent / link.partition("#")[0]).resolve() for link in links]

    # The index of the folder is for those who browse the repository, the README's own list for all others.
    assert {page.path for page in all_pages()} <= reached | {TOP / "docs/README.md"}


def _leads_somewhere(path: Path, link: str) -> bool:
    if "://" in link:
        return False
    name, _, anchor = link.partition("#")
    target = (path.parent / name).resolve() if name else path
    return target.exists() and (not anchor or anchor in _anchors(target))


def _anchors(path: Path) -> set[str]:
    return {_slug(heading) for heading in _HEADING.findall(_FENCED.sub("", path.read_text("utf-8")))}


def _slug(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def _prose(path: Path) -> str:
    return _FENCED.sub("", path.read_text("utf-8"))
