"""Requests about a worker itself: what the token of one that is gone still opens, and what one that is too old does."""

import re
from typing import Final

from litestar.enums import ScopeType
from litestar.types import Scope

PATH: Final = "/api/workers/{worker_id:str}/refresh-token"

_RENEWAL: Final = re.compile(r"/api/workers/([^/]+)/refresh-token/?")


def renewed_worker(scope: Scope) -> str | None:
    """Return the id of the worker that a request wants a new token for; None when it wants something else."""
    if scope["type"] != ScopeType.HTTP or scope["method"] != "POST":
        return None
    found = _RENEWAL.fullmatch(scope["path"])
    return None if found is None else found[1]


def is_about(scope: Scope, worker_id: str) -> bool:
    """Say whether a request is about this worker itself, so that it hears whether it is known."""
    path = f"{scope['path']}/"
    return path.startswith((f"/api/workers/{worker_id}/", "/v1/daemon/heartbeat/"))
