"""The client in 40 lines of JavaScript does in Chromium what its page promises."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.guide import GUIDE, settings, site, write_files
from tests.browser.talk import Talk
from tests.harness.cable import Cable
from tests.harness.client import Client
from tests.harness.process import ServerProcess

ASKED = ("/permission", "I would like to delete a file.")
DENIED = "The user denied this call."


@dataclass(frozen=True)
class Place:
    """Where the page is, the server behind it, and the cable between them."""

    address: str
    server: ServerProcess
    cable: Cable


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder that the page is put into."""
    folder = tmp_path / "site"
    folder.mkdir()
    return folder


@pytest.fixture
async def place(
    folder: Path, sqlite_url: str, make_server: Callable[..., ServerProcess], browser: Browser
) -> AsyncIterator[Place]:
    """Serve the page, and start the server that it talks to."""
    async with site(folder) as origin:
        server = make_server(sqlite_url, **settings(origin)).start()
        async with Cable(server.url) as cable:
            write_files(folder, cable.url)
            yield Place(origin, server, cable)


@pytest.fixture
async def talk(page: Page, place: Place) -> Talk:
    """The page, opened."""
    return await Talk.open(page, place.address)


def test_the_client_has_no_more_than_forty_lines() -> None:
    (sample,) = GUIDE.samples("js")

    lines = [line for line in sample.text.splitlines() if line and not line.startswith("//")]

    assert len(lines) <= 40
    assert [line for line in lines if len(line) > 120] == []


async def test_a_text_is_answered(talk: Talk) -> None:
    await talk.say("Hello")

    await talk.shows("Hello", "You said: Hello — try /help for more.")
    await talk.is_idle()


async def test_an_answer_is_shown_as_it_is_written(talk: Talk) -> None:
    await talk.say("/tokens 100 20")

    await talk.shows_last(containing="tok5 ")
    shown = await talk.lines.last.text_content()
    assert shown is not None
    assert "tok99" not in shown
    await talk.shows("/tokens 100 20", tokens(100))


async def test_a_connection_that_is_cut_costs_no_word(talk: Talk, place: Place) -> None:
    await talk.say("/tokens 150 20")
    await talk.shows_last(containing="tok5 ")

    cut = place.cable.cut()

    assert cut > 0
    await talk.shows("/tokens 150 20", tokens(150))


async def test_an_answer_that_begins_again_is_shown_once(talk: Talk, place: Place) -> None:
    await talk.say("/tokens 60 20")
    await talk.shows_last(containing="tok5 ")

    place.server.kill()
    place.cable.plug(place.server.start().url)

    await talk.shows("/tokens 60 20", tokens(60))
    await talk.is_idle()


async def test_a_reload_shows_the_same_conversation(talk: Talk) -> None:
    await talk.say("Hello")
    await talk.shows("Hello", "You said: Hello — try /help for more.")
    await talk.is_idle()

    await talk.page.reload()

    await talk.shows("Hello", "You said: Hello — try /help for more.")
    await talk.say("Again")
    await talk.shows("Hello", "You said: Hello — try /help for more.", "Again", "You said: Again — try /help for more.")


async def test_two_tabs_show_the_same_conversation(talk: Talk, page: Page) -> None:
    other = await Talk.open(await page.context.new_page(), page.url)

    await talk.say("Hello")
    await other.shows("Hello", "You said: Hello — try /help for more.")
    await other.is_idle()
    await other.say("And you")

    await talk.shows(
        "Hello", "You said: Hello — try /help for more.", "And you", "You said: And you — try /help for more."
    )


async def test_what_is_said_is_never_html(talk: Talk) -> None:
    said = "<img src=x onerror=\"document.title='taken'\">"

    await talk.say(said)

    await talk.shows(said, f"You said: {said} — try /help for more.")
    assert await talk.page.title() == "Talk to an agent"


async def test_what_the_server_refuses_is_shown(talk: Talk) -> None:
    await talk.say("/tokens 100 50")
    await talk.shows_last(containing="tok5 ")

    await talk.say("Hello")

    await talk.shows_last(containing="active")


