"""The site that a page in a browser comes from (RFC 6454)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from typing import Final

_FORM: Final = re.compile(r"([a-z][a-z0-9+.-]*)://([a-z0-9._-]+|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?")
_DEFAULT_PORTS: Final[Mapping[str, int]] = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Origin:
    """A scheme, a host and a port in the one form that browsers give them; `port` is None where it is the default."""

    scheme: str
    host: str
    port: int | None = None

    @classmethod
    def parse(cls, text: str) -> "Origin | None":
        """Read `scheme://host[:port]`; None when it is anything else."""
        # Lower-casing makes ASCII letters of some that are none, and with them another host.
        found = _FORM.fullmatch(text.lower()) if text.isascii() else None
        if found is None:
            return None
        scheme, host, digits = found.groups()
        port = int(digits) if digits else None
        if port is not None and not 0 < port < 65_536:
            return None
        try:
            return cls(scheme, _comparable(host), None if port == _DEFAULT_PORTS.get(scheme) else port)
        except ValueError:
            return None

    def __str__(self) -> str:
        return f"{self.scheme}://{self.host}" + ("" if self.port is None else f":{self.port}")


def leads_here_only(host: str) -> bool:
    """Say whether nobody can make a host lead to this machine who has no say on it: an address, or localhost."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


def _comparable(host: str) -> str:
    """Return a host as browsers write it: an IPv6 address has many spellings, and they use the shortest."""
    return f"[{IPv6Address(host[1:-1])}]" if host.startswith("[") else host
