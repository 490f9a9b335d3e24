"""`branchline keys`."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import Final, TypeVar

import rich_click as click

from events.ids import is_client_id, random_hex
from hosting.adapters.files.key_file import add_key, ensure_key_file
from hosting.adapters.sql.visit import keys_beside, visit_keys
from hosting.cli.aside import note, refuse
from hosting.cli.table import print_table
from hosting.domain.api_key import SECRET_BYTES, ApiKey, hash_key, make_key
from hosting.domain.errors import BranchlineError, StorageUnavailable
from hosting.domain.identity import Role
from hosting.domain.scope import LOCAL_TENANT, TenantId
from hosting.ports.clock import system_clock
from hosting.ports.keys import ApiKeys
from hosting.settings import load_settings

T = TypeVar("T")

_WHO: Final = "branchline keys"
_LONGEST_PROJECT: Final = 200
_HEADINGS: Final = ("ID", "TENANT", "ROLE", "PROJECT", "KEY", "CREATED", "REVOKED")


@click.group()
def keys() -> None:
    """Make and revoke the keys by which callers show who they are.

    The settings say in which database they are; a server that is on it knows them at once.
    """


@keys.command()
@click.option("--tenant", default=LOCAL_TENANT, show_default=True, help="Whose everything is that the key opens.")
@click.option("--role", required=True, type=click.Choice([role.value for role in Role]), help="What it may do.")
@click.option("--project", help="The only project that it is for; workers have projects.")
def create(tenant: str, role: str, project: str | None) -> None:
    """Make a key and print it, this once: nothing but the key goes to standard output."""
    _check(tenant, Role(role), project)
    secret, now = secrets.token_bytes(SECRET_BYTES), system_clock()
    key, text = make_key(TenantId(tenant), Role(role), project, secret=secret, key_id=f"key_{random_hex()}", now=now)
    _visit(lambda stored: stored.add(key, hash_key(text)))
    print(text.reveal())
    note(f"Key {key.id} is for the role {role} of tenant {tenant}. It is not shown again: keep it where secrets are.")


@keys.command("list")
@click.option("--tenant", help="Only the keys of this tenant.")
def list_keys(tenant: str | None) -> None:
    """Print what is known of the keys, a line each; the keys themselves nobody knows."""
    found = _visit(lambda stored: stored.listed(TenantId(tenant) if tenant else None))
    print_table(_HEADINGS, map(_row, found))


@keys.command()
@click.argument("key_id", metavar="ID")
def revoke(key_id: str) -> None:
    """Let the key with this ID open nothing from now on."""
    revoked = _visit(lambda stored: stored.revoke(key_id, system_clock())) if is_client_id(key_id) else None
    if revoked is None:
        refuse(
            _WHO, f"There is no key {key_id!r}; `branchline keys list` tells which there are. An ID begins with key_."
        )
    note(f"Key {revoked.id} opens nothing since {_shown(revoked.revoked_at)}.")


@keys.command()
def rotate() -> None:
    """Add a key that signs the tokens of workers from now on; tokens signed before stay good until they expire."""
    try:
        settings = load_settings()
        path = keys_beside(settings.database_url.reveal()) if settings.key_file is None else Path(settings.key_file)
        if path is None:
            refuse(_WHO, "Nothing lies beside a PostgreSQL database: name the file of the keys in BRANCHLINE_KEY_FILE.")
        if ensure_key_file(path):
            note(f"There was no key file: {path} is made, with one key in it.")
        else:
            note(f"Key {add_key(path)} signs from now on; it is the last line of {path}.")
    except BranchlineError as error:
        refuse(_WHO, str(error))


def _visit(errand: Callable[[ApiKeys], Awaitable[T]]) -> T:
    """Do something with the keys of the database that the settings name."""

    async def visit(url: str) -> T:
        async with visit_keys(url, lambda place: note(f"Bringing the tables of {place} up to date.")) as stored:
            return await errand(stored)

    try:
        return asyncio.run(visit(load_settings().database_url.reveal()))
    except StorageUnavailable as error:
        refuse(_WHO, f"The database cannot be used now: {error.why.rstrip('.')}.")
    except BranchlineError as error:
        refuse(_WHO, str(error))


def _check(tenant: str, role: Role, project: str | None) -> None:
    if not is_client_id(tenant):
        raise click.UsageError("--tenant takes 1 to 128 of A-Z a-z 0-9 . _ ~ -.")
    if project is None:
        return
    if role is not Role.WORKER:
        # Nothing else is divided by projects: such a key would open all that is its tenant's.
        raise click.UsageError("--project goes with --role worker only: sessions and agents have no projects.")
    if not project.strip() or not project.isprintable() or len(project) > _LONGEST_PROJECT:
        raise click.UsageError(f"--project takes 1 to {_LONGEST_PROJECT} printable characters.")


def _row(key: ApiKey) -> tuple[str, ...]:
    shown = f"{key.shown}..."
    return key.id, key.tenant, key.role, key.project or "-", shown, _shown(key.created_at), _shown(key.revoked_at)


def _shown(moment: datetime | None) -> str:
    return "-" if moment is None else f"{moment:%Y-%m-%dT%H:%M:%SZ}"
