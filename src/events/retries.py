"""Events that tell of work done again."""

from datetime import timedelta
from typing import ClassVar

from events.event import Channel, Envelope, Event, written


class ModelCallRetry(Event, frozen=True, kw_only=True):
    """A model call is made again; a client discards the partial text that came before."""

    wire_type: ClassVar[str] = "MODEL_CALL_RETRY"
    envelope: ClassVar[Envelope] = Envelope(channel=Channel.STREAMING)

    attempt: int
    max_retries: int
    delay: timedelta
    exception_type: str
    error_message: str
    is_model_not_found: bool = written(value=False)
    is_retryable: bool = written(value=True)
