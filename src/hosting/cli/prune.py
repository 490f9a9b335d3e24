"""`branchline prune`."""

import asyncio
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import rich_click as click

from events.ids import is_client_id
from hosting.adapters.sql.pruning import SqlPruning
from hosting.adapters.sql.trimming import SqlRetention
from hosting.adapters.sql.visit import Visited, visit
from hosting.cli.aside import note, refuse
from hosting.cli.counting import counted
from hosting.domain.errors import BranchlineError, StorageUnavailable
from hosting.domain.scope import LOCAL_TENANT, TenantId
from hosting.ports.clock import system_clock
from hosting.ports.retention import Trimming
from hosting.settings import load_settings

_WHO: Final = "branchline prune"
_PATIENCE_SECONDS: Final = 600.0
_AGE: Final = re.compile(r"(\d{1,6})([smhdw])", re.ASCII)
_UNITS: Final = {
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
_OLDEST: Final = timedelta(days=100 * 365)
_MOST_EVENTS: Final = 2**53
"""More than that no log has: a position holds no larger number."""


class Age(click.ParamType[timedelta]):
    """How old something is, as people write it."""

    name = "age"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """Read `30d`."""
        match = _AGE.fullmatch(value)
        if match is None:
            self.fail(f"{value!r} is no age; write a number and s, m, h, d or w, such as 30d.", param, ctx)
        age = int(match[1]) * _UNITS[match[2]]
        if age > _OLDEST:
            self.fail(f"{value} is longer ago than anything here can be.", param, ctx)
        return age


@dataclass(frozen=True, slots=True)
class Pruning:
    """What is to go, of one tenant's; with `dry` it is only told."""

    tenant: TenantId
    now: datetime
    dry: bool
    older_than: timedelta | None
    keep_events: int | None
    events_older_than: timedelta | None

    @property
    def trims(self) -> bool:
        """Whether logs lose their beginnings, and sessions stay."""
        return self.keep_events is not None or self.events_older_than is not None


@click.command()
@click.option("--older-than", type=Age(), help="Sessions in which nothing has happened for so long, such as 30d.")
@click.option(
    "--keep-events", type=click.IntRange(0, _MOST_EVENTS), help="Keep sessions, and so many events of each log."
)
@click.option("--events-older-than", type=Age(), help="Keep sessions; drop events of runs that ended so long ago.")
@click.option("--tenant", default=LOCAL_TENANT, show_default=True, help="Whose.")
@click.option("--dry-run", is_flag=True, help="Change nothing, and tell what would go.")
def prune(
    older_than: timedelta | None,
    keep_events: int | None,
    events_older_than: timedelta | None,
    tenant: str,
    dry_run: bool,  # noqa: FBT001 - click hands options over by name
) -> None:
    """Delete sessions that nobody uses any more, or only the beginnings of logs.

    A session with a run that is active or waits stays as it is, and so does what a run of a log still needs. The
    settings say in which database; servers may be on it. What is deleted is printed, an id a line.
    """
    if older_than is None and keep_events is None and events_older_than is None:
        raise click.UsageError("Say what is to go: --older-than 30d, for one, or --keep-events 1000.")
    if not is_client_id(tenant):
        raise click.UsageError("--tenant takes 1 to 128 of A-Z a-z 0-9 . _ ~ -.")
    wanted = Pruning(TenantId(tenant), system_clock(), dry_run, older_than, keep_events, events_older_than)
    try:
        asyncio.run(_prune(load_settings().database_url.reveal(), wanted))
    except StorageUnavailable as error:
        refuse(_WHO, f"The database cannot be used now: {error.why.rstrip('.')}. What is printed is done.")
    except BranchlineError as error:
        refuse(_WHO, str(error))


async def _prune(url: str, wanted: Pruning) -> None:
    def migrating(place: str) -> None:
        note(f"Bringing the tables of {place} up to date.")

    async with visit(url, migrating, patience_seconds=_PATIENCE_SECONDS) as visited:
        await (_trim(visited, wanted) if wanted.trims else _remove(visited, wanted))


async def _remove(visited: Visited, wanted: Pruning) -> None:
    pruning = SqlPruning(*visited, wanted.tenant)
    before = wanted.now - (wanted.older_than or timedelta())
    behind, count = "", 0
    while found := await pruning.idle(before, behind):
        for session in found:
            if wanted.dry or await pruning.remove(session.id, before):
                print(session.id, flush=True)
                count += 1
        behind = found[-1].id
    note(f"{counted(count, 'session')} {_would(wanted, count)} deleted.")


async def _trim(visited: Visited, wanted: Pruning) -> None:
    retention = SqlRetention(*visited)
    trimming = Trimming(
        ended_before=wanted.now - (wanted.events_older_than or timedelta()),
        keep_events=wanted.keep_events or 0,
        tenant=wanted.tenant,
        idle_since=None if wanted.older_than is None else wanted.now - wanted.older_than,
    )
    logs = events = 0
    behind = -1
    while wishes := await retention.wishes(trimming, behind):
        for wish in wishes:
            if not wanted.dry:
                await retention.grant(wish)
            logs, events = logs + (wish.events > 0), events + wish.events
        behind = wishes[-1].branch
    note(f"Up to {counted(events, 'event')} of {counted(logs, 'log')} {_would(wanted, events)} dropped.")


def _would(wanted: Pruning, count: int) -> str:
    if wanted.dry:
        return "would be"
    return "is" if count == 1 else "are"
