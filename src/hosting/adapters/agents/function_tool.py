"""Tools made of a function: what it is called, takes and says of itself is what a model is shown."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Generic, ParamSpec, TypeVar, overload

from events.ids import is_client_id
from hosting.adapters.agents.arguments import Arguments
from hosting.adapters.agents.docstring import Docstring
from hosting.adapters.agents.own_thread import in_own_thread
from hosting.ports.tools import Tool, ToolContext, Work

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class FunctionTool(Tool, Generic[P, R]):
    """A tool that can still be called as the function that it was made of, which asks nobody and stores nothing."""

    function: Callable[P, R] = field(kw_only=True)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call the function itself."""
        return self.function(*args, **kwargs)


@overload
def tool(function: Callable[P, R], /) -> FunctionTool[P, R]: ...


@overload
def tool(
    *,
    name: str | None = None,
    requires_permission: bool = False,
    safe_to_retry: bool = False,
    retries: int = 0,
    timeout: timedelta | None = None,
) -> Callable[[Callable[P, R]], FunctionTool[P, R]]: ...


def tool(
    function: Any = None,
    /,
    *,
    name: str | None = None,
    requires_permission: bool = False,
    safe_to_retry: bool = False,
    retries: int = 0,
    timeout: timedelta | None = None,
) -> Any:
    """Make a tool of a function, async or not; a first parameter `context` is given the ToolContext.

    The other parameters, their types and what the docstring says of them are the tool's arguments. A function that is
    not async is called in a thread. The rest is as Tool says.

    Raises:
        TypeError: it is no function, or what it takes cannot come as JSON; `timeout` is no timedelta.
        ValueError: the name cannot be sent, or `retries` is negative.
    """

    def decorate(made_of: Callable[P, R]) -> FunctionTool[P, R]:
        _check(made_of, name, retries, timeout)
        docstring = Docstring.of(made_of)
        takes_context = _takes_context(made_of)
        arguments = Arguments.of(made_of, docstring, after=1 if takes_context else 0)
        return FunctionTool(
            name or made_of.__name__,
            _work(made_of, arguments, takes_context=takes_context),
            description=docstring.description,
            requires_permission=requires_permission,
            safe_to_retry=safe_to_retry,
            retries=retries,
            timeout=timeout,
            parameters_schema=arguments.schema,
            check=arguments.read,
            function=made_of,
        )

    return decorate if function is None else decorate(function)


def _check(function: Any, name: str | None, retries: int, timeout: timedelta | None) -> None:
    is_function = inspect.isfunction(function) or inspect.ismethod(function)
    if not is_function or inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise TypeError(
            f"{function!r} must be a function, async or not, that returns its result; write @tool above it."
        )
    if not is_client_id(name or function.__name__):
        raise ValueError(f"The tool name {name or function.__name__!r:.100} must be 1 to 128 of A-Z a-z 0-9 . _ ~ -")
    if retries < 0:
        raise ValueError(f"A tool cannot be tried again {retries} times.")
    if timeout is not None and not isinstance(timeout, timedelta):
        raise TypeError("The timeout of a tool is a timedelta, as in timedelta(seconds=10).")


def _takes_context(function: Callable[..., Any]) -> bool:
    first = next(iter(inspect.signature(function).parameters.values()), None)
    if first is None:
        return False
    # An annotation may be text, and name what is imported for a checker only.
    annotation = first.annotation
    named = annotation if isinstance(annotation, str) else getattr(annotation, "__name__", "")
    return first.name == "context" or annotation is ToolContext or named.rpartition(".")[2] == ToolContext.__name__


def _work(function: Callable[..., Any], arguments: Arguments, *, takes_context: bool) -> Work:
    async def work(context: ToolContext, given: Mapping[str, Any]) -> Any:
        read = arguments.read(given)
        first = (context,) if takes_context else ()
        if inspect.iscoroutinefunction(function):
            return await function(*first, **read)
        returned = await in_own_thread(lambda: function(*first, **read), name=f"tool {function.__name__}")
        # What is decorated may not look asynchronous, and be it.
        return await returned if inspect.isawaitable(returned) else returned

    return work
