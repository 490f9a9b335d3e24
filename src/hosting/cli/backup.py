"""`branchline backup`."""

from pathlib import Path
from typing import Final

import rich_click as click

from hosting.adapters.sql.address import shown
from hosting.adapters.sql.backup import back_up
from hosting.cli.aside import note, refuse
from hosting.domain.errors import BranchlineError, StorageUnavailable
from hosting.settings import load_settings

_WHO: Final = "branchline backup"


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Replace FILE if it is there.")
def backup(file: Path, force: bool) -> None:  # noqa: FBT001 - click hands options over by name
    """Copy everything that the database holds into FILE, while servers are on it.

    The settings say which database; FILE is a SQLite file, whichever kind that is. It is what the database was at one
    moment, and is there only when it is whole. `branchline restore` makes a database of it again.
    """
    try:
        url = load_settings().database_url.reveal()
        made = back_up(url, file, replace=force)
    except StorageUnavailable as error:
        refuse(_WHO, f"The backup cannot be made now: {error.why.rstrip('.')}.")
    except BranchlineError as error:
        refuse(_WHO, str(error))
    print(made.file)
    note(f"{made.size_bytes:,} bytes of {shown(url)} are in it.")
    note("The key file is not: without a copy of that too, what is sealed (credentials, secrets) stays sealed.")
