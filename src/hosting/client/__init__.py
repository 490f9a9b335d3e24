"""A client of a server: sends inputs, follows events through cuts, answers, interrupts, forks, and runs a fleet."""

from hosting.client.accepted import Accepted
from hosting.client.address import BranchAddress
from hosting.client.client import Client
from hosting.client.contents import Content
from hosting.client.credentials import AuditEntryShown, AuditShown, Credentials, CredentialShown, Rekeyed, Rotated
from hosting.client.dead_letter import DeadLetter, Requeued
from hosting.client.environment_map import EnvironmentMap
from hosting.client.errors import (
    AddressRefused,
    AnswerLost,
    AnswerUnreadable,
    ClientError,
    FeedLost,
    KeyRefused,
    PlaceLost,
    Problem,
    ProxyRefused,
    ResponseRefused,
    ServerUnreachable,
)
from hosting.client.fleet import Fleet
from hosting.client.fleet_worker import FleetShown, FleetSummary, FleetWorker, HostStatusShown, Mutation
from hosting.client.forked import Forked
from hosting.client.interaction import Interaction
from hosting.client.interrupting import Interrupting
from hosting.client.known_agent import KnownAgent
from hosting.client.patience import Patience
from hosting.client.received import Received
from hosting.client.responded import Responded
from hosting.client.tree_branch import TreeBranch
from hosting.client.worker_api import WorkerApi, WorkerIntroduction, WorkerRegistered

__all__ = [
    "Accepted",
    "AddressRefused",
    "AnswerLost",
    "AnswerUnreadable",
    "AuditEntryShown",
    "AuditShown",
    "BranchAddress",
    "Client",
    "ClientError",
    "Content",
    "CredentialShown",
    "Credentials",
    "DeadLetter",
    "EnvironmentMap",
    "FeedLost",
    "Fleet",
    "FleetShown",
    "FleetSummary",
    "FleetWorker",
    "Forked",
    "HostStatusShown",
    "Interaction",
    "Interrupting",
    "KeyRefused",
    "KnownAgent",
    "Mutation",
    "Patience",
    "PlaceLost",
    "Problem",
    "ProxyRefused",
    "Received",
    "Rekeyed",
    "Requeued",
    "Responded",
    "ResponseRefused",
    "Rotated",
    "ServerUnreachable",
    "TreeBranch",
    "WorkerApi",
    "WorkerIntroduction",
    "WorkerRegistered",
]