async def test_the_page_of_a_branch_that_is_another_one_now_begins_anew(
    talk: Talk, place: Place, tmp_path: Path, make_server: Callable[..., ServerProcess]
) -> None:
    await talk.say("Hello")
    await talk.shows("Hello", "You said: Hello — try /help for more.")
    other = make_server(f"sqlite+aiosqlite:///{tmp_path}/other.db", **settings(place.address)).start()
    async with Client(other.url) as client:
        accepted = await client.accepted(await client.session(talk.session), "Elsewhere")
        await client.ended(talk.session, accepted["runtimeRunId"])

    place.cable.plug(other.url)
    place.cable.cut()

    await talk.shows("Elsewhere", "You said: Elsewhere — try /help for more.")


async def test_what_the_user_allows_is_done(talk: Talk) -> None:
    await talk.say("/permission")
    await talk.shows(*ASKED, 'delete_file {"path":"notes.txt"} AllowDeny')

    await talk.press("Allow")

    await talk.shows(*ASKED, "notes.txt was deleted.", "delete_file: notes.txt was deleted.")
    await talk.is_idle()


async def test_what_the_user_denies_is_not_done(talk: Talk) -> None:
    await talk.say("/permission")

    await talk.press("Deny")

    await talk.shows(*ASKED, DENIED, f"delete_file: {DENIED}")
    await talk.is_idle()


async def test_a_question_waits_for_a_page_that_is_reloaded(talk: Talk) -> None:
    await talk.say("/permission")
    await talk.shows_last(containing="delete_file")

    await talk.page.reload()
    await talk.press("Allow")

    await talk.shows(*ASKED, "notes.txt was deleted.", "delete_file: notes.txt was deleted.")


async def test_a_question_that_is_answered_in_one_tab_is_gone_in_the_other(talk: Talk, page: Page) -> None:
    other = await Talk.open(await page.context.new_page(), page.url)
    await talk.say("/permission")
    await other.shows_last(containing="delete_file")

    await talk.press("Allow")

    await other.shows(*ASKED, "notes.txt was deleted.", "delete_file: notes.txt was deleted.")


async def test_a_question_outlives_the_server_that_asked_it(talk: Talk, place: Place) -> None:
    await talk.say("/permission")
    await talk.shows_last(containing="delete_file")

    place.server.kill()
    place.cable.plug(place.server.start().url)
    await talk.press("Allow")

    await talk.shows(*ASKED, "notes.txt was deleted.", "delete_file: notes.txt was deleted.")


async def test_a_question_is_gone_when_its_run_is_stopped(talk: Talk) -> None:
    await talk.say("/permission")
    await talk.shows_last(containing="delete_file")

    await talk.press("Stop")

    await talk.is_idle()
    await talk.is_asked_nothing()


async def test_a_run_is_stopped_and_what_was_said_stays(talk: Talk) -> None:
    await talk.say("/slow 100")
    await talk.shows_last(containing="tok5 ")

    await talk.press("Stop")

    await talk.is_idle()
    await expect(talk.lines.last).to_have_class("cut")
    asked, cut = await talk.lines.all_text_contents()
    assert tokens(100).startswith(cut)
    assert "tok99" not in cut
    await talk.say("Hello")
    await talk.shows(asked, cut, "Hello", "You said: Hello — try /help for more.")


async def test_a_page_of_a_site_that_is_not_listed_cannot_use_the_server(
    page: Page, place: Place, folder: Path
) -> None:
    ask = "url => fetch(url, {method: 'POST'}).then(answer => answer.status, error => error.message)"
    async with site(folder) as stranger:
        # Not the client itself, but a page of the same site: it is the site that counts.
        await page.goto(f"{place.address}/client.js")
        listed = await page.evaluate(ask, f"{place.server.url}/sessions")
        await page.goto(f"{stranger}/client.js")
        refused = await page.evaluate(ask, f"{place.server.url}/sessions")

    assert (listed, refused) == (201, "Failed to fetch")


def tokens(count: int) -> str:
    """Return what the demo agent streams for so many tokens."""
    return "".join(f"tok{index} " for index in range(count))
