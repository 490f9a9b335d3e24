"""What a run can raise, as the layers around it tell it apart.

AgentError            its sentence is meant for the people who use the agent
+-- RunTimedOut       the run took longer than it was allowed
Withdrawn             the run is not ended: it goes on elsewhere or later
TurnFailed            how any failure leaves the layers
"""


class AgentError(Exception):
    """An agent's failure whose sentence is for the people who use it; any other exception's text stays private."""

    is_retryable = False


class RunTimedOut(AgentError):
    """The run took longer than it was allowed."""

    is_retryable = True

    def __init__(self, seconds: float) -> None:
        super().__init__(f"The run took longer than the {seconds:g} seconds it was allowed.")


class Withdrawn(Exception):
    """This execution must stop without ending the run, which goes on elsewhere or later."""


class TurnFailed(Exception):
    """A turn failed; `message` is fit for people and holds nothing private."""

    def __init__(self, error_type: str, message: str, *, is_retryable: bool) -> None:
        self.error_type, self.message, self.is_retryable = error_type, message, is_retryable
        super().__init__(message)
