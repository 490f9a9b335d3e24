"""The one request that a token which is too old still opens: that of its own worker for the next one."""

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
