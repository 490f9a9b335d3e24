"""A client of a Branchline server: sends inputs, follows their events through cuts, answers, interrupts, forks."""

from hosting.client.accepted import Accepted
from hosting.client.address import BranchAddress
from hosting.client.client import Client
from hosting.client.errors import (
    AddressRefused,
    AnswerLost,
    AnswerUnreadable,
    ClientError,
    FeedLost,
    KeyRefused,
    PlaceLost,
    Problem,
    ResponseRefused,
    ServerUnreachable,
)
from hosting.client.forked import Forked
from hosting.client.interaction import Interaction
from hosting.client.interrupting import Interrupting
from hosting.client.patience import Patience
from hosting.client.received import Received
from hosting.client.responded import Responded
from hosting.client.tree_branch import TreeBranch

__all__ = [
    "Accepted",
    "AddressRefused",
    "AnswerLost",
    "AnswerUnreadable",
    "BranchAddress",
    "Client",
    "ClientError",
    "FeedLost",
    "Forked",
    "Interaction",
    "Interrupting",
    "KeyRefused",
    "Patience",
    "PlaceLost",
    "Problem",
    "Received",
    "Responded",
    "ResponseRefused",
    "ServerUnreachable",
    "TreeBranch",
]
