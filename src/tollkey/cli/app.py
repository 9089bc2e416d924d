"""The command line application. Exit codes: 0 success, 1 refused or failed, 2 usage error, 3 database
unreachable.
"""

from __future__ import annotations

from typing import Annotated

import typer

from tollkey import __version__
from tollkey.cli import accounts, keyring, keys, live, people
from tollkey.cli.backup import backup, restore
from tollkey.cli.copy import copy
from tollkey.cli.doctor import doctor
from tollkey.cli.errors import Commands
from tollkey.cli.migrate import migrate
from tollkey.cli.openapi import openapi
from tollkey.cli.scan import scan
from tollkey.cli.serve import serve
from tollkey.cli.upgrade_check import upgrade_check

app = typer.Typer(name="tollkey", cls=Commands, no_args_is_help=True, add_completion=False,
pretty_exceptions_enable=False, help=(
    "Stripe-compatible API keys and payments API that you run yourself."
    " Not affiliated with Stripe."
))  # fmt: skip
app.command()(serve)
app.command()(doctor)
app.command()(backup)
app.command()(restore)
app.command()(copy)
app.command()(migrate)
app.command()(openapi)
app.command()(scan)
app.command()(upgrade_check)
app.add_typer(keys.app, name="keys")
app.add_typer(keyring.app, name="keyring")
app.add_typer(accounts.app, name="accounts")
app.add_typer(people.app, name="people")
app.add_typer(live.app, name="live")


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"tollkey {__version__}")
        raise typer.Exit()


@app.callback()
def root(
    version_: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Manage and run a Tollkey server."""


def main() -> None:
    """Run the command line."""
    app()
