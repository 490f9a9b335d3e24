"""An answer in a form that the run asks for: JSON that fits a schema."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, NoReturn

import jsonschema_rs
from pydantic_ai.exceptions import ModelRetry, UnexpectedModelBehavior, UserError
from pydantic_ai.output import NativeOutput, StructuredDict, ToolOutput

from hosting.domain.errors import InvalidInput
from hosting.domain.model_config import OutputMode, StructuredOutput
from middleware.errors import AgentError

_NAME: Final = "answer"
_LONGEST: Final = 500
_LARGEST: Final = 10_000


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
    if _size(wanted.schema, wanted.schema.get("$defs", {}), {}) > _LARGEST:
        raise InvalidInput("`runConfig.structuredOutput.schema` is too large, with all that its `$ref` stand for.")
    try:
        form = StructuredDict(dict(wanted.schema), name=wanted.name, description=wanted.description)
    except UserError as error:
        raise InvalidInput(
            "`runConfig.structuredOutput.schema` cannot be used: a `$ref` may not lead back to where it stands."
        ) from error
    check = _check(form, fits)
    if wanted.mode is OutputMode.NATIVE:
        return NativeOutput(check, name=wanted.name or _NAME, description=wanted.description)
    return ToolOutput(check, name=wanted.name or _NAME, description=wanted.description)


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


def _size(part: Any, defined: Any, known: dict[str, int]) -> int:
    """Count what a schema holds once every reference is written out, without doing that: it could fill the memory."""
    if isinstance(part, list):
        return 1 + sum(_size(inside, defined, known) for inside in part)
    if not isinstance(part, dict):
        return 1
    size = 1 + sum(_size(inside, defined, known) for name, inside in part.items() if name != "$defs")
    name = str(part.get("$ref", "")).removeprefix("#/$defs/")
    if isinstance(defined, dict) and name in defined:
        if name not in known:
            # One that leads back to itself counts nothing here, and is refused by whoever writes it out.
            known[name] = 0
            known[name] = _size(defined[name], defined, known)
        size += known[name]
    return size


def _fetch_nothing(uri: str) -> NoReturn:
    raise ValueError(f"nothing is fetched from {uri[:100]}")
