"""What a definition's `middlewares` say, as the limits that the layers around a run keep to."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Annotated, Any, Final, TypeVar

from msgspec import Meta, Struct

from hosting.domain.config_text import convert_config
from hosting.domain.definition import AgentConfig, MiddlewareConfig
from hosting.domain.duration import read_duration
from hosting.domain.errors import ConfigRefused
from hosting.ports.agents import MODEL_LIMITS, Limits

S = TypeVar("S", bound=Struct)

_LONGEST_RUN: Final = timedelta(days=7)
_LONGEST_CALL: Final = timedelta(days=1)
_LONGEST_WAIT: Final = timedelta(days=365)
_Count = Annotated[int, Meta(ge=1, le=1_000_000)]


class _Waiting(Struct, frozen=True, forbid_unknown_fields=True):
    """How long a question waits for its answer."""

    timeout: str | None = None


class _Continuation(Struct, frozen=True, forbid_unknown_fields=True):
    limit: _Count | None = None
    extension: _Count | None = None
    timeout: str | None = None


class _Retry(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    max_retries: Annotated[int, Meta(ge=0, le=10)]


class _Budget(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    max_failures: Annotated[int, Meta(ge=1, le=1000)]


class _Timeout(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """How long a run may take, and an answer of a model: until it begins, between two pieces of it, and in all."""

    run: str | None = None
    model_first: str | None = None
    model_idle: str | None = None
    model_call: str | None = None


class _ErrorFormatting(Struct, frozen=True, forbid_unknown_fields=True):
    detailed: bool


def limits_of_config(config: AgentConfig, *, by_operator: bool) -> Limits:
    """Return what an agent with this config is allowed; `by_operator` says that it is from a file beside the server.

    Raises:
        ConfigRefused: there is no such middleware, one is named twice, or it has no such options.
    """
    limits = replace(MODEL_LIMITS, iterations=config.max_agentic_iterations)
    for place, given in enumerate(config.middlewares):
        pointer = f"/middlewares/{place}"
        _check_name(given, config.middlewares[:place], f"{pointer}/name")
        try:
            limits = _MIDDLEWARES[given.name](limits, given.options)
        except ConfigRefused as error:
            raise error.below(f"{pointer}/options") from error
        if limits.detailed_errors and not by_operator:
            # The tools are the operator's, and so is what their exceptions say of paths, addresses and keys.
            raise ConfigRefused(f"{pointer}/options/detailed", "Only a definition in a file of the server's can say so")
    return limits if limits.iterations is not None else replace(limits, iterations=MODEL_LIMITS.iterations)


def _check_name(given: MiddlewareConfig, before: Sequence[MiddlewareConfig], pointer: str) -> None:
    if given.name not in _MIDDLEWARES:
        known = ", ".join(sorted(_MIDDLEWARES))
        raise ConfigRefused(pointer, f"There is no middleware {given.name[:100]!r}; those there are: {known}")
    if any(given.name == other.name for other in before):
        raise ConfigRefused(pointer, f"The middleware {given.name!r} is named twice")


def _permissions(limits: Limits, options: dict[str, Any]) -> Limits:
    return replace(limits, permission_timeout=_wait(options, limits.permission_timeout))


def _clarification(limits: Limits, options: dict[str, Any]) -> Limits:
    return replace(limits, clarification_timeout=_wait(options, limits.clarification_timeout))


def _client_tools(limits: Limits, options: dict[str, Any]) -> Limits:
    return replace(limits, client_tool_timeout=_wait(options, limits.client_tool_timeout))


def _continuation(limits: Limits, options: dict[str, Any]) -> Limits:
    given = convert_config(options, _Continuation)
    if given.limit is not None and limits.iterations is not None:
        raise ConfigRefused("/limit", "This is what `maxAgenticIterations` says already; say it in one place")
    timeout = limits.continuation_timeout
    return replace(
        limits,
        iterations=given.limit or limits.iterations,
        extension=given.extension or limits.extension,
        continuation_timeout=timeout if given.timeout is None else _duration("/timeout", given.timeout, _LONGEST_WAIT),
    )


def _retry(limits: Limits, options: dict[str, Any]) -> Limits:
    return replace(limits, model_retries=convert_config(options, _Retry).max_retries)


def _budget(limits: Limits, options: dict[str, Any]) -> Limits:
    return replace(limits, tool_failures=convert_config(options, _Budget).max_failures)


def _timeout(limits: Limits, options: dict[str, Any]) -> Limits:
    given = convert_config(options, _Timeout)
    return replace(
        limits,
        run_timeout=_chosen("/run", given.run, _LONGEST_RUN, limits.run_timeout),
        model_first_timeout=_chosen("/modelFirst", given.model_first, _LONGEST_CALL, limits.model_first_timeout),
        model_idle_timeout=_chosen("/modelIdle", given.model_idle, _LONGEST_CALL, limits.model_idle_timeout),
        model_call_timeout=_chosen("/modelCall", given.model_call, _LONGEST_CALL, limits.model_call_timeout),
    )


def _error_formatting(limits: Limits, options: dict[str, Any]) -> Limits:
    return replace(limits, detailed_errors=convert_config(options, _ErrorFormatting).detailed)


def _wait(options: dict[str, Any], otherwise: timedelta | None) -> timedelta | None:
    given = convert_config(options, _Waiting).timeout
    return otherwise if given is None else _duration("/timeout", given, _LONGEST_WAIT)


def _chosen(pointer: str, text: str | None, longest: timedelta, otherwise: timedelta | None) -> timedelta | None:
    return otherwise if text is None else _duration(pointer, text, longest)


def _duration(pointer: str, text: str, longest: timedelta) -> timedelta:
    duration = read_duration(text)
    if duration is None or not timedelta() < duration <= longest:
        raise ConfigRefused(pointer, f"This must be a duration like PT5M or 00:05:00, at most {longest.days} days")
    return duration


_MIDDLEWARES: Final[Mapping[str, Callable[[Limits, dict[str, Any]], Limits]]] = {
    "budget": _budget,
    "clarification": _clarification,
    "clientTools": _client_tools,
    "continuation": _continuation,
    "errorFormatting": _error_formatting,
    "permissions": _permissions,
    "retry": _retry,
    "timeout": _timeout,
}
