"""Finding sessions by their metadata, page by page: no database compares JSON values as the contract does."""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, Final, cast

import msgspec
from sqlalchemy import Connection, Row, bindparam, or_, select

from hosting.adapters.sql.rows import to_session
from hosting.adapters.sql.tables import sessions
from hosting.domain.scope import TenantId
from hosting.domain.session import Session

_ROWS: Final = 500
_NEWEST: Final = (
    select(sessions)
    .where(sessions.c.tenant == bindparam("owner"))
    .order_by(sessions.c.last_activity.desc(), sessions.c.id)
    .limit(_ROWS)
)
_BEHIND: Final = _NEWEST.where(
    or_(
        sessions.c.last_activity < bindparam("active"),
        (sessions.c.last_activity == bindparam("active")) & (sessions.c.id > bindparam("session")),
    )
)


def search(
    connection: Connection, tenant: TenantId, wanted: Mapping[str, Any], limit: int, offset: int
) -> list[Session]:
    """Return the sessions whose metadata has all wanted names with values of the same text, newest activity first."""
    texts = {name: _text(value) for name, value in wanted.items()}
    found = (session for session in _all(connection, tenant) if _fits(session.metadata, texts))
    return list(islice(found, offset, offset + limit))


def _all(connection: Connection, tenant: TenantId) -> Iterator[Session]:
    page = _page(connection, _NEWEST, owner=tenant)
    while page:
        yield from map(to_session, page)
        last = page[-1]
        page = _page(connection, _BEHIND, owner=tenant, active=last.last_activity, session=last.id)


def _page(connection: Connection, statement: Any, **given: object) -> list[Row[Any]]:
    return cast("list[Row[Any]]", connection.execute(statement, given).all())


def _fits(metadata: Mapping[str, Any], texts: Mapping[str, str]) -> bool:
    return all(name in metadata and _text(metadata[name]) == text for name, text in texts.items())


def _text(value: object) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
