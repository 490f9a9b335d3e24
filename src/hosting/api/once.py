"""Requests with an Idempotency-Key: whoever sends one again gets the first answer, and has no second effect.

After draft-ietf-httpapi-idempotency-key-header-07, whose rules docs/reference/http.md tells in our words.
"""

import hashlib
import re
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar, cast

import msgspec
from litestar import MediaType, Request, Response
from msgspec import Struct

from hosting.api.bodies import read_body
from hosting.api.caller import Caller
from hosting.domain.errors import BranchlineError, InvalidRequest, StorageUnavailable
from hosting.domain.keyed_errors import RequestDiffers
from hosting.domain.keyed_request import KEPT, Answer, GivenAnswer, KeyedRequest, RequestPlace
from hosting.runtime.keyed import Keyed

T = TypeVar("T")

HEADER: Final = "Idempotency-Key"
REPLAYED: Final = "Idempotency-Replayed"
_KEY: Final = re.compile(r'("?)([\x21\x23-\x7e]{1,255})\1')


async def once(
    request: Request[Any, Any, Any],
    caller: Caller,
    act: Callable[[Keyed[T] | None], Awaitable[T]],
    render: Callable[[T], Answer],
    *,
    has_body: bool = True,
) -> Response[Any]:
    """Answer a request with what `act` results in; one with a key that was answered before, with that.

    `act` stores what it is given with its effect, or nothing of either; it also looks whether what the request names
    is there, since that may have gone by the time when the request comes again.

    Raises:
        InvalidRequest: the header is not one key of 1 to 255 visible ASCII characters.
        RequestDiffers: the key came with another body before.
        RequestUnderWay: the first request with the key has no answer yet.
    """
    key, path = _key_of(request), request.url.path
    # Nothing has an id with a zero byte in it, and PostgreSQL cannot even be asked for one.
    if key is None or "\0" in path:
        return _response(render(await act(None)))
    place = RequestPlace(caller.tenant, cast("str", request.method), path, key)
    with caller.runtime.keys_under_way.taken(place):
        body = await read_body(request) if has_body else b""
        keyed = KeyedRequest(place, hashlib.sha256(body).hexdigest(), caller.runtime.clock())
        given = await caller.reads.given_answer(place)
        if given is None or not given.is_kept(keyed.received_at):
            try:
                return _response(render(await act(Keyed(keyed, render))))
            except StorageUnavailable:
                # Whether it was done, nobody can tell now; who sends it again learns.
                raise
            except BranchlineError as refusal:
                given = await _given_meanwhile(caller, keyed, refusal)
        return _again(given, keyed)


async def _given_meanwhile(caller: Caller, keyed: KeyedRequest, refusal: BranchlineError) -> GivenAnswer:
    """Return what another server has answered, if that is why this one refuses; else raises the refusal.

    It need not be refused as repeated: an item that is not dead any more, or a run that has ended, is so by the first.
    """
    given = await caller.reads.given_answer(keyed.place)
    if given is None or not given.is_kept(keyed.received_at):
        raise refusal
    return given


def shown(view: Struct, location: str | None = None) -> Answer:
    """Return the answer that shows something, and where it is found."""
    return Answer(msgspec.json.encode(view), location)


def _key_of(request: Request[Any, Any, Any]) -> str | None:
    given = request.headers.getall(HEADER, [])
    if not given:
        return None
    match = _KEY.fullmatch(given[0].strip())
    if len(given) > 1 or match is None:
        raise InvalidRequest(f"The header {HEADER} must be one key of 1 to 255 visible ASCII characters.")
    return match[2]


def _again(given: GivenAnswer, keyed: KeyedRequest) -> Response[Any]:
    if given.fingerprint != keyed.fingerprint:
        raise RequestDiffers(KEPT)
    response = _response(given.answer)
    response.set_header(REPLAYED, "true")
    return response


def _response(answer: Answer) -> Response[Any]:
    headers = {} if answer.location is None else {"Location": answer.location}
    return Response(answer.body, headers=headers, media_type=MediaType.JSON)
