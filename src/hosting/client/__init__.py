"""A client of a Branchline server: sends inputs, and follows their events through cut connections."""

from hosting.client.accepted import Accepted
from hosting.client.address import BranchAddress
from hosting.client.client import Client
from hosting.client.errors import (
    AddressRefused,
    AnswerLost,
    AnswerUnreadable,
    ClientError,
    FeedLost,
    PlaceLost,
    Problem,
    ServerUnreachable,
)
from hosting.client.patience import Patience
from hosting.client.received import Received

__all__ = [
    "Accepted",
    "AddressRefused",
    "AnswerLost",
    "AnswerUnreadable",
    "BranchAddress",
    "Client",
    "ClientError",
    "FeedLost",
    "Patience",
    "PlaceLost",
    "Problem",
    "Received",
    "ServerUnreachable",
]
