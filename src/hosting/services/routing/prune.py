"""Forgetting, now and then, what routers do not need any more."""

import asyncio

import structlog

from hosting.domain.errors import StorageUnavailable
from hosting.services.routing.core import Router

_log = structlog.get_logger("branchline.routing")


async def watch_routing(router: Router, *, every_seconds: float) -> None:
    """Do so until cancelled; every server does it for all tenants."""
    while True:
        await asyncio.sleep(every_seconds)
        try:
            if forgotten := await router.store.prune(router.clock()):
                _log.info("observations and arms were forgotten", rows=forgotten)
        except StorageUnavailable as error:
            _log.warning("cannot look after what routers have learnt", why=error.why)
