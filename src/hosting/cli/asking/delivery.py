"""Bringing answers to the server."""

import uuid

from events.interactions import Response, ResponseOutcome
from hosting.cli.persistence import persist
from hosting.cli.view import View
from hosting.client import AnswerLost, BranchAddress, Client, ClientError, ResponseRefused


class Delivery:
    """Brings answers to a branch's run, again and again while its server is away."""

    def __init__(self, client: Client, at: BranchAddress, view: View, *, attempts: int) -> None:
        self._client = client
        self._at = at
        self._view = view
        self._attempts = attempts

    async def deliver(self, response: Response) -> None:
        """Return when the answer counts.

        Raises:
            ResponseRefused: it counts for nothing.
            ClientError: it could not be brought there.
        """
        # The same each time: an answer that arrived, and was not heard to, counts once and is no refusal.
        key = uuid.uuid4().hex
        failures: list[ClientError] = []

        def tell(error: ClientError) -> None:
            if not failures:
                self._view.note("The answer did not get through; trying again.")
            failures.append(error)

        try:
            await persist(
                lambda: self._client.respond(self._at, response, idempotency_key=key),
                self._attempts,
                on_failure=tell,
            )
        except ResponseRefused as refused:
            was_ours = any(isinstance(failure, AnswerLost) for failure in failures)
            if not (was_ours and refused.outcome == ResponseOutcome.ALREADY_RESOLVED):
                raise
