"""Which roles a route takes: looked up where the route is declared, and checked before it is called."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any, Final, cast

from litestar import Request
from litestar.types import Scope

from hosting.api.caller import require
from hosting.domain.admission import Unauthenticated
from hosting.domain.errors import StorageUnavailable
from hosting.domain.identity import Identity, Role

ROLES: Final = "roles"
_IDENTITY: Final = "branchline.identity"
_AGAIN: Final = "branchline.identity.again"

Again = Callable[[], Awaitable[Identity]]
"""Looks once more who is asking; raises Unauthenticated when what was shown opens nothing any more."""


def open_to(*roles: Role) -> Mapping[str, frozenset[Role]]:
    """Say in the `opt` of a route who may ask for it."""
    return {ROLES: frozenset(roles)}


def roles_of(opt: Mapping[str, Any]) -> frozenset[Role] | None:
    """Return which roles a route takes; None when it needs no caller."""
    roles: frozenset[Role] | None = opt.get(ROLES)
    return roles


def note_identity(scope: Scope, identity: Identity, again: Again | None = None) -> None:
    """Note who is asking, and how to look once more, if something was shown."""
    notes = cast("dict[str, object]", scope)
    notes[_IDENTITY] = identity
    if again is not None:
        notes[_AGAIN] = again


def identity_of(scope: Scope) -> Identity:
    """Return who is asking.

    Raises:
        Unauthenticated: nobody has looked.
    """
    identity = scope.get(_IDENTITY)
    if not isinstance(identity, Identity):
        raise Unauthenticated
    return identity


def can_end(scope: Scope) -> bool:
    """Say whether what was shown can come to open nothing: a key can be revoked, and a token grows too old."""
    return _AGAIN in scope


async def check_again(scope: Scope) -> None:
    """Make sure that who has been let in would be let in now, too.

    Raises:
        Unauthenticated: it would not.
        StorageUnavailable: nobody can tell.
    """
    again = cast("Again | None", scope.get(_AGAIN))
    if again is not None:
        await again()


async def until_ended(scope: Scope, every_seconds: float) -> None:
    """Return once who has been let in would be let in no more."""
    while True:
        await asyncio.sleep(every_seconds)
        try:
            # While nobody can tell, what was so before is so.
            with suppress(StorageUnavailable):
                await check_again(scope)
        except Unauthenticated:
            return


def check_access(scope: Scope) -> None:
    """Make sure that who is asking may ask for this route.

    Raises:
        Unauthenticated, Forbidden: it may not.
    """
    roles = roles_of(scope["route_handler"].opt)
    if roles is not None:
        require(identity_of(scope), roles)


async def check_request(request: Request[Any, Any, Any]) -> None:
    """Check a request before anything of it is read; WebSockets answer for themselves, see `api.socket`."""
    check_access(request.scope)
