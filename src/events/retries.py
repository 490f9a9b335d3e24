"""Events that tell of work done again."""

from datetime import timedelta
from typing import ClassVar

from events.event import Channel, Envelope, Event, written


class ModelCallRetry(Event, frozen=True, kw_only=True):
    """A model call is made again; a client discards the text that came before, which was cut or did not fit."""

    wire_type: ClassVar[str] = "MODEL_CALL_RETRY"
    envelope: ClassVar[Envelope] = Envelope(channel=Channel.STREAMING)

    attempt: int
    """Which repetition this is, from 1."""
    max_retries: int
    """How many repetitions there are before the run is given up."""
    delay: timedelta
    """How long the server waits before it calls again."""
    exception_type: str
    """What failed, in a word for programs; `RunInterrupted` after a crash of the server, `WorkerLost` of a worker."""
    error_message: str
    category: str | None = None
    """What went wrong, in a word for programs: see MESSAGE_TURN_ERROR; `misfit`: the agent did not take the answer."""
    is_model_not_found: bool = written(value=False)
    is_retryable: bool = written(value=True)


class FunctionRetry(Event, frozen=True, kw_only=True):
    """A tool that failed is called again."""

    wire_type: ClassVar[str] = "FUNCTION_RETRY"

    function_name: str
    attempt: int
    """Which repetition this is, from 1."""
    max_retries: int
    delay: timedelta
    """How long the server waits before it calls again."""
    exception_type: str
    """What failed, in a word for programs."""
    error_message: str
    is_model_not_found: bool = written(value=False)
    is_retryable: bool = written(value=True)
