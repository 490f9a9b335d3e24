"""All routes of the native API."""

from typing import Final

from litestar.types import ControllerRouterHandler

from hosting.api import branches, health, inputs, live, log, runs, sessions

ROUTES: Final[tuple[ControllerRouterHandler, ...]] = (
    health.healthz,
    health.readyz,
    sessions.post_session,
    sessions.list_sessions,
    sessions.get_session,
    branches.post_branch,
    branches.list_branches,
    branches.get_branch,
    branches.get_agent_branch,
    inputs.post_input,
    live.get_live,
    log.get_events,
    log.get_agent_events,
    runs.list_runs,
    runs.list_agent_runs,
    runs.get_active_run,
    runs.get_agent_active_run,
    runs.get_run,
    runs.get_agent_run,
)
