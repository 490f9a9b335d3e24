"""What the routes of routing answer when the store fails: nobody who asks for a provider is to fail for that."""

import re
from typing import Any, Final

import msgspec
import structlog
from litestar import MediaType, Request, Response
from litestar.enums import ScopeType
from litestar.types import Scope
from msgspec import UNSET, Struct, UnsetType

from hosting.api.farewell import Farewell, may_send_more
from hosting.domain.errors import StorageUnavailable
from hosting.domain.routing import ChosenBy

_log = structlog.get_logger("branchline.routing")

SELECT_SECONDS: Final = 1.2
"""How long the store may take to tell who asks, and then to choose; workers wait for three in all."""
RECORD_SECONDS: Final = 4.0
"""How long it may take to tell who asks, and then to learn; workers wait for ten in all."""

_ROUTE: Final = re.compile(r"/api/sessions/[^/]+/routing-(select|feedback|observation)/?")


class SelectionView(Struct, frozen=True, kw_only=True, rename="camel"):
    """The provider to take, or null where it is left to who asks; what is expected of it is there with it alone."""

    selected_provider: str | None
    source: ChosenBy
    expected_reward: float | UnsetType = UNSET
    confidence: float | UnsetType = UNSET


class RecordedView(Struct, frozen=True):
    """Whether it is known now; false when the store failed, and then the same may be said again."""

    recorded: bool


class RoutingTolerance:
    """Says of requests how long their caller may be looked up, and what they are answered when that fails."""

    def __init__(self, *, enabled: bool) -> None:
        self._enabled = enabled

    def seconds(self, scope: Scope) -> float | None:
        """Return how long it may take; None when the request is for another route."""
        verb = _verb(scope)
        return None if verb is None else SELECT_SECONDS if verb == "select" else RECORD_SECONDS

    def answer(self, scope: Scope, why: object) -> Response[bytes]:
        """Return the answer of a route that has a time to look its caller up."""
        is_select = _verb(scope) == "select"
        said = nobody_chosen(why, enabled=self._enabled) if is_select else nothing_recorded(why)
        wanted = Farewell if may_send_more(Request[Any, Any, Any](scope)) else Response
        return wanted(msgspec.json.encode(said), media_type=MediaType.JSON)


def nobody_chosen(why: object, *, enabled: bool) -> SelectionView:
    """Answer a select that the store has failed."""
    _log.warning("the store failed who asked for a provider", why=_told(why))
    return SelectionView(selected_provider=None, source=ChosenBy.FALLBACK if enabled else ChosenBy.DISABLED)


def nothing_recorded(why: object) -> RecordedView:
    """Answer a feedback that the store has failed."""
    _log.warning("the store failed to keep an observation", why=_told(why))
    return RecordedView(recorded=False)


def _told(why: object) -> str:
    if isinstance(why, StorageUnavailable):
        return why.why
    # A timeout says nothing of itself.
    return str(why) or type(why).__name__


def _verb(scope: Scope) -> str | None:
    if scope["type"] != ScopeType.HTTP or scope["method"] != "POST":
        return None
    found = _ROUTE.fullmatch(scope["path"])
    return None if found is None else found[1]
