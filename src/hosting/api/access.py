"""Which roles a route takes: looked up where the route is declared, and checked before it is called."""

from collections.abc import Mapping
from typing import Any, Final, cast

from litestar import Request
from litestar.types import Scope

from hosting.api.caller import require
from hosting.domain.admission import Unauthenticated
from hosting.domain.identity import Identity, Role

ROLES: Final = "roles"
_IDENTITY: Final = "branchline.identity"


def open_to(*roles: Role) -> Mapping[str, frozenset[Role]]:
    """Say in the `opt` of a route who may ask for it."""
    return {ROLES: frozenset(roles)}


def roles_of(opt: Mapping[str, Any]) -> frozenset[Role] | None:
    """Return which roles a route takes; None when it needs no caller."""
    roles: frozenset[Role] | None = opt.get(ROLES)
    return roles


def note_identity(scope: Scope, identity: Identity) -> None:
    """Note who is asking."""
    cast("dict[str, object]", scope)[_IDENTITY] = identity


def identity_of(scope: Scope) -> Identity:
    """Return who is asking.

    Raises:
        Unauthenticated: nobody has looked.
    """
    identity = scope.get(_IDENTITY)
    if not isinstance(identity, Identity):
        raise Unauthenticated
    return identity


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
