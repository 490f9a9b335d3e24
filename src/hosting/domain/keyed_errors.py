"""What can go wrong with requests that may come again."""

from datetime import timedelta

from hosting.domain.errors import BranchlineError, Conflict


class RequestUnderWay(Conflict):
    """A request with the same `Idempotency-Key` has no answer yet; send it again a little later."""

    code = "idempotency-key-under-way"

    def __init__(self) -> None:
        super().__init__("A request with this Idempotency-Key is under way; send it again a little later.")


class RequestRepeated(Conflict):
    """Another server has just answered a request with the same `Idempotency-Key`; sent again, it gets that answer."""

    code = "idempotency-key-under-way"

    def __init__(self) -> None:
        super().__init__("A request with this Idempotency-Key was answered just now; send it again for its answer.")


class RequestDiffers(BranchlineError):
    """The `Idempotency-Key` came with another body before."""

    code = "idempotency-key-reused"

    def __init__(self, kept: timedelta) -> None:
        hours = int(kept.total_seconds() // 3600)
        super().__init__(
            f"This Idempotency-Key came with another body in the last {hours} hours; take a new key for a new request."
        )
