"""The command `branchline`."""

import rich_click as click

from hosting.cli.serve import serve


@click.group()
@click.version_option(package_name="branchline")
def main() -> None:
    """Branchline hosts agents: durable events, exact resume, branches."""


main.add_command(serve)
