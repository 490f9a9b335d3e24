"""An operator's hands on the credentials of a server: values go in, and never come out here."""

from typing import Any, Final
from urllib.parse import quote, urlencode

from msgspec import Struct

from hosting.client.answer import check_answer
from hosting.client.connection import Connection

_PATH: Final = "/credentials"


class CredentialShown(Struct, frozen=True, kw_only=True, rename="camel"):
    """A credential without its value; `key_id` names the key that this is sealed with."""

    name: str
    key_id: str
    updated_at: str
    project: str | None = None
    environment: str | None = None
    session: str | None = None


class AuditEntryShown(Struct, frozen=True, kw_only=True, rename="camel"):
    """Who did what with which credentials; `asked` is another organization that was asked for, in vain."""

    id: str
    at: str
    action: str
    by: str
    names: tuple[str, ...]
    project: str | None = None
    environment: str | None = None
    session: str | None = None
    asked: str | None = None


class AuditShown(Struct, frozen=True, kw_only=True):
    """The audit, the last entry first; `next` is the `before` of the entries behind these, while there are any."""

    entries: tuple[AuditEntryShown, ...]
    next: int | None = None


class Rekeyed(Struct, frozen=True, kw_only=True, rename="camel"):
    """How many credentials were sealed anew with the newest key, and how many nobody can open any more."""

    key_id: str
    rekeyed: int
    unreadable: int


class Rotated(Struct, frozen=True, kw_only=True, rename="camel"):
    """That a change elsewhere was told, and how many sessions are worked on that it concerns."""

    kind: str
    session_count: int
    rotated_at: str


class _Listed(Struct):
    credentials: tuple[CredentialShown, ...]


class Credentials:
    """What an operator does with credentials; without `project`, `environment` and `session` it is the whole tenant.

    Every request raises what those of Client do.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def set(
        self,
        name: str,
        value: str,
        *,
        project: str | None = None,
        environment: str | None = None,
        session: str | None = None,
    ) -> CredentialShown:
        """Set a credential; it counts from now on, and where a broader one has its name, instead of that."""
        path = _of(name, project=project, environment=environment, session=session)
        return await self._connection.put(path, {"value": value}, CredentialShown)

    async def delete(
        self, name: str, *, project: str | None = None, environment: str | None = None, session: str | None = None
    ) -> None:
        """Delete a credential; one of a broader layer counts then, if there is one."""
        path = _of(name, project=project, environment=environment, session=session)
        check_answer(await self._connection.request("DELETE", path))

    async def listed(
        self, *, project: str | None = None, environment: str | None = None, session: str | None = None
    ) -> tuple[CredentialShown, ...]:
        """Return those whose layer names what is named here, by name."""
        path = _PATH + _query(project=project, environment=environment, session=session)
        return (await self._connection.get(path, _Listed)).credentials

    async def audit(self, *, limit: int | None = None, before: int | None = None) -> AuditShown:
        """Return who did what, the last first."""
        return await self._connection.get(f"{_PATH}/audit{_query(limit=limit, before=before)}", AuditShown)

    async def rekey(self) -> Rekeyed:
        """Seal what older keys have sealed with the newest one, so that the older ones can go."""
        return await self._connection.post(f"{_PATH}/rekey", {}, Rekeyed)

    async def rotate(self, organization: str, kind: str) -> Rotated:
        """Tell all who follow that something was changed elsewhere, so that they take their environment maps anew."""
        body = {"orgId": organization, "kind": kind}
        return await self._connection.post("/api/daemon/credentials/rotate", body, Rotated)


def _of(name: str, **layer: str | None) -> str:
    return f"{_PATH}/{quote(name, safe='')}{_query(**layer)}"


def _query(**given: Any) -> str:
    said = urlencode({name: value for name, value in given.items() if value is not None})
    return f"?{said}" if said else ""
