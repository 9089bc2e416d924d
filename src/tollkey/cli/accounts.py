"""``tollkey accounts``: the accounts of this server, each with keys of its own."""

from __future__ import annotations

from typing import Annotated

import typer

from tollkey.cli.common import (
    ACTOR,
    Account,
    AsJson,
    BaseUrl,
    Data,
    Database,
    address_of,
    fail,
    opened,
    scope_of,
    show,
    show_link,
    table,
    when,
)
from tollkey.core import owner_link
from tollkey.db import Scope
from tollkey.platform.merchants import create_merchant, merchants

app = typer.Typer(no_args_is_help=True, help="List and create accounts.")


@app.command("list")
def list_accounts(data: Data = None, database: Database = None, json_: AsJson = False) -> None:
    """List accounts, oldest first."""
    with opened(data, database) as core:
        found = core.database.read(merchants)
        values = [{"id": m.id, "name": m.name, "created": m.created} for m in found]
        show(
            values,
            json_,
            lambda: table(("ID", "NAME", "CREATED (UTC)"), [(m.id, m.name, when(m.created)) for m in found]),
        )


@app.command()
def create(
    name: Annotated[str, typer.Option(help="Business name.")],
    email: Annotated[str | None, typer.Option(help="Email address of the business.")] = None,
    country: Annotated[str, typer.Option(help="Two-letter country code.")] = "US",
    data: Data = None, database: Database = None, json_: AsJson = False,
) -> None:  # fmt: skip
    """Create an account with its four default keys."""
    if len(country) != 2 or not country.isalpha():
        raise typer.BadParameter("must be a two-letter country code", param_hint="--country")
    with opened(data, database, new=True) as core:
        made = core.database.write(
            lambda tx: create_merchant(
                core.call(tx, Scope("", False)),
                core.authority,
                name=name,
                email=email,
                country=country.upper(),
                actor=ACTOR,
            ),
            lock="merchants",
        )
        show({"id": made.id, "name": made.name, "created": made.created}, json_, lambda: [made.id])


@app.command("owner-link")
def owner(
    base_url: BaseUrl = None,
    account: Account = None, data: Data = None, database: Database = None, json_: AsJson = False,
) -> None:  # fmt: skip
    """Print a one-time link for becoming the owner of an account that has no owner yet.

    Earlier links stop working.
    """
    with opened(data, database, base_url) as core:
        id = scope_of(core, account, False).account
        link = owner_link(core, id, address_of(core))
        if link is None:
            raise fail(f"{id} already has an owner: sign in, or ask the owner for an invitation")
        show_link(core.database, link, {"account": id}, "owner_link", json_)
