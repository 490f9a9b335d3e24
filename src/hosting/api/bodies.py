"""Request bodies: read when the scope is known to exist, decoded strictly from the raw bytes."""

import asyncio
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final, TypeVar

import msgspec
from litestar import Request
from litestar.exceptions import InternalServerException

from events import strict
from events.inputs import Input, UserTextInput
from events.interactions import Response as Answer
from events.interruption import InterruptionRequest
from events.serializer import EnvelopeRefused, Serializer
from hosting.api.farewell import body_was_read
from hosting.api.problems import ApiError
from hosting.domain.errors import Invalid, InvalidInput, InvalidRequest, InvalidResponse, UnknownMember
from hosting.domain.sentences import plain_sentence

T = TypeVar("T")
S = TypeVar("S", bound=msgspec.Struct)

MAX_BODY: Final = 1 << 20
MAX_INPUT: Final = 16 << 20
_TOO_LARGE_FOR_THE_LOOP: Final = 256 << 10


async def read_body(request: Request[Any, Any, Any]) -> bytes:
    """Return the body's bytes.

    Raises:
        ApiError: it is declared to be something other than JSON, or it ends before its declared length.
        RequestEntityTooLarge: it is larger than the route takes; what is too much is not read.
    """
    if "transfer-encoding" in request.headers or request.headers.get("content-length", "0") != "0":
        _check_media_type(request)
    try:
        body = await request.body()
    except InternalServerException as error:
        # The framework's word for a client that left; nobody reads this answer, and it is no fault of ours to log.
        raise ApiError("invalid-request", "The body ended before it was complete.") from error
    body_was_read(request)
    return body


async def decode_body(body: bytes, cls: type[S]) -> S:
    """Decode a body whose every member must be known; an empty one stands for `{}`.

    Raises:
        ApiError, InvalidRequest, UnknownMember: see the contract of errors, docs/reference/http.md.
    """
    return await _beside_the_loop(body, lambda: _decode_body(body or b"{}", cls))


async def decode_report(body: bytes, cls: type[S]) -> S:
    """Decode a body whose unknown members are ignored; an empty one stands for `{}`, and U+FFFD for the unstorable.

    Raises:
        ApiError, InvalidRequest: see the contract of errors, docs/reference/http.md.
    """
    return await _beside_the_loop(body, lambda: _decode_report(body or b"{}", cls))


async def decode_input(body: bytes, serializer: Serializer) -> Input | InterruptionRequest:
    """Decode the body of an input: `{"text": ...}`, or an envelope with a `type`, which may also be an interrupt.

    Raises:
        ApiError, InvalidInput, UnknownMember: see the contract of errors, docs/reference/http.md.
    """
    return await _beside_the_loop(body, lambda: _decode_input(body, serializer))


async def decode_interruption(body: bytes) -> InterruptionRequest:
    """Decode the body of an interrupt: nothing, `{"reason": ..., "eventFlowId": ...}`, or the envelope.

    Raises:
        ApiError, InvalidRequest, UnknownMember: see the contract of errors, docs/reference/http.md.
    """
    return await _beside_the_loop(body, lambda: _decode_interruption(body or b"{}"))


async def decode_response(body: bytes, serializer: Serializer) -> Answer:
    """Decode the envelope of an answer.

    Raises:
        ApiError, InvalidResponse: see the contract of errors, docs/reference/http.md.
    """
    return await _beside_the_loop(body, lambda: _decode_response(body, serializer))


async def decode_envelope(frame: bytes, serializer: Serializer) -> Input | InterruptionRequest | Answer:
    """Decode a frame that holds the envelope of an input, an interrupt or an answer; nothing stands for a `type`.

    Raises:
        ApiError, InvalidInput, InvalidResponse: see the contract of errors, docs/reference/http.md.
    """
    return await _beside_the_loop(frame, lambda: _decode_envelope(frame, serializer))


def _check_media_type(request: Request[Any, Any, Any]) -> None:
    declared = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    is_json = declared == "application/json" or (declared.startswith("application/") and declared.endswith("+json"))
    if declared and not is_json:
        raise ApiError(
            "unsupported-media-type", f"Send JSON with the header Content-Type: application/json, not {declared[:100]}."
        )
    if request.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise ApiError("unsupported-media-type", "Send the body uncompressed, without the header Content-Encoding.")


