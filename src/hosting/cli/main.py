"""The command `branchline`."""

from importlib import import_module
from typing import Final, cast

import rich_click as click

# Loaded when they are called: what one command needs must not slow the others down (the server takes a second).
_HOMES: Final = {
    "backup": "hosting.cli.backup",
    "check": "hosting.cli.check",
    "credentials": "hosting.cli.credentials",
    "keys": "hosting.cli.keys",
    "new": "hosting.cli.new",
    "prune": "hosting.cli.prune",
    "restore": "hosting.cli.restore",
    "send": "hosting.cli.send",
    "serve": "hosting.cli.serve",
    "work": "hosting.cli.work",
    "worker": "hosting.cli.worker",
    "workers": "hosting.cli.workers",
}


class Commands(click.RichGroup):
    """The commands, each in the module that bears its name."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return their names."""
        return list(_HOMES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command; None when there is none of that name."""
        home = _HOMES.get(cmd_name)
        return None if home is None else cast("click.Command", getattr(import_module(home), cmd_name))


@click.group(cls=Commands)
@click.version_option(package_name="branchline")
def main() -> None:
    """Branchline hosts agents: durable events, exact resume, branches."""
