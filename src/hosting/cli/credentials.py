"""`branchline credentials`."""

import sys
from collections.abc import Callable
from typing import Any, Final, TypeVar

import rich_click as click

from hosting.cli.aside import note, refuse
from hosting.cli.fleet_errand import ask_fleet, to_server
from hosting.cli.table import print_table
from hosting.client import AuditEntryShown, CredentialShown
from hosting.domain.credential import check_name
from hosting.domain.credential_errors import CredentialRefused

C = TypeVar("C", bound=Callable[..., Any])

_WHO: Final = "branchline credentials"
_HEADINGS: Final = ("NAME", "PROJECT", "ENVIRONMENT", "SESSION", "UPDATED", "KEY")
_AUDIT_HEADINGS: Final = ("AT", "ACTION", "BY", "NAMES", "PROJECT", "ENVIRONMENT", "SESSION", "ASKED")
_MOST_BYTES: Final = 64 << 10
_MOST_ENTRIES: Final = 200
_PATHS: Final = frozenset({"audit", "rekey"})
"""Names that the server's own routes have."""
_NO_ARGUMENT: Final = (
    "This takes one NAME and the options that name a layer. The value is never an argument: it comes from standard "
    "input, or is asked for. What was typed is in the shell's history, so if it was a value, take another one."
)


def _in_layer(command: C) -> C:
    """Give a command the options that name a layer."""
    for name, what in (
        ("session", "Only in this session."),
        ("environment", "Only in this environment, such as production."),
        ("project", "Only in this project."),
    ):
        command = click.option(f"--{name}", help=what)(command)
    return command


@click.group()
def credentials() -> None:
    """Keep the secrets that agents and workers are run with.

    They hold in the whole tenant or in a layer of it; the narrower layer wins.
    """


# Whatever is too much is taken here, and not told of by the library, which would show it: it may be the value.
@credentials.command("set", context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
@click.argument("name")
@_in_layer
@to_server
@click.pass_context
def set_credential(context: click.RichContext, /, name: str, url: str, key: str | None, **layer: str | None) -> None:
    """Set the credential NAME; its value comes from standard input, or is asked for and not shown."""
    if context.args:
        raise click.UsageError(_NO_ARGUMENT, context)
    _check_name(name)
    value = _value(name)
    shown = ask_fleet(_WHO, url, key, lambda fleet: fleet.credentials.set(name, value, **layer))
    note(f"Credential {shown.name} is set {_where(shown)}.")


@credentials.command("list")
@_in_layer
@to_server
def list_credentials(url: str, key: str | None, **layer: str | None) -> None:
    """Print the credentials, a line each; their values nobody is shown."""
    print_table(_HEADINGS, map(_row, ask_fleet(_WHO, url, key, lambda fleet: fleet.credentials.listed(**layer))))


@credentials.command()
@click.argument("name")
@_in_layer
@to_server
def delete(name: str, url: str, key: str | None, **layer: str | None) -> None:
    """Delete the credential NAME; one of a broader layer counts then, if there is one."""
    ask_fleet(_WHO, url, key, lambda fleet: fleet.credentials.delete(name, **layer))
    note(f"Credential {name} is deleted.")


@credentials.command()
@click.option(
    "--limit",
    type=click.IntRange(1, _MOST_ENTRIES),
    default=_MOST_ENTRIES,
    show_default=True,
    help="How many entries at most.",
)
@to_server
def audit(limit: int, url: str, key: str | None) -> None:
    """Print who did what with credentials, a line each, the last first."""
    shown = ask_fleet(_WHO, url, key, lambda fleet: fleet.credentials.audit(limit=limit))
    print_table(_AUDIT_HEADINGS, map(_audit_row, shown.entries))


@credentials.command()
@to_server
def rekey(url: str, key: str | None) -> None:
    """Seal what older keys have sealed with the newest one, after `branchline keys rotate`."""
    done = ask_fleet(_WHO, url, key, lambda fleet: fleet.credentials.rekey())
    note(f"{done.rekeyed} are sealed with key {done.key_id} now.")
    if done.unreadable:
        refuse(_WHO, f"{done.unreadable} cannot be read by any key of the file; set them once more.")


@credentials.command()
@click.argument("organization")
@click.argument("kind")
@to_server
def rotate(organization: str, kind: str, url: str, key: str | None) -> None:
    """Tell who follows the sessions of ORGANIZATION that secrets of a KIND were changed elsewhere."""
    told = ask_fleet(_WHO, url, key, lambda fleet: fleet.credentials.rotate(organization, kind))
    note(f"Told at {told.rotated_at}; {told.session_count} sessions are worked on.")


def _check_name(name: str) -> None:
    # Before the value is asked for: whoever has typed it should not have to do it once more.
    if name in _PATHS:
        refuse(_WHO, f"{name} is the name of a route, and can be none of a credential (credential-refused).")
    try:
        check_name(name)
    except CredentialRefused as error:
        refuse(_WHO, f"{str(error).removesuffix('.')} ({error.code}).")


def _value(name: str) -> str:
    """Return what somebody types, or what comes by a pipe, without one newline at its end."""
    if sys.stdin.isatty():
        return str(click.prompt(f"Value of {name}", hide_input=True, err=True))
    try:
        given = sys.stdin.buffer.read(_MOST_BYTES + 2).decode()
    except UnicodeDecodeError:
        refuse(_WHO, "The value is no text in UTF-8.")
    return given.removesuffix("\n").removesuffix("\r")


def _where(shown: CredentialShown) -> str:
    named = (("project", shown.project), ("environment", shown.environment), ("session", shown.session))
    layer = " and ".join(f"{what} {name!r}" for what, name in named if name is not None)
    return f"in {layer}" if layer else "for the whole tenant"


def _row(shown: CredentialShown) -> tuple[str, ...]:
    layer = (shown.project or "-", shown.environment or "-", shown.session or "-")
    return shown.name, *layer, _second(shown.updated_at), shown.key_id


def _audit_row(entry: AuditEntryShown) -> tuple[str, ...]:
    layer = (entry.project or "-", entry.environment or "-", entry.session or "-")
    return _second(entry.at), entry.action, entry.by, ",".join(entry.names) or "-", *layer, entry.asked or "-"


def _second(timestamp: str) -> str:
    return f"{timestamp.partition('.')[0].removesuffix('Z')}Z"
