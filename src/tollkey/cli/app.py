"""The commands, put together. Exit codes: 0 done, 1 refused or failed, 2 wrong usage."""

from __future__ import annotations

import typer

from tollkey.cli import accounts, keys, people
from tollkey.cli.doctor import doctor
from tollkey.cli.openapi import openapi
from tollkey.cli.serve import serve

app = typer.Typer(name="tollkey", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=(
    "Stripe's API-key system as software that anyone can run, with the payments API behind it. Not affiliated with Stripe."
))  # fmt: skip
app.command()(serve)
app.command()(doctor)
app.command()(openapi)
app.add_typer(keys.app, name="keys")
app.add_typer(accounts.app, name="accounts")
app.add_typer(people.app, name="people")


@app.callback()
def root() -> None:
    """Keys, and the API behind them."""


def main() -> None:
    """Run the command line."""
    app()
