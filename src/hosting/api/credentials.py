"""Routes by which operators keep credentials: names and layers are shown, values never."""

from typing import Annotated, Any, Final

from litestar import Request, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import PathParameter, QueryParameter
from msgspec import UNSET, Struct, UnsetType

from events.ids import SessionId, is_client_id
from events.serializer import timestamp_text
from hosting.api.bodies import MAX_BODY, decode_body, read_body
from hosting.api.caller import Caller
from hosting.api.openapi import answers, takes
from hosting.api.parameters import check_parameters
from hosting.domain.audit_entry import AuditEntry
from hosting.domain.credential import CredentialLabel, Layer
from hosting.domain.errors import SessionMissing
from hosting.domain.secret import Secret
from hosting.services.credentials.core import Credentials
from hosting.services.credentials.keeping import delete_credential, set_credential
from hosting.services.credentials.rekey import rekey

_MOST_ENTRIES: Final = 200
_SHOWN: Final = 100
_LARGEST: Final = (1 << 63) - 1
_Name = Annotated[str, PathParameter(description="The credential: 1 to 128 of A-Z a-z 0-9 _, no digit first.")]
_Project = Annotated[str | None, QueryParameter(description="Only in this project.")]
_Environment = Annotated[str | None, QueryParameter(description="Only in this environment, such as `production`.")]
_Session = Annotated[str | None, QueryParameter(description="Only in this session; with neither of the others.")]
_OF_LAYERS: Final = ("project", "environment", "session")
_REFUSALS: Final = ("credential-refused", "invalid-request", "no-sealing-key", "storage-unavailable")


class CredentialBody(Struct, frozen=True):
    """The value of a credential."""

    value: str

    def __repr__(self) -> str:
        """Show that there is one; whatever logs a body must not log this."""
        return "CredentialBody(***)"


class CredentialView(Struct, frozen=True, kw_only=True, rename="camel"):
    """A credential without its value; `keyId` names the key that this is sealed with."""

    name: str
    project: str | UnsetType = UNSET
    environment: str | UnsetType = UNSET
    session: str | UnsetType = UNSET
    key_id: str
    updated_at: str

    @classmethod
    def of(cls, credential: CredentialLabel) -> "CredentialView":
        """Show one."""
        layer = credential.layer
        return cls(
            name=credential.name,
            project=layer.project or UNSET,
            environment=layer.environment or UNSET,
            session=layer.session or UNSET,
            key_id=credential.key_id,
            updated_at=timestamp_text(credential.updated_at),
        )


class CredentialsView(Struct, frozen=True):
    """Credentials by name; of one name the broader ones first."""

    credentials: list[CredentialView]


class AuditEntryView(Struct, frozen=True, kw_only=True, rename="camel"):
    """Who did what with which credentials; `asked` is another organization that was asked for, in vain."""

    id: str
    at: str
    action: str
    by: str
    names: tuple[str, ...]
    project: str | UnsetType = UNSET
    environment: str | UnsetType = UNSET
    session: str | UnsetType = UNSET
    asked: str | UnsetType = UNSET

    @classmethod
    def of(cls, entry: AuditEntry) -> "AuditEntryView":
        """Show one."""
        return cls(
            id=entry.id,
            at=timestamp_text(entry.at),
            action=entry.action,
            by=entry.by,
            names=entry.names,
            project=entry.layer.project or UNSET,
            environment=entry.layer.environment or UNSET,
            session=entry.layer.session or UNSET,
            asked=UNSET if entry.asked is None else entry.asked,
        )


class AuditView(Struct, frozen=True):
    """The audit, the last entry first; `next` goes into `before` for the entries behind these, while there are any."""

    entries: list[AuditEntryView]
    next: int | UnsetType = UNSET


class RekeyedView(Struct, frozen=True, kw_only=True, rename="camel"):
    """How many credentials, definitions and runs were sealed anew with the newest key, and how many nobody can open."""

    key_id: str
    rekeyed: int
    unreadable: int


