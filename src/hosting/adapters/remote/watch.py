"""What became of a worker's runs and questions, seen in one look at the server."""

from collections.abc import Collection
from contextlib import suppress
from typing import Final

import msgspec

from events.ids import RunId
from events.interruption import InterruptionSource
from hosting.adapters.remote.held import Held, HeldRuns
from hosting.domain.errors import StorageUnavailable
from hosting.domain.interaction import Interaction
from hosting.domain.interrupt import Interrupt
from hosting.domain.remote_run import Seen, Watched
from hosting.domain.wire_errors import ServerAway
from hosting.ports.wire import Wire

_LOST: Final = "The session is not this worker's any more."
_seen = msgspec.json.Decoder(Seen).decode


class RemoteWatch:
    """See the door, Watch; one look, which `overdue` makes, answers all its questions until the next."""

    def __init__(self, wire: Wire, held: HeldRuns) -> None:
        self._wire = wire
        self._held = held
        self._seen = Seen()
        self._looked: list[Held] = []

    async def look(self) -> Seen:
        """Look at once, also when nothing is held."""
        watched = [
            Watched(session_id=held.session_id, claim=held.claim, questions=sorted(held.questions))
            for held in self._held
        ]
        body = msgspec.json.encode({"sessions": watched})
        try:
            return _seen(await self._wire.call("POST", f"/api/workers/{self._wire.worker_id}/watch", body))
        except ServerAway as away:
            raise StorageUnavailable(away.why) from away

    async def overdue(self, limit: int) -> list[Interaction]:
        """Look, if there is anything to look for; what is overdue is the server's to expire."""
        self._seen, self._looked = Seen(), list(self._held)
        if self._looked:
            with suppress(StorageUnavailable):
                self._seen = await self.look()
        return []

    async def settled_among(self, request_ids: Collection[str]) -> set[str]:
        """See Watch.settled_among."""
        return {each.request_id for each in self._seen.settled}.intersection(request_ids)

    async def interrupts(self, run_ids: Collection[RunId]) -> list[Interrupt]:
        """See Watch.interrupts; a run that is lost is not to go on either."""
        # Not those that were lost and taken again meanwhile: what was seen is not said of them.
        looked = {held.session_id: held for held in self._looked if self._held.get(held.lease.run.id) is held}
        wishes = [
            wish.interrupt(looked[wish.session_id].lease.run.id)
            for wish in self._seen.interrupts
            if wish.session_id in looked
        ]
        for session_id in looked.keys() & self._seen.lost:
            lost = looked[session_id]
            self._held.lose(lost)
            wishes.append(Interrupt(lost.lease.run.id, _LOST, InterruptionSource.SYSTEM))
        return [wish for wish in wishes if wish.run_id in run_ids]
