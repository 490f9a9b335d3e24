"""Whose share a request takes, before anybody has looked who is asking."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from litestar.types import Scope

from hosting.api.shares import Shares
from hosting.domain.identity import CallerKind, Identity, Role
from hosting.domain.scope import LOCAL_TENANT, TenantId
from hosting.domain.share import STRANGERS
from tests.edge.deadline import seconds_until
from tests.harness.process import ServerProcess
from tests.identity.office import Office
from tests.overload.tenant import Tenant, stalled, tenant


@pytest.mark.parametrize(
    ("client", "headers", "share"),
    [
        (("127.0.0.1", 4711), [], LOCAL_TENANT),
        (("203.0.113.7", 4711), [], STRANGERS),
        (None, [], STRANGERS),
        (("127.0.0.1", 4711), [(b"authorization", b"Bearer never-seen")], STRANGERS),
    ],
)
def test_only_who_is_near_takes_the_local_tenants_share_without_a_word(
    client: tuple[str, int] | None, headers: list[Any], share: str
) -> None:
    scope = {"client": client, "server": ("10.0.0.1", 8000), "headers": headers}

    assert Shares().share(cast("Scope", scope)) == share


def test_what_opens_nothing_any_more_has_nobodys_share() -> None:
    shown = cast("Scope", {"headers": [(b"authorization", b"Bearer seen")]})
    shares = Shares()

    shares.learn(shown, Identity(TenantId("acme"), CallerKind.KEY, frozenset({Role.USER})))
    known = shares.share(shown)
    shares.forget(shown)

    assert (known, shares.share(shown)) == ("acme", STRANGERS)


async def test_a_revoked_key_is_told_so_however_much_its_tenant_has_to_do(
    make_server: Callable[..., ServerProcess], sqlite_url: str
) -> None:
    server = make_server(sqlite_url, writes_waiting_per_tenant=1).start()
    office = Office(server, server.folder / "test.db.keys")
    known, key = await office.known_key("first", Role.USER)
    user, gone = await tenant(server, "first"), Tenant(server, key)
    operator = await tenant(server, "first", Role.OPERATOR)
    before = await gone.ask("GET", "/sessions")
    async with office.keys() as stored:
        await stored.revoke(known.id, datetime.now(UTC))
    await seconds_until(lambda: _is_unknown(gone), within=20)

    with stalled(server):
        waiting = asyncio.create_task(user.ask("POST", "/sessions", {}))
        await seconds_until(lambda: operator.sees("writes", 1), within=4)
        refused = [await gone.ask("POST", "/sessions", {}), await user.ask("POST", "/sessions", {})]
    await waiting

    assert before.status == 200
    assert [answer.status for answer in refused] == [401, 429]


async def _is_unknown(who: Tenant) -> bool:
    return (await who.ask("GET", "/sessions")).status == 401
