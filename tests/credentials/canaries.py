"""Secrets that can be told from everything else, in all the forms that they could be found in."""

from base64 import b64encode
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from urllib.parse import quote, quote_plus
from uuid import uuid4

_LEAST = 16
"""How long what is looked for is at least: nothing else has it by chance."""


@dataclass
class Canaries:
    """Secrets by their names, and what gives each away."""

    _needles: dict[str, dict[str, bytes]] = field(default_factory=dict)

    def new(self, name: str, *, plain: bool = False) -> str:
        """Return a new secret; one that is not plain has signs that a URL cannot hold."""
        core = uuid4().hex
        text = f"cnry{core}" + ("" if plain else "/+&=end")
        self._needles[name] = dict(forms_of(core.encode())) | {"a URL": quote(text, safe="").encode()}
        return text

    def known(self, name: str, secret: str | bytes, *, behind: int = 0) -> None:
        """Look for a secret that was made elsewhere; the first so many characters of it may be shown."""
        core = secret.encode() if isinstance(secret, str) else secret
        assert len(core) - behind >= _LEAST
        self._needles[name] = dict(forms_of(core[behind:]))

    @property
    def names(self) -> frozenset[str]:
        """Return what is looked for."""
        return frozenset(self._needles)

    def found_in(self, data: bytes, but: Collection[str] = ()) -> list[str]:
        """Return which of them, other than these, show in some bytes, and in what form."""
        return [
            f"{name} in {form}"
            for name, needles in self._needles.items()
            if name not in but
            for form, needle in needles.items()
            if needle in data
        ]


def forms_of(core: bytes) -> Iterator[tuple[str, bytes]]:
    """Return a secret in each form that it could be written in, wherever in a longer text it stands."""
    yield "itself", core
    yield "hexadecimal", core.hex().encode()
    yield "capital hexadecimal", core.hex().upper().encode()
    yield "every byte of a URL", "".join(f"%{byte:02x}" for byte in core).encode()
    yield "every byte of a URL, in capitals", "".join(f"%{byte:02X}" for byte in core).encode()
    yield "a form", quote_plus(core).encode()
    for before in range(3):
        encoded = b64encode(bytes(before) + core)
        # Without the characters at either end that have bits of what stands beside it.
        whole = encoded[-(-before * 8 // 6) : (before + len(core)) * 8 // 6]
        yield f"base64 behind {before}", whole
        yield f"base64url behind {before}", whole.replace(b"+", b"-").replace(b"/", b"_")
