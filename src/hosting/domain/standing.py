"""What is left of a worker's registration."""

from enum import Enum, auto


class Standing(Enum):
    """Whether the token that came with a registration still opens something."""

    GOOD = auto()
    WITHDRAWN = auto()
    """The key that stands for the worker was revoked."""
    GONE = auto()
    """The worker is not registered any more."""
