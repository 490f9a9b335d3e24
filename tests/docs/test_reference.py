"""The reference says what the code says."""

import re

import msgspec
import pytest
from docs.generate.pages import FILES, PAGES, MarkerMissing, page_path, refreshed
from litestar.routes import HTTPRoute

from events.catalog import Catalog
from events.event import Event
from events.inputs import Input
from hosting import create_app
from hosting.api.problems import STATUS_OF_CODE
from hosting.settings import Settings
from tests.docs.pages import Page

# Where the routes are described, which is no route of the API itself.
_DESCRIPTION = {"/", "/openapi.json"}

EVENTS, HTTP, SETTINGS = (Page(f"docs/reference/{name}.md") for name in ("events", "http", "settings"))


@pytest.mark.parametrize("name", PAGES)
def test_a_generated_page_is_what_the_generator_writes(name: str) -> None:
    committed = page_path(name).read_text("utf-8")

    assert refreshed(name, committed) == committed, "run python -m docs.generate"


@pytest.mark.parametrize("name", FILES)
def test_a_generated_file_is_what_the_generator_writes(name: str) -> None:
    assert page_path(name).read_text("utf-8") == FILES[name](), "run python -m docs.generate"


def test_a_page_without_a_place_for_a_part_is_refused() -> None:
    with pytest.raises(MarkerMissing, match=r"settings\.md must have the lines"):
        refreshed("settings.md", "# Settings\n")


def test_every_event_and_input_of_the_catalog_is_documented_with_all_its_members() -> None:
    missing = []
    for name, cls in Catalog.standard():
        section = _section(EVENTS, name)
        common = {field.name for field in msgspec.structs.fields(Event if issubclass(cls, Event) else Input)}
        own = [field.encode_name for field in msgspec.structs.fields(cls) if field.name not in common]
        missing += [(name, member) for member in own if f"| `{member}` |" not in section]

    assert missing == []


def test_the_envelope_is_documented_with_all_its_members() -> None:
    section = _section(EVENTS, "The envelope")
    members = ["version", "type", "channel", "kind", "direction", "canInterrupt"]
    members += [field.encode_name for field in msgspec.structs.fields(Event)]

    assert [member for member in members if f"| `{member}` |" not in section] == []


def test_every_setting_is_documented() -> None:
    names = [field.name for field in msgspec.structs.fields(Settings)]

    assert [name for name in names if f"| `BRANCHLINE_{name.upper()}` | `{name}` |" not in SETTINGS.text] == []


def test_every_route_is_documented() -> None:
    served = {
        (method, re.sub(r":\w+}", "}", str(handler_path)))
        for route in create_app().routes
        if isinstance(route, HTTPRoute)
        for handler in route.route_handlers
        for handler_path in handler.paths
        for method in handler.http_methods
        if method not in {"OPTIONS", "HEAD"} and handler_path not in _DESCRIPTION
    }

    assert len(served) > 10
    assert [route for route in sorted(served) if f"### `{route[0]} {route[1]}`\n" not in HTTP.text] == []


def test_every_problem_that_a_route_answers_with_is_explained() -> None:
    table = _section(HTTP, "Errors")
    rows = re.findall(r"\[Problem\]\(#problem\) \| ([a-z`, -]+) \|", HTTP.text)
    answered = {code for codes in rows for code in re.findall(r"[a-z-]+", codes)}

    assert len(answered) > 10
    assert [code for code in sorted(answered | STATUS_OF_CODE.keys()) if f"| `{code}` |" not in table] == []


def _section(page: Page, heading: str) -> str:
    found = re.search(rf"^(#+) {re.escape(heading)}$(.*?)(?=^#{{1,4}} |\Z)", page.text, re.MULTILINE | re.DOTALL)
    assert found is not None, f"{page.name} has no heading {heading!r}"
    return found[2]