async def _beside_the_loop(body: bytes, decode: Callable[[], T]) -> T:
    return await asyncio.to_thread(decode) if len(body) > _TOO_LARGE_FOR_THE_LOOP else decode()


def _decode_body(body: bytes, cls: type[S]) -> S:
    _refuse_unknown(_object(body, InvalidRequest), cls)
    return _typed(body, cls, InvalidRequest)


def _decode_report(body: bytes, cls: type[S]) -> S:
    body = strict.mended(body)
    _object(body, InvalidRequest)
    return _typed(body, cls, InvalidRequest)


def _decode_input(body: bytes, serializer: Serializer) -> Input | InterruptionRequest:
    members = _object(body, InvalidInput)
    if "type" in members:
        return _read_input(body, _type_of(members, InvalidInput), serializer)
    _refuse_unknown(members, UserTextInput)
    return _read_input(body, UserTextInput.wire_type, serializer)


def _read_input(body: bytes, wire_type: str, serializer: Serializer) -> Input | InterruptionRequest:
    if wire_type.upper() == InterruptionRequest.wire_type:
        return _typed(body, InterruptionRequest, InvalidInput)
    try:
        return serializer.decode_input(body, wire_type)
    except EnvelopeRefused as error:
        raise InvalidInput(plain_sentence(str(error).removesuffix("."))) from error


def _decode_interruption(body: bytes) -> InterruptionRequest:
    members = _object(body, InvalidRequest)
    if "type" not in members:
        _refuse_unknown(members, InterruptionRequest)
    elif _type_of(members, InvalidRequest).upper() != InterruptionRequest.wire_type:
        raise InvalidRequest(f"The envelope must be an {InterruptionRequest.wire_type} - at `$.type`.")
    return _typed(body, InterruptionRequest, InvalidRequest)


def _decode_response(body: bytes, serializer: Serializer) -> Answer:
    members = _object(body, InvalidResponse)
    if "type" not in members:
        raise InvalidResponse("The body must be the envelope of a response, with a `type` - at `$`.")
    return _read_response(body, _type_of(members, InvalidResponse), serializer)


def _decode_envelope(frame: bytes, serializer: Serializer) -> Input | InterruptionRequest | Answer:
    members = _object(frame, InvalidInput)
    if "type" not in members:
        raise InvalidInput("The frame must be an envelope, with a `type` - at `$`.")
    wire_type = _type_of(members, InvalidInput)
    cls = serializer.catalog.named(wire_type)
    if cls is not None and issubclass(cls, Answer):
        return _read_response(frame, wire_type, serializer)
    return _read_input(frame, wire_type, serializer)


def _read_response(body: bytes, wire_type: str, serializer: Serializer) -> Answer:
    try:
        return serializer.decode_response(body, wire_type)
    except EnvelopeRefused as error:
        raise InvalidResponse(plain_sentence(str(error).removesuffix("."))) from error


def _typed(body: bytes, cls: type[S], refusal: type[Invalid]) -> S:
    try:
        return msgspec.json.decode(body, type=cls)
    except msgspec.DecodeError as error:
        raise refusal(plain_sentence(str(error))) from error


def _type_of(members: Mapping[str, msgspec.Raw], refusal: type[Invalid]) -> str:
    wire_type = _text_of(members["type"])
    if wire_type is None:
        raise refusal("`type` must be a string - at `$.type`.")
    return wire_type


def _object(body: bytes, refusal: type[Invalid]) -> Mapping[str, msgspec.Raw]:
    try:
        return strict.members(body)
    except strict.TooDeep as error:
        raise ApiError("payload-too-large", str(error)) from error
    except strict.BodyRefused as error:
        raise refusal(str(error)) from error


def _text_of(member: msgspec.Raw | None) -> str | None:
    """Return a member that is a string."""
    if member is None or not bytes(member).startswith(b'"'):
        return None
    return msgspec.json.decode(member, type=str)


def _refuse_unknown(value: Mapping[str, msgspec.Raw], cls: type[msgspec.Struct]) -> None:
    for member in value:
        if member not in _members(cls):
            raise UnknownMember(member)


@cache
def _members(cls: type[msgspec.Struct]) -> frozenset[str]:
    return frozenset(field.encode_name for field in msgspec.structs.fields(cls))
