"""What can go wrong between a worker of our own and its server.

BranchlineError
+-- ServerAway        nothing answers, or not now; what was asked for may have been done
+-- ServerRefused     the server says no, and would again
+-- ShutOut           the server lets the worker in no more
"""

from hosting.domain.errors import BranchlineError


class ServerAway(BranchlineError):
    """No answer, or none that counts; the same can be asked again."""

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(f"The server cannot be asked now: {why}")


class ServerRefused(BranchlineError):
    """The server says no: `problem` is its word for programs, `detail` its sentence."""

    def __init__(self, status: int, problem: str, detail: str) -> None:
        self.status, self.problem, self.detail = status, problem, detail
        super().__init__(f"{detail} ({problem})")


class ShutOut(BranchlineError):
    """The key that the worker came with opens nothing any more."""

    def __init__(self) -> None:
        super().__init__("The key opens nothing any more; a worker with another key goes on with the runs.")
