"""The door to what a store does to itself beside the requests."""

from typing import Protocol


class Upkeep(Protocol):
    """What can be done in small pieces, at any time, by any number of servers; nobody who reads or writes sees it."""

    async def fold(self) -> bool:
        """Store some of what has ended smaller, and say whether something was; the same events are read as before.

        Raises:
            StorageUnavailable: the store cannot be used now; nothing is lost.
        """
        ...

    async def give_back(self) -> bool:
        """Give some of the space that is not needed any more back, and say whether some was; raises as `fold` does."""
        ...
