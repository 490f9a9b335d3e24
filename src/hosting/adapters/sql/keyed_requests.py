"""Keyed requests: reserved before their effect, answered with it, in one transaction."""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, delete, select, tuple_, update

from hosting.adapters.sql.dialect import insert_if_absent
from hosting.adapters.sql.tables import keyed_requests
from hosting.adapters.sql.times import from_ticks, to_ticks
from hosting.adapters.sql.transactor import Transactor
from hosting.domain.keyed_errors import RequestRepeated
from hosting.domain.keyed_request import KEPT, Answer, AnsweredRequest, GivenAnswer, KeyedRequest, RequestPlace

_UNANSWERED: Final = Answer(b"")
_HERE: Final = (
    keyed_requests.c.tenant == bindparam("tenant"),
    keyed_requests.c.path == bindparam("path"),
    keyed_requests.c.method == bindparam("method"),
    keyed_requests.c.key == bindparam("key"),
)
_AT: Final = (
    keyed_requests.c.tenant == bindparam("its_tenant"),
    keyed_requests.c.path == bindparam("its_path"),
    keyed_requests.c.method == bindparam("its_method"),
    keyed_requests.c.key == bindparam("its_key"),
)
GIVEN_ANSWER: Final = select(keyed_requests).where(*_HERE)
_FORGET: Final = delete(keyed_requests).where(*_HERE, keyed_requests.c.received_at < bindparam("before"))
_ANSWER: Final = update(keyed_requests).where(*_AT).values(location=bindparam("where"), body=bindparam("said"))
_PLACE: Final = tuple_(*keyed_requests.primary_key)
_OLD: Final = (
    select(*keyed_requests.primary_key)
    .where(keyed_requests.c.received_at < bindparam("before"))
    .order_by(keyed_requests.c.received_at)
    .limit(bindparam("most"))
    # Another server may be at it.
    .with_for_update(skip_locked=True)
)
_FORGET_OLD: Final = delete(keyed_requests).where(_PLACE.in_(_OLD))


class SqlKeyedRequests:
    """See the door, KeyedRequests."""

    def __init__(self, transactor: Transactor) -> None:
        self._transactor = transactor

    async def forget(self, now: datetime, most: int) -> int:
        """See KeyedRequests.forget."""
        given = {"before": to_ticks(now - KEPT), "most": most}
        return await self._transactor.run(lambda connection: connection.execute(_FORGET_OLD, given).rowcount)


def reserve_request(connection: Connection, request: KeyedRequest) -> bool:
    """Take a request's place; False when it is taken. Whoever else wants it waits until this transaction has ended."""
    return _take(connection, request, _UNANSWERED)


def keep_answer(connection: Connection, answered: AnsweredRequest | None) -> None:
    """Store a request with its answer, if it has a key.

    Raises:
        RequestRepeated: its place is taken; this transaction must come to nothing.
    """
    if answered is not None and not _take(connection, answered.request, answered.answer):
        raise RequestRepeated


def _take(connection: Connection, request: KeyedRequest, answer: Answer) -> bool:
    place = request.place._asdict()
    connection.execute(_FORGET, {**place, "before": to_ticks(request.received_at - KEPT)})
    row = {
        **place,
        "fingerprint": request.fingerprint,
        "received_at": to_ticks(request.received_at),
        "location": answer.location,
        "body": answer.body,
    }
    return connection.execute(insert_if_absent(connection.dialect.name, keyed_requests), row).rowcount > 0


def record_answer(connection: Connection, place: RequestPlace, answer: Answer) -> None:
    """Store the answer of a request whose place this transaction has taken."""
    at = {f"its_{name}": value for name, value in place._asdict().items()}
    connection.execute(_ANSWER, {**at, "where": answer.location, "said": answer.body})


def is_recorded(connection: Connection, request: KeyedRequest) -> bool:
    """Say whether this very request has its place, not the same one come again."""
    row = connection.execute(GIVEN_ANSWER, request.place._asdict()).one_or_none()
    if row is None:
        return False
    return (row.fingerprint, row.received_at) == (request.fingerprint, to_ticks(request.received_at))


def to_given_answer(row: Row[Any]) -> GivenAnswer:
    """Return what a row holds."""
    return GivenAnswer(row.fingerprint, Answer(row.body, row.location), from_ticks(row.received_at))
