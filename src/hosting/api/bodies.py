"""Request bodies: read when the scope is known to exist, decoded strictly from the raw bytes."""

import asyncio
from functools import cache
from typing import Any, Final, TypeVar

import msgspec
from litestar import Request

from events import strict
from events.inputs import Input, UserTextInput
from events.serializer import EnvelopeRefused, Serializer
from hosting.api.problems import ApiError
from hosting.domain.errors import Invalid, InvalidInput, InvalidRequest, UnknownMember

T = TypeVar("T", bound=msgspec.Struct)

MAX_BODY: Final = 1 << 20
MAX_INPUT: Final = 16 << 20
_TOO_LARGE_FOR_THE_LOOP: Final = 256 << 10


async def read_body(request: Request[Any, Any, Any]) -> bytes:
    """Return the body's bytes.

    Raises:
        ApiError: it is declared to be something other than JSON.
    """
    body = await request.body()
    declared = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    is_json = declared == "application/json" or (declared.startswith("application/") and declared.endswith("+json"))
    if body and declared and not is_json:
        raise ApiError(
            "unsupported-media-type", f"Send JSON with the header Content-Type: application/json, not {declared[:100]}."
        )
    return body


async def decode_body(body: bytes, cls: type[T]) -> T:
    """Decode a body whose every member must be known; an empty one stands for `{}`.

    Raises:
        ApiError, InvalidRequest, UnknownMember: see the contract of errors, docs/reference/http.md.
    """
    value = await _loads(body or b"{}", InvalidRequest)
    if not isinstance(value, dict):
        raise InvalidRequest("The body is not a JSON object.")
    _refuse_unknown(value, cls)
    try:
        return msgspec.json.decode(body or b"{}", type=cls)
    except msgspec.DecodeError as error:
        raise InvalidRequest(f"{error}.") from error


async def decode_input(body: bytes, serializer: Serializer) -> Input:
    """Decode the body of an input: `{"text": ...}`, or an envelope with a `type`.

    Raises:
        ApiError, InvalidInput, UnknownMember: see the contract of errors, docs/reference/http.md.
    """
    value = await _loads(body, InvalidInput)
    if not isinstance(value, dict):
        raise InvalidInput("The body is not a JSON object.")
    wire_type = value.get("type", UserTextInput.wire_type)
    if not isinstance(wire_type, str):
        raise InvalidInput("`type` must be a string.")
    if "type" not in value:
        _refuse_unknown(value, UserTextInput)
    try:
        return serializer.decode_input(body, wire_type)
    except EnvelopeRefused as error:
        raise InvalidInput(str(error)) from error


async def _loads(body: bytes, refusal: type[Invalid]) -> Any:
    try:
        if len(body) > _TOO_LARGE_FOR_THE_LOOP:
            return await asyncio.to_thread(strict.loads, body)
        return strict.loads(body)
    except strict.TooDeep as error:
        raise ApiError("payload-too-large", str(error)) from error
    except strict.BodyRefused as error:
        raise refusal(str(error)) from error


def _refuse_unknown(value: dict[str, Any], cls: type[msgspec.Struct]) -> None:
    for member in value:
        if member not in _members(cls):
            raise UnknownMember(member)


@cache
def _members(cls: type[msgspec.Struct]) -> frozenset[str]:
    return frozenset(field.encode_name for field in msgspec.structs.fields(cls))