@put(
    "/credentials/{name:str}",
    status_code=200,
    request_max_body_size=MAX_BODY,
    opt=takes(CredentialBody),
    responses=answers(
        "session-not-found",
        "too-many-credentials",
        "unknown-member",
        "payload-too-large",
        "unsupported-media-type",
        *_REFUSALS,
    ),
)
async def put_credential(
    name: _Name,
    request: Request[Any, Any, Any],
    caller: NamedDependency[Caller],
    credentials: NamedDependency[Credentials],
    project: _Project = None,
    environment: _Environment = None,
    session: _Session = None,
) -> CredentialView:
    """Set a credential of the tenant, or of the layer in it that the parameters name; it counts from now on."""
    check_parameters(request, *_OF_LAYERS)
    credentials.check_key()
    layer = await _layer(caller, project, environment, session)
    said = await decode_body(await read_body(request), CredentialBody)
    return CredentialView.of(await set_credential(credentials, caller.identity, layer, name, Secret(said.value)))


@get("/credentials", responses=answers("invalid-request", "no-sealing-key", "storage-unavailable"))
async def list_credentials(
    request: Request[Any, Any, Any],
    caller: NamedDependency[Caller],
    credentials: NamedDependency[Credentials],
    project: _Project = None,
    environment: _Environment = None,
    session: _Session = None,
) -> CredentialsView:
    """List the tenant's credentials, or those whose layer names what the parameters name; without their values."""
    check_parameters(request, *_OF_LAYERS)
    credentials.check_key()
    found = await credentials.store.listed(caller.tenant)
    return CredentialsView(
        [
            CredentialView.of(each)
            for each in found
            if project in {None, each.layer.project}
            and environment in {None, each.layer.environment}
            and session in {None, each.layer.session}
        ]
    )


@delete(
    "/credentials/{name:str}",
    responses=answers("credential-not-found", "session-not-found", *_REFUSALS),
)
async def remove_credential(
    name: _Name,
    request: Request[Any, Any, Any],
    caller: NamedDependency[Caller],
    credentials: NamedDependency[Credentials],
    project: _Project = None,
    environment: _Environment = None,
    session: _Session = None,
) -> None:
    """Delete a credential of the tenant, or of the layer in it that the parameters name; a broader one counts then."""
    check_parameters(request, *_OF_LAYERS)
    credentials.check_key()
    layer = await _layer(caller, project, environment, session)
    await delete_credential(credentials, caller.identity, layer, name)


@get("/credentials/audit", responses=answers("no-sealing-key", "storage-unavailable"))
async def list_audit(
    caller: NamedDependency[Caller],
    credentials: NamedDependency[Credentials],
    limit: Annotated[int, QueryParameter(ge=1, le=_MOST_ENTRIES)] = _MOST_ENTRIES,
    before: Annotated[
        int | None, QueryParameter(ge=0, le=_LARGEST, description="Those behind, as `next` of the page before says.")
    ] = None,
) -> AuditView:
    """List who did what with the tenant's credentials in the last ninety days, the last first."""
    credentials.check_key()
    found = await credentials.audit.entries(caller.tenant, limit, before)
    is_full = len(found) == limit
    return AuditView([AuditEntryView.of(each) for each in found], found[-1].number if is_full else UNSET)


@post("/credentials/rekey", status_code=200, responses=answers("no-sealing-key", "storage-unavailable"))
async def post_rekey(caller: NamedDependency[Caller], credentials: NamedDependency[Credentials]) -> RekeyedView:
    """Seal the tenant's credentials with the newest key; for tenant `local`, those of all tenants."""
    done = await rekey(credentials, caller.identity)
    return RekeyedView(key_id=done.key_id, rekeyed=done.rekeyed, unreadable=done.unreadable)


async def _layer(caller: Caller, project: str | None, environment: str | None, session: str | None) -> Layer:
    """Return the layer that parameters name.

    Raises:
        SessionMissing: they name a session that is none of the caller's.
    """
    if session is None:
        return Layer(project, environment)
    if not is_client_id(session):
        raise SessionMissing(SessionId(session[:_SHOWN]))
    return Layer(project, environment, (await caller.session(SessionId(session))).id)


ROUTES: Final = (put_credential, list_credentials, remove_credential, list_audit, post_rekey)
