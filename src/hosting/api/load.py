"""How much there is to do, for whoever operates the server."""

from litestar import get
from litestar.di import NamedDependency
from msgspec import Struct

from hosting.api.caller import Caller
from hosting.api.capacity import Capacity
from hosting.api.openapi import answers
from hosting.domain.quota import Quota


class CountView(Struct, frozen=True, kw_only=True, rename="camel"):
    """How much there is of something, how much there may be, and how much of that one tenant may have.

    `own` is what the caller's tenant has. Of connections, one address may have `mostOfOne`, and nobody knows whose
    they are.
    """

    now: int
    most: int
    most_of_one: int
    own: int | None = None


class LoadView(Struct, frozen=True, kw_only=True, rename="camel"):
    """What clients make the server have, on this node.

    `requests` are those that are worked on, `waiting` those whose turn has not come, `writes` changes that wait for the
    store.
    """

    connections: CountView
    streams: CountView
    runs: CountView
    requests: CountView
    waiting: CountView
    writes: CountView
    body_bytes: CountView


@get("/load", responses=answers())
async def get_load(caller: NamedDependency[Caller], capacity: NamedDependency[Capacity]) -> LoadView:
    """Say how much there is to do here, and how much there may be before the server refuses more."""
    tenant, requests = caller.tenant, capacity.requests
    return LoadView(
        connections=_count(capacity.connections, None),
        streams=_count(capacity.streams, tenant),
        runs=_count(capacity.runs, tenant),
        requests=CountView(
            now=requests.working,
            most=requests.at_once,
            most_of_one=requests.at_once_of_one,
            own=requests.working_of(tenant),
        ),
        waiting=_count(requests.waiting, tenant),
        writes=_count(capacity.writes, tenant),
        body_bytes=_count(capacity.body_bytes, tenant),
    )


def _count(quota: Quota[str], own: str | None) -> CountView:
    return CountView(
        now=quota.taken,
        most=quota.most,
        most_of_one=quota.most_of_one,
        own=None if own is None else quota.taken_by(own),
    )
