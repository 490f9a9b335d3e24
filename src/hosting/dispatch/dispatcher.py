"""Picks up runs on this node, keeps their leases, and takes up again what a crash left behind."""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress

import structlog

from events.ids import RunId
from hosting.dispatch.patience import Patience
from hosting.domain.errors import StorageUnavailable
from hosting.domain.lease import Holder, Lease
from hosting.domain.run import Run
from hosting.ports.store import Leases
from hosting.runtime.execute import Executor
from hosting.runtime.run_quota import RunQuota
from middleware.errors import Withdrawn

_log = structlog.get_logger("branchline.dispatch")

_AT_ONCE = 256
_DEAF_SECONDS = 1.0


class Dispatcher:
    """Executes each run that this node holds in a task of its own, and renews their leases at a third of their length.

    It holds what it has accepted, and what it claims because nobody holds it any more.

    What it works on is counted, and it claims no more than it may work on: others are claimed when some have ended.

    A node that cannot renew stops its runs before the leases run out, so that two nodes never work on one. It gives
    them back when it can, so that a store that is away uses up the attempts of none.
    """

    def __init__(
        self,
        executor: Executor,
        leases: Leases,
        holder: Holder,
        runs: RunQuota,
        *,
        sweep_seconds: float,
        tell_unowned: Callable[[], None] = lambda: None,
    ) -> None:
        self._executor = executor
        self._runs = runs
        self._leases = leases
        self._node = holder.node
        self._lease_seconds = holder.seconds
        self._sweep_seconds = sweep_seconds
        self._tell_unowned = tell_unowned
        self._running: dict[RunId, asyncio.Task[None]] = {}
        self._held: set[RunId] = set()
        self._stopped: set[RunId] = set()
        self._was_away = False
        self._giving_back = asyncio.Lock()
        self._tasks = asyncio.TaskGroup()
        self._leaving = False
        self._news = asyncio.Event()
        self._patience = Patience()

    def accepted(self, lease: Lease) -> None:
        """Take a run that this node holds; on the way out it is only given back."""
        if self._leaving:
            self._held.add(lease.run.id)
        else:
            self._start(lease)

    async def run(self, ready: asyncio.Event) -> None:
        """Dispatch until cancelled; sets `ready` once everything left behind by a crash has been looked at.

        On the way out, runs that are under way are stopped. After `leave` they are also given back uncounted, to be
        taken up by the next server; when the server breaks they are not, since one of them may have broken it.
        """
        try:
            async with self._tasks:
                await self._sweep()
                ready.set()
                self._tasks.create_task(self._renew_forever(), name="lease renewal")
                await self._sweep_forever()
        finally:
            if self._leaving:
                with suppress(StorageUnavailable):
                    await self._give_back()

    def look(self) -> None:
        """Look for runs that nobody holds at once, not when it is time."""
        self._news.set()

    def leave(self) -> None:
        """Know that the server stops in good order: nothing is begun any more."""
        self._leaving = True

    async def finish(self, seconds: float) -> None:
        """Leave: give the runs that are under way so long to end, then stop and give back those that have not."""
        self.leave()
        running = set(self._running.values())
        if running:
            _, running = await asyncio.wait(running, timeout=seconds)
        for _ in range(2):
            # An agent that does not hear the first time is left behind.
            for task in running:
                task.cancel()
            if running:
                _, running = await asyncio.wait(running, timeout=_DEAF_SECONDS)
        with suppress(StorageUnavailable):
            await self._give_back()

    async def _sweep_forever(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._sweep_seconds):
                    await self._news.wait()
            self._news.clear()
            await self._sweep()

    async def _sweep(self) -> None:
        """Give back what is held and not under way; then claim what nobody holds, unless on the way out."""
        try:
            await self._give_back()
            while not self._leaving and (room := min(_AT_ONCE, self._runs.room)):
                unowned, is_back = await self._leases.unowned(room), self._was_away
                self._was_away = False
                # Behind a time without a store the others come first, to give back what they could not renew.
                if is_back or not unowned or not await self._claim(unowned):
                    return
        except StorageUnavailable as error:
            self._was_away = True
            _log.warning("cannot give back or look for runs", why=error.why)

    async def _claim(self, wanted: Iterable[RunId]) -> list[Lease]:
        runs = [run for run in wanted if run not in self._running]
        if not runs:
            return []
        try:
            claimed = await self._leases.claim(runs, self._node, self._lease_seconds)
        except StorageUnavailable as error:
            # They are stored; the next sweep finds them.
            _log.warning("cannot claim runs", why=error.why, runs=len(runs))
            return []
        for lease in claimed:
            self.accepted(lease)
        return claimed

    def _start(self, lease: Lease) -> None:
        task = self._tasks.create_task(self._execute(lease), name=f"run {lease.run.id}")
        self._running[lease.run.id] = task
        self._held.add(lease.run.id)
        self._runs.began(lease.run)
        task.add_done_callback(lambda done: self._forget(lease.run, done))

    def _forget(self, run: Run, task: asyncio.Task[None]) -> None:
        self._runs.ended(run)
        self._stopped.discard(run.id)
        if self._running.get(run.id) is task:
            del self._running[run.id]
        if run.id in self._held and not self._leaving:
            self.look()

    async def _execute(self, lease: Lease) -> None:
        try:
            await self._executor.execute(lease)
        except StorageUnavailable as error:
            _log.warning("run put off", run=lease.run.id, why=error.why)
            # A sweep gives it back, but not at once: it would be begun again and again while a disk is full.
            await asyncio.sleep(self._sweep_seconds)
            return
        except Withdrawn as error:
            # At a worker that is how a run ends which its server has ended; what is lost is told of where it is seen.
            tell = _log.warning if lease.worker_attempts is None else _log.info
            tell("run withdrawn", run=lease.run.id, why=str(error))
        except asyncio.CancelledError:
            if not self._leaving and lease.run.id not in self._stopped:
                # Its own doing, and counted as that.
                self._held.discard(lease.run.id)
            raise
        except Exception:  # noqa: BLE001 - the outermost loop of a run
            # The lease is not renewed any more: the run is taken up again, and given up after its last attempt.
            _log.exception("run execution broke", run=lease.run.id)
        self._held.discard(lease.run.id)

    async def _renew_forever(self) -> None:
        loop = asyncio.get_running_loop()
        sure_until = loop.time() + self._lease_seconds
        while True:
            await asyncio.sleep(self._lease_seconds / 3)
            asked_at, held = loop.time(), list(self._running)
            try:
                if held:
                    # Never so long that a run would be stopped too late, nor so short, after a pause of this
                    # process, that no answer could come in time.
                    patience = min(self._lease_seconds / 3, sure_until - self._lease_seconds / 6 - asked_at)
                    await self._patience.within(max(patience, self._lease_seconds / 12), self._renew(held))
                sure_until = asked_at + self._lease_seconds
            except (StorageUnavailable, TimeoutError) as error:
                why = error.why if isinstance(error, StorageUnavailable) else "no answer in time"
                _log.warning("cannot renew leases", why=why, runs=len(held))
                if loop.time() + self._lease_seconds / 3 >= sure_until:
                    # They stay held: when the store is back, a sweep gives them back.
                    self._stop(held, "the lease could not be renewed")
                    # What is accepted from now on has a lease of its own; none of those that lapsed is left.
                    sure_until = loop.time() + self._lease_seconds

    async def _renew(self, held: list[RunId]) -> None:
        lost = await self._leases.renew(held, self._node, self._lease_seconds)
        # Those that were stopped before are only slow to end: they are given back all the same.
        self._held -= lost - self._stopped
        self._stop(lost, "the lease was lost")

    def _stop(self, runs: Iterable[RunId], why: str) -> None:
        for run_id in runs:
            task = self._running.get(run_id)
            if task is not None:
                _log.warning("stopping a run", run=run_id, why=why)
                self._stopped.add(run_id)
                task.cancel()

    async def _give_back(self) -> None:
        """Give back uncounted what is held and not under way.

        Raises:
            StorageUnavailable: the next sweep has to try again.
        """
        async with self._giving_back:
            idle = self._held.difference(self._running)
            if not idle:
                return
            await self._leases.release(idle, self._node)
            self._held -= idle
            self._tell_unowned()
