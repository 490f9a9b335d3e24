"""Keyed requests: reserved before their effect, answered with it, in one transaction."""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, delete, select, update

from hosting.adapters.sql.dialect import insert_if_absent
from hosting.adapters.sql.tables import keyed_requests
from hosting.adapters.sql.times import from_ticks, to_ticks
from hosting.domain.keyed_request import KEPT, Answer, GivenAnswer, KeyedRequest, RequestPlace

_UNANSWERED: Final = b""
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
_FORGET_OLD: Final = delete(keyed_requests).where(keyed_requests.c.received_at < bindparam("before"))


def reserve_request(connection: Connection, request: KeyedRequest) -> bool:
    """Take a request's place; False when it is taken. Whoever else wants it waits until this transaction has ended."""
    place = request.place._asdict()
    connection.execute(_FORGET, {**place, "before": to_ticks(request.received_at - KEPT)})
    row = {
        **place,
        "fingerprint": request.fingerprint,
        "received_at": to_ticks(request.received_at),
        "body": _UNANSWERED,
    }
    return connection.execute(insert_if_absent(connection.dialect.name, keyed_requests), row).rowcount > 0


def record_answer(connection: Connection, place: RequestPlace, answer: Answer) -> None:
    """Store the answer of a request whose place this transaction has taken."""
    at = {f"its_{name}": value for name, value in place._asdict().items()}
    connection.execute(_ANSWER, {**at, "where": answer.location, "said": answer.body})


def forget_requests(connection: Connection, now: datetime) -> int:
    """Forget what is older than is promised, and return how many those were."""
    return connection.execute(_FORGET_OLD, {"before": to_ticks(now - KEPT)}).rowcount


def to_given_answer(row: Row[Any]) -> GivenAnswer:
    """Return what a row holds."""
    return GivenAnswer(row.fingerprint, Answer(row.body, row.location), from_ticks(row.received_at))
