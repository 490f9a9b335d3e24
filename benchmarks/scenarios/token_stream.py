"""A run's stream at its reader: what was measured, once nothing is missing."""

from typing import Final

from benchmarks.scenarios.target import Target
from benchmarks.stream import EventsLost, Stream, check_numbers
from benchmarks.wire import Opened, open_feed

TOKEN: Final = b'"type":"TEXT_DELTA"'
COMPLETED: Final = b'"type":"BRANCH_RUN_COMPLETED"'


class TokenStream(Stream):
    """Follows one branch from its head to the end of the next run on it."""

    def __init__(self, target: Target, branch: str) -> None:
        self._opened: Opened = open_feed(target.port, target.feed_path(branch))
        super().__init__(self._opened.socket, COMPLETED)

    def check(self, tokens: int) -> None:
        """Make sure of every event.

        Raises:
            EventsLost: an event is missing, or out of order, or there are other tokens than were to be written.
        """
        received = self.received()
        check_numbers(received, self._opened.place.epoch, self._opened.place.seq + 1)
        if (came := received.count(TOKEN)) != tokens:
            raise EventsLost(f"{tokens} tokens were written, and {came} came.")
        if b'"text":"tok0 "' in received:
            self._check_words(received, tokens)

    def close(self) -> None:
        """Leave."""
        self.wire.close()

    @staticmethod
    def _check_words(received: bytes, tokens: int) -> None:
        place = 0
        for index in range(tokens):
            place = received.find(b'"text":"tok%d "' % index, place)
            if place < 0:
                raise EventsLost(f"Token {index} is missing or out of order.")
