"""The audit says who did what with which names, and neither stops nor fails whoever does it."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from hosting.domain.audit_entry import AuditAction, AuditEntry
from hosting.domain.errors import StorageUnavailable
from hosting.domain.identity import LOCAL
from hosting.domain.scope import TenantId
from hosting.services.credentials.trail import Trail
from tests.credentials.safe import Safe
from tests.harness.process import ServerProcess

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Ledger:
    """An audit log in memory, which can be away."""

    def __init__(self) -> None:
        self.written: dict[str, AuditEntry] = {}
        self.is_away = False
        self.forgets_nothing = False
        self.refused = ""
        self.grew = asyncio.Event()
        self.forgot = asyncio.Event()
        self.forgotten: list[datetime] = []

    async def add(self, entries: Sequence[AuditEntry]) -> None:
        if self.is_away:
            raise StorageUnavailable("away")
        if any(self.refused in each.names for each in entries):
            raise ValueError("not like this")
        self.written |= {each.id: each for each in entries}
        self.grew.set()

    async def entries(self, tenant: TenantId, most: int, before: int | None = None) -> list[AuditEntry]:
        return list(self.written.values())[:most]

    async def forget(self, before: datetime) -> None:
        if self.forgets_nothing:
            self.forgot.set()
            raise ValueError("not like this")
        self.forgotten.append(before)
        self.forgot.set()


def trail_of(ledger: Ledger, most: int = 5) -> Trail:
    """Return a trail that leads there."""
    numbers = count(1)
    return Trail(ledger, lambda: NOW, lambda: f"aud_{next(numbers)}", most)


async def test_everything_is_written_down_with_who_did_it(safe: Safe, tenant: str) -> None:
    async with safe.operator(tenant) as operator, safe.holder(tenant) as holder:
        await operator.set("B", "canary", project="web")
        await operator.set("A", "canary")
        await holder.env(projectId="web", envName="staging")
        await operator.rotate(tenant, "github")
        await operator.delete("A")
        entries = await operator.audit(5)
        page = (await operator.http.get("/credentials/audit", params={"limit": 2})).json()
        rest = (await operator.http.get("/credentials/audit", params={"before": page["next"]})).json()

    told = [(each["action"], each["names"], each.get("project"), each.get("environment")) for each in entries]
    assert told == [
        ("set", ["B"], "web", None),
        ("set", ["A"], None, None),
        ("snapshot", ["A", "B"], "web", "staging"),
        ("rotated", ["github"], None, None),
        ("deleted", ["A"], None, None),
    ]
    assert entries[2]["by"] == holder.key_id
    assert len({each["by"] for each in entries}) == 2
    assert [*page["entries"], *rest["entries"]] == entries[::-1]
    assert "next" not in rest
    assert "canary" not in repr(entries)


async def test_a_tenant_sees_its_own_alone(safe: Safe, tenant: str) -> None:
    async with safe.operator(tenant) as operator, safe.operator(f"{tenant}-other") as other:
        await operator.set("A", "x")
        await operator.audit(1)

        seen = (await other.http.get("/credentials/audit")).json()

    assert seen == {"entries": []}


async def test_what_waits_is_written_when_the_server_is_told_to_stop(
    make_server: Callable[..., ServerProcess], sqlite_url: str
) -> None:
    server = make_server(sqlite_url).start()
    office = Safe(server, server.folder / "none")
    async with office.client() as http:
        for at in range(20):
            await http.put(f"/credentials/N{at}", json={"value": "x"})
    status = server.terminate()

    rows = await office.execute("SELECT action FROM credential_audit")

    assert (status, rows) == (0, [("set",)] * 20)


async def test_what_is_noted_while_the_store_is_away_is_written_when_it_is_back() -> None:
    ledger = Ledger()
    trail = trail_of(ledger)
    ledger.is_away = True
    trail.note(LOCAL, AuditAction.SET, names=("A",))
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(trail.run())
        await asyncio.sleep(0)
        ledger.is_away = False
        trail.note(LOCAL, AuditAction.DELETED, names=("A",))
        async with asyncio.timeout(10):
            await ledger.grew.wait()
        running.cancel()

    assert [each.action for each in ledger.written.values()] == [AuditAction.SET, AuditAction.DELETED]


async def test_what_the_store_will_never_take_keeps_nothing_back() -> None:
    ledger = Ledger()
    trail = trail_of(ledger, most=500)
    ledger.refused = "N7"
    for at in range(150):
        trail.note(LOCAL, AuditAction.SET, names=(f"N{at}",))

    await trail.flush()

    assert [each.names for each in ledger.written.values()] == [(f"N{at}",) for at in range(150) if at != 7]
    assert trail.dropped == 0


async def test_too_many_are_counted_and_told_and_the_first_ones_are_kept() -> None:
    ledger = Ledger()
    trail = trail_of(ledger, most=5)
    for at in range(8):
        trail.note(LOCAL, AuditAction.SET, names=(f"N{at}",))

    dropped = trail.dropped
    await trail.flush()

    assert dropped == 3
    assert [each.names for each in ledger.written.values()] == [(f"N{at}",) for at in range(5)]


async def test_what_cannot_be_written_when_the_server_leaves_does_not_keep_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    ledger = Ledger()
    trail = trail_of(ledger)
    ledger.is_away = True
    trail.note(LOCAL, AuditAction.SET)

    async with asyncio.timeout(5):
        await trail.flush()

    assert ledger.written == {}
    assert "entries of the audit were lost" in capsys.readouterr().out


async def test_entries_of_long_ago_are_forgotten() -> None:
    ledger = Ledger()
    trail = trail_of(ledger)
    trail.note(LOCAL, AuditAction.SET)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(trail.run())
        async with asyncio.timeout(10):
            await ledger.forgot.wait()
        running.cancel()

    assert ledger.forgotten == [NOW - timedelta(days=90)]


async def test_entries_that_cannot_be_forgotten_do_not_end_the_writing() -> None:
    ledger = Ledger()
    ledger.forgets_nothing = True
    trail = trail_of(ledger)
    trail.note(LOCAL, AuditAction.SET)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(trail.run())
        async with asyncio.timeout(10):
            await ledger.forgot.wait()
            ledger.grew.clear()
            trail.note(LOCAL, AuditAction.DELETED)
            await ledger.grew.wait()
        running.cancel()

    assert [each.action for each in ledger.written.values()] == [AuditAction.SET, AuditAction.DELETED]
