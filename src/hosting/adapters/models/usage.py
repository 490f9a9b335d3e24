"""What a model call cost."""

from pydantic_ai.messages import ModelResponse

from events.turns import Usage


def usage_of(response: ModelResponse) -> Usage | None:
    """Return the usage that a provider told, priced when the model's price is known; None when it told nothing."""
    told = response.usage
    if not told.has_values():
        return None
    return Usage(
        input_tokens=told.input_tokens,
        output_tokens=told.output_tokens,
        cache_read_tokens=told.cache_read_tokens,
        cache_write_tokens=told.cache_write_tokens,
        reasoning_tokens=told.details.get("reasoning_tokens", 0),
        cost_usd=_cost(response),
    )


def _cost(response: ModelResponse) -> float | None:
    if response.usage.total_tokens == 0:
        return None
    try:
        return float(response.cost().total_price)
    except (LookupError, AssertionError, ValueError):
        return None
