"""The door to what operators want workers to do to their hosts."""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from hosting.domain.keyed_request import AnsweredRequest
from hosting.domain.mutation import Mutation
from hosting.domain.scope import TenantId
from hosting.domain.work_item import WorkerId


class Mutations(Protocol):
    """Mutations, until their workers have said what became of them; whatever changes something is durable on return.

    Raises:
        StorageUnavailable: the store cannot be used now.
    """

    async def add(self, mutation: Mutation, answered: AnsweredRequest | None = None) -> bool:
        """Ask for one, with the answer to the request for it; False when there is no such worker.

        Raises:
            RequestRepeated: that was answered before; nothing was changed.
        """
        ...

    async def pending(self, tenant: TenantId, worker_id: WorkerId) -> list[Mutation]:
        """Return those that nothing is known of yet, the oldest first, at most a hundred."""
        ...

    async def settle(
        self, tenant: TenantId, worker_id: WorkerId, results: Mapping[str, str | None], at: datetime
    ) -> None:
        """Note by their ids what became of them, an error or None; what is settled or unknown is passed over."""
        ...
