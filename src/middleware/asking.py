"""What layers need in order to ask the user something."""

from datetime import timedelta
from typing import Protocol, TypeVar

from events.interactions import Request, Response

A = TypeVar("A", bound=Response)


class Asker(Protocol):
    """Asks questions that outlive a crash of the server."""

    def new_request_id(self) -> str:
        """Return an id for a question."""
        ...

    async def ask(self, request: Request, answer: type[A], *, within: timedelta | None) -> A:
        """Ask, and return the accepted answer; None waits as long as it takes.

        Raises:
            RequestExpired: nobody answered in time.
        """
        ...
