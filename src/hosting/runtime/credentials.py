"""The credentials of the place that a run is in; what is looked up here is kept nowhere."""

from hosting.domain.credential import is_credential_name
from hosting.domain.credential_errors import CredentialUnreadable, SealKeyMissing
from hosting.domain.scope import TenantId
from hosting.domain.secret import Secret
from hosting.runtime.bench import Bench
from hosting.runtime.core import Runtime
from middleware.errors import CredentialMissing, CredentialUnusable


async def credential_of(bench: Bench, name: str) -> Secret:
    """Return what a run has under a name; see ToolContext.credential."""
    if not isinstance(name, str):
        raise TypeError(f"A credential is asked for by its name, not by {type(name).__name__}.")
    vault = bench.runtime.vault
    # What cannot be a name is not there; some of it no store can be asked for.
    if vault is None or not is_credential_name(name):
        raise CredentialMissing(name)
    try:
        found = await vault.credential(bench.hand.lease.run, bench.project, name)
    except SealKeyMissing as error:
        raise CredentialMissing(name, f"This run has no credential {name!r}. {error}") from error
    except CredentialUnreadable as error:
        raise CredentialUnusable(name, str(error)) from error
    if found is None:
        raise CredentialMissing(name)
    return found


async def credential_names(runtime: Runtime, tenant: TenantId, project: str | None) -> frozenset[str]:
    """Return the names of the credentials that runs of agents of a project can have.

    Raises:
        StorageUnavailable: nobody can tell now.
    """
    return frozenset() if runtime.vault is None else await runtime.vault.names(tenant, project)
