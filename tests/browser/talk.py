"""The page of the guide in a tab, as its user sees and uses it."""

from dataclasses import dataclass
from typing import Self

from playwright.async_api import Locator, Page, expect


@dataclass(frozen=True)
class Talk:
    """A tab that shows the page."""

    page: Page

    @classmethod
    async def open(cls, page: Page, address: str) -> Self:
        """Open the page and wait until it follows its branch."""
        async with page.expect_response(lambda response: "/events/live" in response.url):
            await page.goto(address)
        return cls(page)

    @property
    def lines(self) -> Locator:
        """What is said, a line each."""
        return self.page.locator("#talk p")

    @property
    def session(self) -> str:
        """The session that the page's address names."""
        return self.page.url.partition("#")[2]

    async def say(self, text: str) -> None:
        """Type a text and send it."""
        await self.page.get_by_label("What you say").fill(text)
        await self.press("Send")

    async def press(self, name: str) -> None:
        """Press a button."""
        await self.page.get_by_role("button", name=name).click()

    async def shows(self, *lines: str) -> None:
        """Wait until these are all the lines."""
        await expect(self.lines).to_have_text(lines, use_inner_text=False)

    async def shows_last(self, *, containing: str) -> None:
        """Wait until the last line has a text in it."""
        await expect(self.lines.last).to_contain_text(containing)

    async def is_idle(self) -> None:
        """Wait until nothing is left to stop."""
        await expect(self.page.get_by_role("button", name="Stop")).to_be_disabled()

    async def is_asked_nothing(self) -> None:
        """Wait until no question is left."""
        await expect(self.lines.get_by_role("button")).to_have_count(0)
