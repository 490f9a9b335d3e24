"""What is known of arms, read once a second however often it is asked for."""

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from hosting.domain.arm import Arm
from hosting.domain.posterior import NOTHING_KNOWN, Posterior
from hosting.domain.scope import TenantId
from hosting.ports.routing import RoutingStore

_FRESH_SECONDS: Final = 1.0
_MOST_KEPT: Final = 10_000


class KnownPosteriors:
    """Remembers posteriors for a second; `seconds` tells the time that has passed since some moment."""

    def __init__(self, store: RoutingStore, seconds: Callable[[], float]) -> None:
        self._store = store
        self._seconds = seconds
        self._kept: OrderedDict[Arm, tuple[float, Posterior]] = OrderedDict()
        self._drops = 0

    async def of(self, tenant: TenantId, work_type: str, providers: Sequence[str]) -> Mapping[str, Posterior]:
        """Return what is known of providers, in their order.

        Raises:
            StorageUnavailable: it cannot be read now.
        """
        arms = {provider: Arm(tenant, provider, work_type) for provider in providers}
        now = self._seconds()
        fresh = {name: kept[1] for name, arm in arms.items() if (kept := self._fresh(arm, now)) is not None}
        missing = [name for name in arms if name not in fresh]
        if missing:
            drops = self._drops
            read = await self._store.posteriors(tenant, work_type, missing)
            fresh |= {name: read.get(name, NOTHING_KNOWN) for name in missing}
            # What was learnt meanwhile may not be in what was read.
            if drops == self._drops:
                self._keep({arms[name]: fresh[name] for name in missing}, now)
        return {name: fresh[name] for name in arms}

    def drop(self, arm: Arm) -> None:
        """Forget an arm of which something was learnt."""
        self._drops += 1
        self._kept.pop(arm, None)

    def _fresh(self, arm: Arm, now: float) -> tuple[float, Posterior] | None:
        kept = self._kept.get(arm)
        return kept if kept is not None and now - kept[0] < _FRESH_SECONDS else None

    def _keep(self, read: Mapping[Arm, Posterior], now: float) -> None:
        for arm, posterior in read.items():
            self._kept[arm] = now, posterior
            self._kept.move_to_end(arm)
        while len(self._kept) > _MOST_KEPT:
            self._kept.popitem(last=False)
