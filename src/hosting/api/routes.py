"""All routes of the native API."""

from typing import Final

from litestar.types import ControllerRouterHandler

from hosting.api import branches, fork, health, inputs, interrupt, live, log, queue, responses, runs, sessions, socket

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
    branches.list_siblings,
    branches.list_agent_siblings,
    branches.get_tree,
    fork.post_fork,
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
)
