"""Signs of life for whoever operates the server."""

from litestar import get
from litestar.di import NamedDependency
from msgspec import Struct

from hosting.api.openapi import answers
from hosting.api.problems import ApiError
from hosting.api.readiness import Readiness


class Health(Struct, frozen=True):
    """The state of the server."""

    status: str


@get("/healthz", responses=answers())
async def healthz() -> Health:
    """Say that the process answers."""
    return Health("ok")


@get("/readyz", responses=answers("not-ready"))
async def readyz(readiness: NamedDependency[Readiness]) -> Health:
    """Say whether requests are welcome: recovery has run, the storage answers, and the server is not on its way out."""
    why_not = await readiness.why_not()
    if why_not is not None:
        raise ApiError("not-ready", why_not)
    return Health("ready")
