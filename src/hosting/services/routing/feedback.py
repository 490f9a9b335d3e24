"""Learning what a provider has brought."""

from hosting.domain.observation import Observation
from hosting.services.routing.core import Router


async def record(router: Router, observation: Observation) -> bool:
    """Learn from an observation, durably; False when it was learnt from before, which changes nothing.

    Raises:
        StorageUnavailable: it cannot be kept now.
    """
    try:
        return await router.store.learn(observation)
    finally:
        # Also of what failed: it may be kept all the same.
        router.sampler.known.drop(observation.arm)
