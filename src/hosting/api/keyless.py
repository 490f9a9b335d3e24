"""Who needs no key: whoever is on the machine that the server is on, by its own names."""

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from typing import Final

from litestar.types import Scope

from hosting.api.origin import Origin, leads_here_only
from hosting.domain.admission import Unauthenticated
from hosting.domain.identity import LOCAL, Identity

_NEEDS_KEY: Final = (
    "Who asks from another machine must send `Authorization: Bearer <key>`; `branchline keys create` makes keys."
)
_FOREIGN_NAME: Final = (
    "Who asks for a server by a name that others can make lead here must send `Authorization: Bearer <key>`; "
    "ask for 127.0.0.1 or localhost, or list the name's origin in BRANCHLINE_ORIGINS."
)
# What a proxy says: it may be on this machine, but who asks it need not be, and can have sent any address along.
_OF_PROXIES: Final = frozenset(
    {
        b"cf-connecting-ip",
        b"forwarded",
        b"true-client-ip",
        b"via",
        b"x-client-ip",
        b"x-forwarded-for",
        b"x-forwarded-host",
        b"x-original-host",
        b"x-real-ip",
    }
)


class Keyless:
    """Tells whether somebody who shows nothing may come in.

    `host` is where the server was told to listen, `listed` are the origins that its operator trusts, and `public_url`
    is where others reach it.

    A page whose name is made to lead to 127.0.0.1 (DNS rebinding) comes from this machine too, in its user's browser;
    what gives it away is the name in `Host`.
    """

    def __init__(self, host: str, listed: Iterable[str] = (), public_url: str | None = None) -> None:
        origins = [Origin.parse(each) for each in (*listed, public_url or "")]
        self._hosts = frozenset({host.lower(), *(origin.host for origin in origins if origin is not None)})

    def identify(self, scope: Scope) -> Identity:
        """Return who is asking.

        Raises:
            Unauthenticated: somebody of another machine, or a page of somebody else's.
        """
        if not is_local(scope) or any(name in _OF_PROXIES for name, _ in scope["headers"]):
            raise Unauthenticated(_NEEDS_KEY)
        if not _is_file(scope) and not self._is_asked_by_name(scope):
            raise Unauthenticated(_FOREIGN_NAME)
        return LOCAL

    def _is_asked_by_name(self, scope: Scope) -> bool:
        hosts = [value for name, value in scope["headers"] if name == b"host"]
        if not hosts:
            # Browsers always say it.
            return True
        asked = Origin.parse(f"http://{hosts[0].decode('latin-1')}") if len(hosts) == 1 else None
        return asked is not None and (asked.host in self._hosts or leads_here_only(asked.host))


def is_local(scope: Scope) -> bool:
    """Say whether who is asking is on the machine that the server is on, as far as the connection tells."""
    client = scope.get("client")
    if client is not None:
        return _is_loopback(client[0])
    # A peer that has gone by now has no address either: only a socket that is a file says that it is near.
    return _is_file(scope)


def _is_file(scope: Scope) -> bool:
    """Say whether a request came by no port: by a socket that is a file, or from within this process."""
    server = scope.get("server")
    return server is not None and server[1] is None


@lru_cache(maxsize=1024)
def _is_loopback(host: str) -> bool:
    try:
        address = ip_address(host)
    except ValueError:
        return False
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped.is_loopback
    return address.is_loopback
