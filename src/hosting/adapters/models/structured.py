"""An answer in a form that the run asks for: JSON that fits a schema."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, NoReturn

import jsonschema_rs
from pydantic_ai.exceptions import ModelRetry, UnexpectedModelBehavior
from pydantic_ai.output import NativeOutput, StructuredDict, ToolOutput

from hosting.domain.errors import InvalidInput
from hosting.domain.model_config import OutputMode, StructuredOutput
from middleware.errors import AgentError

_NAME: Final = "answer"
_LONGEST: Final = 500
_LARGEST: Final = 10_000
_DEEPEST: Final = 100
_SCHEMA: Final = "`runConfig.structuredOutput.schema`"
_REFERENCE: Final = "#/$defs/"


class AnswerMisfit(AgentError):
    """What a model answered does not fit the form that the run asked for, however often it was told so."""

    def __init__(self) -> None:
        super().__init__("The model's answer does not fit the schema of `runConfig.structuredOutput`.")


def output_of(wanted: StructuredOutput) -> Any:
    """Return the output type that brings a model to answer in a form; what does not fit is told to it once more.

    Raises:
        InvalidInput: the schema cannot be used.
    """
    fits = _validator(wanted.schema)
    if _Extent(wanted.schema).size > _LARGEST:
        raise InvalidInput(f"{_SCHEMA} is too large, with all that its `$ref` stand for.")
    # pydantic-ai writes out only the references that it knows a place for, and loses what the others stand for.
    form = StructuredDict(_written(wanted.schema, wanted.schema), name=wanted.name, description=wanted.description)
    check = _check(form, fits)
    if wanted.mode is OutputMode.NATIVE:
        return NativeOutput(check, name=wanted.name or _NAME, description=wanted.description)
    return ToolOutput(check, name=answer_name(wanted), description=wanted.description)


def answer_name(wanted: StructuredOutput | None) -> str | None:
    """Return the name of what a model calls to give its answer; None when it does not call for that."""
    return None if wanted is None or wanted.mode is OutputMode.NATIVE else wanted.name or _NAME


class AnswerNameTaken(AgentError):
    """A model would give its answer by a call of the name that a tool has."""

    def __init__(self, name: str) -> None:
        super().__init__(f"A tool is called {name} as well; send another `runConfig.structuredOutput.name`.")


@contextmanager
def telling_misfits(wanted: StructuredOutput | None) -> Iterator[None]:
    """Tell it in words for people when a model has not found the form that was asked for."""
    try:
        yield
    except UnexpectedModelBehavior as error:
        if wanted is None or not error.message.startswith("Exceeded maximum output retries"):
            raise
        raise AnswerMisfit from error


def _check(form: type[Any], validator: Any) -> Callable[..., dict[str, Any]]:
    def answer(value: Any) -> dict[str, Any]:
        error = next(iter(validator.iter_errors(value)), None)
        if error is not None:
            place = "".join(f"/{part}" for part in error.instance_path)
            raise ModelRetry(f"The answer does not fit the schema at {place or '/'}: {error.message[:_LONGEST]}")
        whole: dict[str, Any] = value
        return whole

    # The form is made at run time, where no annotation can name it.
    answer.__annotations__ = {"value": form, "return": dict[str, Any]}
    return answer


def _validator(schema: dict[str, Any]) -> Any:
    """Return what looks whether an answer fits; a schema from a stranger can neither fetch anything nor loop."""
    try:
        # Not Python's regular expressions: one that a stranger has written could keep the whole server busy.
        patterns = jsonschema_rs.RegexOptions(size_limit=1 << 20, dfa_size_limit=1 << 20)
        return jsonschema_rs.Draft202012Validator(schema, retriever=_fetch_nothing, pattern_options=patterns)
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError, RecursionError) as error:
        said = error.message if isinstance(error, jsonschema_rs.ValidationError) else str(error)
        raise InvalidInput(
            f"`runConfig.structuredOutput.schema` is no JSON Schema that can be used: {said[:_LONGEST]}"
        ) from error


def _fetch_nothing(uri: str) -> NoReturn:
    raise ValueError(f"nothing is fetched from {uri[:100]}")


class _Extent:
    """How large and how deep a schema is once every reference is written out, which could fill the memory if done.

    Raises:
        InvalidInput: it is too deep, or a reference leads back to itself or to nothing in `$defs`.
    """

    def __init__(self, schema: dict[str, Any]) -> None:
        defined = schema.get("$defs")
        self._defined: dict[str, Any] = defined if isinstance(defined, dict) else {}
        self._known: dict[str, tuple[int, int] | None] = {}
        self.size, self.height = self._of(schema, 1)

    def _of(self, part: Any, depth: int) -> tuple[int, int]:
        inside = part if isinstance(part, list) else []
        if isinstance(part, dict):
            inside = [value for name, value in part.items() if name != "$defs"]
        extents = [self._of(each, depth + 1) for each in inside]
        if isinstance(part, dict) and isinstance(part.get("$ref"), str):
            extents.append(self._referred(part["$ref"], depth + 1))
        height = 1 + max((height for _, height in extents), default=0)
        if depth + height > _DEEPEST:
            raise InvalidInput(f"{_SCHEMA} is too deep, with all that its `$ref` stand for.")
        return 1 + sum(size for size, _ in extents), height

    def _referred(self, reference: str, depth: int) -> tuple[int, int]:
        name = reference.removeprefix(_REFERENCE)
        if not reference.startswith(_REFERENCE) or name not in self._defined:
            raise InvalidInput(f"{_SCHEMA}: a `$ref` must name one of its `$defs`, as in `{_REFERENCE}place`.")
        if depth > _DEEPEST:
            # Also before it is looked at: the way there must not be too deep for Python.
            raise InvalidInput(f"{_SCHEMA} is too deep, with all that its `$ref` stand for.")
        if name not in self._known:
            self._known[name] = None
            self._known[name] = self._of(self._defined[name], depth)
        known = self._known[name]
        if known is None:
            raise InvalidInput(f"{_SCHEMA} cannot be used: a `$ref` may not lead back to where it stands.")
        return known


def _written(part: Any, whole: dict[str, Any]) -> Any:
    """Return a part of a schema with what its references stand for instead of them."""
    if isinstance(part, list):
        return [_written(each, whole) for each in part]
    if not isinstance(part, dict):
        return part
    own = {name: _written(value, whole) for name, value in part.items() if name != "$defs"}
    reference = own.get("$ref")
    if not isinstance(reference, str):
        return own
    del own["$ref"]
    referred = _written(whole["$defs"][reference.removeprefix(_REFERENCE)], whole)
    return {**referred, **own} if isinstance(referred, dict) else referred
