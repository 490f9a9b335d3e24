"""`branchline restore`."""

from pathlib import Path
from typing import Final

import rich_click as click

from hosting.adapters.sql.address import shown
from hosting.adapters.sql.restore import restore as restore_database
from hosting.cli.aside import note, refuse
from hosting.cli.counting import counted
from hosting.domain.errors import BranchlineError, StorageUnavailable
from hosting.ports.clock import system_clock
from hosting.settings import load_settings

_WHO: Final = "branchline restore"


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Replace what the database has; a SQLite file is kept beside the new one.")
def restore(file: Path, force: bool) -> None:  # noqa: FBT001 - click hands options over by name
    """Put what FILE, made by `branchline backup`, holds into the database that the settings name.

    Of either kind, and whole or not at all; no server may be on it. Every branch gets a new epoch: who comes back with
    a position from before is told so, and reads anew. Runs that were active are taken up again at the next start.
    """
    try:
        url = load_settings().database_url.reveal()
        made = restore_database(file, url, force=force, aside=f"before-{system_clock():%Y%m%dT%H%M%SZ}")
    except StorageUnavailable as error:
        refuse(_WHO, f"Nothing was restored: {error.why.rstrip('.')}.")
    except BranchlineError as error:
        refuse(_WHO, str(error))
    held = f"{counted(made.sessions, 'session')} with {counted(made.branches, 'branch', 'branches')}"
    note(f"{shown(url)} has {held} of {file}, with new epochs.")
    if made.aside is not None:
        note(f"What was there before is in {made.aside}.")
    note("The key file is none of it: what is sealed can be read with the keys that it was sealed with.")
