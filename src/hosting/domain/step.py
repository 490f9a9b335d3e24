"""A step: a piece of a run that is done once, however often the run begins again."""

from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256

import msgspec


class StepKind(StrEnum):
    """What a step is."""

    MODEL_CALL = "model_call"
    WORK = "work"
    BATCH = "batch"
    TOOL_CALL = "tool_call"
    DECISION = "decision"
    REQUEST = "request"
    NESTED_RUN = "nested_run"
    ROUTE = "route"
    COMPACTION = "compaction"


@dataclass(frozen=True, slots=True)
class StepKey:
    """What a step is recognised by when its run begins again.

    `place` counts from 1 within the step that this one is a part of: `2.1` is the first inside of the second.
    """

    place: str
    kind: StepKind
    name: str
    arguments_hash: str


@dataclass(frozen=True, slots=True)
class Step:
    """A step as stored; `result` is JSON, and None while the step is under way.

    `flow` is the event flow of what happens inside, for nested runs, and `agent_version` as in Run.
    """

    key: StepKey
    result: bytes | None
    flow: str | None = None
    agent_version: int | None = None


def hash_arguments(arguments: object) -> str:
    """Return a hash of a step's arguments that does not depend on the order of members."""
    return sha256(msgspec.json.encode(arguments, order="deterministic")).hexdigest()[:32]
