"""A way to come to an answer."""

from typing import Protocol

from events.interactions import Response
from hosting.cli.asking.asked import Asked


class Means(Protocol):
    """Answers questions in one way, as far as it can."""

    async def answer(self, asked: Asked) -> Response | None:
        """Return an answer; None when there is none in this way, or the question was settled meanwhile."""
        ...
