"""The door by which runs ask who is to do their work."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from hosting.domain.arm import Arm
from hosting.domain.scope import TenantId


class Router(Protocol):
    """Chooses among candidates by what they have brought; what comes of a choice is stored with the end of its run."""

    async def choose(self, tenant: TenantId, work_type: str, candidates: Sequence[str]) -> str:
        """Return one of the candidates, of which there is at least one.

        It is the first when nobody is to choose, and when what is known of them cannot be read now.
        """
        ...

    def learnt(self, arms: Iterable[Arm]) -> None:
        """Know that something was stored of arms: the next choice is to know of it."""
        ...
