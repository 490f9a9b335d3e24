"""All routes of the fleet."""

from typing import Final

from litestar.handlers import HTTPRouteHandler

from hosting.api.fleet import relay, reports, workers

ROUTES: Final[tuple[HTTPRouteHandler, ...]] = (
    workers.register,
    workers.poll,
    reports.post_status,
    reports.post_completion,
    relay.post_token_delta,
)
