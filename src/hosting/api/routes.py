"""All routes, and who may ask for which."""

from collections.abc import Iterable, Iterator
from copy import copy
from typing import Final

from litestar.handlers import HTTPRouteHandler, WebsocketRouteHandler

from hosting.api import (
    agents,
    branches,
    contents,
    credentials,
    fork,
    health,
    inputs,
    interrupt,
    live,
    load,
    log,
    queue,
    ratings,
    responses,
    runs,
    search,
    sessions,
    socket,
)
from hosting.api.access import open_to
from hosting.api.fleet import routes as fleet_routes
from hosting.api.openapi import PATH
from hosting.domain.identity import Role

RouteHandler = HTTPRouteHandler | WebsocketRouteHandler

OPEN: Final[tuple[RouteHandler, ...]] = (
    health.healthz,
    health.readyz,
    *fleet_routes.OPEN_ROUTES,
)
"""Routes that need no caller, however they are asked for."""

NATIVE: Final[tuple[RouteHandler, ...]] = (
    agents.post_agent,
    agents.list_agents,
    agents.get_agent,
    agents.put_agent,
    agents.delete_agent,
    sessions.post_session,
    sessions.list_sessions,
    sessions.get_session,
    sessions.patch_session,
    sessions.delete_session,
    search.search_sessions,
    branches.post_branch,
    branches.list_branches,
    branches.get_branch,
    branches.get_agent_branch,
    branches.list_siblings,
    branches.list_agent_siblings,
    branches.get_tree,
    fork.post_fork,
    branches.patch_branch,
    branches.delete_branch,
    inputs.post_input,
    responses.post_response,
    responses.list_interactions,
    responses.list_agent_interactions,
    interrupt.post_interrupt,
    queue.get_queue,
    queue.get_agent_queue,
    queue.delete_queued,
    queue.delete_agent_queued,
    live.get_live,
    socket.get_socket,
    socket.open_socket,
    log.get_events,
    log.get_agent_events,
    runs.list_runs,
    runs.list_agent_runs,
    runs.get_active_run,
    runs.get_agent_active_run,
    runs.get_run,
    runs.get_agent_run,
    ratings.post_rating,
    *contents.ROUTES,
)
"""Routes of who uses agents."""

FLEET: Final[tuple[RouteHandler, ...]] = fleet_routes.ROUTES
"""Routes that workers ask for, and who runs them."""

INTERVIEWS: Final[tuple[RouteHandler, ...]] = fleet_routes.INTERVIEW_ROUTES
"""Routes of who follows what workers do."""

OPERATING: Final[tuple[RouteHandler, ...]] = (load.get_load, *fleet_routes.OPERATOR_ROUTES, *credentials.ROUTES)
"""Routes of who runs the server and its workers."""

BY_KEY: Final[tuple[RouteHandler, ...]] = fleet_routes.WORKER_ROUTES
"""Routes of workers alone."""


SIGNS_OF_LIFE: Final = frozenset(path for handler in (health.healthz, health.readyz) for path in handler.paths)
"""Paths that are answered however much there is to do."""


def routes() -> list[RouteHandler]:
    """Return all routes with the roles that they take, which are said here and nowhere else."""
    return [
        *OPEN,
        *_open_to(NATIVE, Role.USER, Role.OPERATOR),
        *_open_to(FLEET, Role.WORKER, Role.OPERATOR),
        *_open_to(INTERVIEWS, Role.USER, Role.OPERATOR),
        *_open_to(OPERATING, Role.OPERATOR),
        *_open_to(BY_KEY, Role.WORKER),
    ]


def free_paths() -> frozenset[str]:
    """Return the paths that need no caller."""
    return frozenset({PATH, *(path for handler in OPEN for path in handler.paths)})


def _open_to(handlers: Iterable[RouteHandler], *roles: Role) -> Iterator[RouteHandler]:
    for handler in handlers:
        # A copy: two applications of one process share what the modules hold.
        declared = copy(handler)
        declared.opt = {**handler.opt, **open_to(*roles)}
        yield declared
