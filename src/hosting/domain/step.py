"""A step: a piece of a run that is done once, however often the run begins again."""

from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256

import msgspec


class StepKind(StrEnum):
    """What a step is."""

    MODEL_CALL = "model_call"
    WORK = "work"


@dataclass(frozen=True, slots=True)
class StepKey:
    """What a step is recognised by when its run begins again."""

    ordinal: int
    kind: StepKind
    name: str
    arguments_hash: str


@dataclass(frozen=True, slots=True)
class Step:
    """A step as stored; `result` is JSON, and None while the step is under way."""

    key: StepKey
    result: bytes | None


def hash_arguments(arguments: object) -> str:
    """Return a hash of a step's arguments that does not depend on the order of members."""
    return sha256(msgspec.json.encode(arguments, order="deterministic")).hexdigest()[:32]
