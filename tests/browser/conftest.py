"""Fixtures: the browser that is installed here, driven by Playwright, which brings none of its own."""

import shutil
from collections.abc import AsyncIterator, Generator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Nothing but this machine exists for a page, whatever the page or the browser itself would like to fetch.
    "--no-proxy-server",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)
PATIENCE_MS = 20_000
expect.set_options(timeout=PATIENCE_MS)

_FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Remember that a test has failed, for the fixture that can still take a picture."""
    report = yield
    if report.when == "call":
        item.stash[_FAILED] = report.failed
    return report


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """A browser with a folder of its own; the test is skipped where no browser is installed."""
    found = [path for path in map(shutil.which, NAMES) if path is not None]
    if not found:
        pytest.skip(f"no browser is installed: none of {', '.join(NAMES)} is on the PATH (apt-get install chromium)")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=found[0], args=ARGUMENTS)
        yield browser
        await browser.close()


@pytest.fixture
async def page(browser: Browser, request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Page]:
    """A tab; what its scripts throw, or those of other tabs of its context, fails the test.

    A test that fails leaves a picture of it.
    """
    context = await browser.new_context()
    context.set_default_timeout(PATIENCE_MS)
    thrown: list[str] = []
    context.on("weberror", lambda error: thrown.append(str(error.error)))
    page = await context.new_page()
    yield page
    if request.node.stash.get(_FAILED, False):
        picture = tmp_path / "failed.png"
        await page.screenshot(path=picture, full_page=True)
        print("The page looked like this:", picture)
    assert thrown == []
