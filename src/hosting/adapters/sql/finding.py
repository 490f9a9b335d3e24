"""What is wrong with a database, as `branchline check` tells it."""

from collections.abc import Iterator
from enum import StrEnum

import msgspec


class FindingKind(StrEnum):
    """What can be wrong; docs/how-to/recover.md has a word on each."""

    FILE = "file"
    DAMAGED = "damaged-events"
    MISPLACED = "misplaced-events"
    GAP = "gap"
    OVERLAP = "overlap"
    BEYOND_HEAD = "beyond-head"
    LOG_ORPHAN = "events-without-branch"
    ROW_ORPHAN = "row-without-parent"
    FORK_ORPHAN = "fork-without-source"
    QUEUE = "queue-length"
    UPLOAD = "damaged-upload"


class Finding(msgspec.Struct, frozen=True):
    """One thing that is wrong, and where."""

    kind: FindingKind
    place: str
    detail: str


Findings = Iterator[Finding]
