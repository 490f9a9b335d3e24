"""What is refused since there is too much of it already.

BranchlineError
+-- TooMany               the caller's tenant has its share
|   +-- TooManyRequests, TooManyStreams, TooManyRuns
+-- Overloaded            all tenants together have what the server can bear
"""

from collections.abc import Callable

from hosting.domain.errors import BranchlineError
from hosting.domain.quota import Full


class TooMany(BranchlineError):
    """A tenant has its share of something; others are served."""


class TooManyRequests(TooMany):
    """Too many requests of the tenant wait, or the bodies of those under way are too large together."""

    code = "too-many-requests"

    def __init__(self) -> None:
        super().__init__("Too many of your requests are under way; send this one again when others are answered.")


class TooManyStreams(TooMany):
    """The tenant has too many live feeds and WebSockets open; the next one is let in when one of them is closed."""

    code = "too-many-streams"

    def __init__(self, most: int) -> None:
        super().__init__(f"You have {most} streams open, which is as many as you may have; close one of them first.")


class TooManyRuns(TooMany):
    """The tenant has too many active runs; the next one can begin when one of them has ended."""

    code = "too-many-runs"

    def __init__(self, most: int) -> None:
        super().__init__(f"You have {most} active runs, which is as many as you may have; wait until one has ended.")


class Overloaded(BranchlineError):
    """The server as a whole has too much to do, or too much to keep; nothing was changed."""

    code = "overloaded"

    def __init__(self) -> None:
        super().__init__("The server has more to do than it can bear; nothing was changed. Try again shortly.")


def refuse_full(full: Full | None, own: Callable[[], TooMany] = TooManyRequests) -> None:
    """Refuse what there is no room for; `own` is how, where it is the tenant that has too much.

    Raises:
        TooMany, Overloaded: there is no room, for the tenant or for all.
    """
    if full is not None:
        raise Overloaded() if full is Full.ALL else own()
