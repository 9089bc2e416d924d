"""The commands, and the module that each stands in: who runs one loads no other."""

from __future__ import annotations

from importlib import import_module
from typing import Annotated

import typer

from tollkey import __version__
from tollkey.cli.errors import Commands

#: The first word of a command line, and the module whose function of that name, or whose ``app``, it runs.
MODULES = {
    "serve": "serve",
    "doctor": "doctor",
    "backup": "backup",
    "restore": "backup",
    "copy": "copy",
    "migrate": "migrate",
    "openapi": "openapi",
    "ca": "ca",
    "scan": "scan",
    "upgrade-check": "upgrade_check",
    "keys": "keys",
    "keyring": "keyring",
    "accounts": "accounts",
    "people": "people",
    "live": "live",
}


def build(word: str | None = None) -> typer.Typer:
    """Return the application.

    word: the first word of the command line; where it is a command, the application has no other, which takes a third
    of the time and 10 MB less memory for a server.
    """
    app = typer.Typer(name="tollkey", cls=Commands, no_args_is_help=True, add_completion=False,
    pretty_exceptions_enable=False, help=(
        "Stripe-compatible API keys and payments API that you run yourself."
        " Not affiliated with Stripe."
    ))  # fmt: skip
    for name in [word] if word in MODULES else MODULES:
        module = import_module(f"tollkey.cli.{MODULES[name]}")
        if isinstance(group := getattr(module, "app", None), typer.Typer):
            app.add_typer(group, name=name)
        else:
            app.command(name)(getattr(module, name.replace("-", "_")))
    app.callback()(_root)
    return app


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"tollkey {__version__}")
        raise typer.Exit()


def _root(
    version_: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Manage and run a Tollkey server."""
