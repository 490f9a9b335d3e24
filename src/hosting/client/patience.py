"""How long a client waits, and how often it tries."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Patience:
    """The limits of every wait; whoever makes a client chooses them.

    `connect` limits the making of a connection, `answer` the wait for an answer to a request.
    `sends` limits how often a request that has one effect is sent while its answer is lost or the server cannot
    answer now.
    `silence` limits how long a live feed may say nothing; servers show that they live every 10 seconds.
    `attempts` limits how many connections in a row may bring nothing new before a feed is given up, and `pause` how
    long the client stays away between two connections or two sends, whatever the server asks for.
    """

    connect: timedelta = timedelta(seconds=5)
    answer: timedelta = timedelta(seconds=30)
    silence: timedelta = timedelta(seconds=30)
    attempts: int = 30
    pause: timedelta = timedelta(seconds=30)
    sends: int = 5
