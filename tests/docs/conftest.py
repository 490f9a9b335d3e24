"""A reader of pages."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.docs.curl import Runner
from tests.docs.pages import Page
from tests.docs.walk import Walk
from tests.harness.process import ServerProcess


@pytest.fixture
def walk(
    request: pytest.FixtureRequest, tmp_path: Path, sqlite_url: str, make_server: Callable[..., ServerProcess]
) -> Callable[[Page, Runner], Walk]:
    """Prepare to walk through a page; PostgreSQL is started when the page asks for it."""

    def prepare(page: Page, runner: Runner) -> Walk:
        return Walk(
            page,
            tmp_path,
            sqlite_url=sqlite_url,
            make_server=make_server,
            make_database=lambda: request.getfixturevalue("postgres").create_database_async(),
            runner=runner,
        )

    return prepare
