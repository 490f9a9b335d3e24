"""All routes of the fleet."""

from typing import Final

from litestar.handlers import HTTPRouteHandler

from hosting.api.fleet import (
    activity,
    credentials,
    daemon,
    dead_letters,
    files,
    gone,
    heartbeat,
    inbox,
    interactions,
    interview,
    lanes,
    lock_refresh,
    node,
    operating,
    polling,
    prompt,
    queue_routes,
    registration,
    relay,
    reports,
    routing,
    routing_metrics,
    run_credentials,
    status,
    tracker,
    units,
    workers,
)

ROUTES: Final[tuple[HTTPRouteHandler, ...]] = (
    registration.register,
    registration.refresh_token,
    heartbeat.beat,
    daemon.beat_daemon,
    workers.list_workers,
    workers.get_worker,
    workers.deregister,
    workers.get_config,
    polling.poll,
    queue_routes.post_claim,
    queue_routes.post_nack,
    queue_routes.post_transfer,
    queue_routes.get_offered,
    status.get_status,
    status.post_status,
    activity.post_activity,
    reports.post_completion,
    reports.post_progress,
    reports.post_external_urls,
    *files.ROUTES,
    tracker.post_tracker_call,
    gone.get_prompts,
    gone.post_prompts,
    lock_refresh.post_lock_refresh,
    inbox.post_ack,
    interactions.post_interaction,
    interactions.get_interaction,
    relay.post_token_delta,
    *routing.ROUTES,
    *node.ROUTES,
    units.post_units,
)

INTERVIEW_ROUTES: Final[tuple[HTTPRouteHandler, ...]] = (
    interview.get_interview_stream,
    interview.complete_interview,
    routing_metrics.get_routing_metrics,
)
"""Routes of who follows what workers do, and what is learnt from it."""

OPERATOR_ROUTES: Final[tuple[HTTPRouteHandler, ...]] = (
    operating.post_mutation,
    operating.put_host_status,
    dead_letters.list_dead,
    dead_letters.requeue,
    lanes.post_lane_work,
    lanes.list_lane,
    prompt.post_public_prompt,
    credentials.post_rotate,
)
"""Routes of who runs the fleet alone."""

WORKER_ROUTES: Final[tuple[HTTPRouteHandler, ...]] = (
    credentials.post_snapshot,
    credentials.get_rotate_stream,
    *run_credentials.ROUTES,
)
"""Routes of workers alone: what operators have set is read by whoever works with it."""

OPEN_ROUTES: Final[tuple[HTTPRouteHandler, ...]] = (
    daemon.register_daemon,
    lanes.post_batch_result,
    lanes.post_extraction_result,
)
"""Routes whose body says who is asking, or whose bearer opens one piece of work alone."""
