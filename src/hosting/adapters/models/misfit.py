"""An answer that an agent does not take, since it is not of the type that the agent is to answer with."""

from datetime import timedelta
from typing import Any, Final

from pydantic_ai import ModelRequestNode
from pydantic_ai.messages import ModelRequestPart, RetryFeedbackPart, RetryInfo, ToolReturnPart

from events.retries import ModelCallRetry

_SENTENCE: Final = "The answer is not what the agent is to answer with; the model is told so and asked again."


def misfit_in(node: Any) -> ModelCallRetry | None:
    """Return what tells that the model is asked again, if that is what follows its answer."""
    if not isinstance(node, ModelRequestNode):
        return None
    retry = next((retry for part in node.request.parts if (retry := _refusal(part)) is not None), None)
    if retry is None:
        return None
    attempt = retry.attempt or 1
    return ModelCallRetry(
        attempt=attempt,
        max_retries=max(attempt, retry.max_retries or 0),
        delay=timedelta(),
        exception_type="AnswerMisfit",
        error_message=_SENTENCE,
        category="misfit",
    )


def _refusal(part: ModelRequestPart) -> RetryInfo[Any] | None:
    if isinstance(part, RetryFeedbackPart):
        return part.retry
    return part.retry if isinstance(part, ToolReturnPart) and part.outcome == "retried" else None
