"""Identifiers that travel on the wire, and the rule for those that clients may choose."""

import re
import uuid
from collections.abc import Callable
from typing import NewType

AgentId = NewType("AgentId", str)
SessionId = NewType("SessionId", str)
BranchId = NewType("BranchId", str)
RunId = NewType("RunId", str)
MessageId = NewType("MessageId", str)
ContentId = NewType("ContentId", str)

MAIN_BRANCH = BranchId("main")

_CLIENT_ID = re.compile(r"[A-Za-z0-9._~-]{1,128}")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")

_SUMMARY = "sum_"

Hex32 = Callable[[], str]
"""A source of 32 random hex digits; tests bring their own."""


def random_hex() -> str:
    """Return 32 random hex digits."""
    return uuid.uuid4().hex


def is_client_id(text: str) -> bool:
    """Say whether a client may use this text as a session, branch or message id (docs/reference/http.md, Ids)."""
    return _CLIENT_ID.fullmatch(text) is not None and text not in {".", ".."}


def is_summary(message_id: MessageId) -> bool:
    """Say whether a message stands for earlier ones."""
    return message_id.startswith(_SUMMARY)


def is_name(text: str) -> bool:
    """Say whether a name can be stored and sent: it holds neither a NUL nor half a surrogate pair."""
    return _UNSTORABLE.search(text) is None


class IdSource:
    """Makes new ids, each with the prefix that says what it names."""

    def __init__(self, hex32: Hex32 = random_hex) -> None:
        self._hex32 = hex32

    def session(self) -> SessionId:
        """Return a new `ses_` id."""
        return SessionId(f"ses_{self._hex32()}")

    def agent(self) -> AgentId:
        """Return a new `agt_` id."""
        return AgentId(f"agt_{self._hex32()}")

    def branch(self) -> BranchId:
        """Return a new `brn_` id."""
        return BranchId(f"brn_{self._hex32()}")

    def run(self) -> RunId:
        """Return a new `run_` id."""
        return RunId(f"run_{self._hex32()}")

    def work(self) -> str:
        """Return a new `wse_` id, for a work item: what the fleet calls a session."""
        return f"wse_{self._hex32()}"

    def lane_item(self) -> str:
        """Return a new `lan_` id, for work that belongs to no run."""
        return f"lan_{self._hex32()}"

    def result_key(self) -> str:
        """Return a new secret, by which the result of one piece of work is taken."""
        return f"lrk_{self._hex32()}{self._hex32()}"

    def worker(self) -> str:
        """Return a new `wkr_` id: 16 hex digits, as workers expect (docs/reference/worker-protocol.md)."""
        return f"wkr_{self._hex32()[:16]}"

    def registration(self) -> str:
        """Return a new `reg_` id, for one registration of a worker."""
        return f"reg_{self._hex32()}"

    def mutation(self) -> str:
        """Return a new `mut_` id, for something that a worker is to do to its host."""
        return f"mut_{self._hex32()}"

    def inbox(self) -> str:
        """Return a new `inb_` id, for a message to whoever works on an item."""
        return f"inb_{self._hex32()}"

    def audit_entry(self) -> str:
        """Return a new `aud_` id, for what somebody did with credentials."""
        return f"aud_{self._hex32()}"

    def token(self) -> str:
        """Return a new `jti_` id, for one token."""
        return f"jti_{self._hex32()}"

    def message(self) -> MessageId:
        """Return a new `msg_` id."""
        return MessageId(f"msg_{self._hex32()}")

    def summary(self) -> MessageId:
        """Return a new `sum_` id, for a message that stands for earlier ones."""
        return MessageId(f"{_SUMMARY}{self._hex32()}")

    def compaction(self) -> str:
        """Return a new `cmp_` id."""
        return f"cmp_{self._hex32()}"

    def content(self) -> ContentId:
        """Return a new `cnt_` id, for a file that a client uploads."""
        return ContentId(f"cnt_{self._hex32()}")

    def turn(self) -> str:
        """Return a new `trn_` id, which is also the turn's `eventFlowId`."""
        return f"trn_{self._hex32()}"

    def request(self) -> str:
        """Return a new `req_` id, for a question."""
        return f"req_{self._hex32()}"

    def call(self) -> str:
        """Return a new `call_` id, for a tool call."""
        return f"call_{self._hex32()}"

    def trace(self) -> str:
        """Return a trace id: 32 hex digits (W3C Trace Context)."""
        return self._hex32()

    def span(self) -> str:
        """Return a span id: 16 hex digits (W3C Trace Context)."""
        return self._hex32()[:16]

    def epoch(self) -> str:
        """Return the 12 hex digits that name one life of a branch's log."""
        return self._hex32()[:12]

    def row_key(self) -> int:
        """Return a positive 62-bit number that names a branch inside the store."""
        return int(self._hex32()[:16], 16) >> 2
