"""Whose share of the server a request takes, before anybody has looked who is asking."""

from collections import OrderedDict
from hashlib import blake2b
from typing import Final

from litestar.types import Scope

from hosting.api.keyless import is_local
from hosting.domain.identity import CallerKind, Identity
from hosting.domain.scope import LOCAL_TENANT
from hosting.domain.share import STRANGERS

_MOST_KNOWN: Final = 100_000
_WORKERS: Final = frozenset({CallerKind.WORKER, CallerKind.SHARED_KEY})


class Shares:
    """Remembers whose share came with what was shown.

    It opens nothing: who is asking is looked up each time. A crowd has to be told apart before that, since looking is
    the first thing of which there is not enough for all. Workers have a share of their own beside their tenant's users,
    whose crowds must not cost them their leases.
    """

    def __init__(self) -> None:
        self._known: OrderedDict[bytes, str] = OrderedDict()

    def share(self, scope: Scope) -> str:
        """Return whose share this request takes."""
        shown = _shown(scope)
        if shown is None:
            # Only who is on this machine needs to show nothing; all others are about to be sent away.
            return LOCAL_TENANT if is_local(scope) else STRANGERS
        share = self._known.get(shown, STRANGERS)
        if share is not STRANGERS:
            self._known.move_to_end(shown)
        return share

    def learn(self, scope: Scope, identity: Identity) -> None:
        """Remember who it was."""
        shown = _shown(scope)
        if shown is None:
            return
        self._known[shown] = f"{identity.tenant}\0workers" if identity.kind in _WORKERS else identity.tenant
        if len(self._known) > _MOST_KNOWN:
            self._known.popitem(last=False)

    def forget(self, scope: Scope) -> None:
        """Know no more whose share comes with what was shown: it opens nothing."""
        shown = _shown(scope)
        if shown is not None:
            self._known.pop(shown, None)


def _shown(scope: Scope) -> bytes | None:
    """Return what stands for what was shown; what was shown itself is not kept."""
    for name, value in scope["headers"]:
        if name == b"authorization":
            return blake2b(value, digest_size=16).digest()
    return None
