"""``tollkey people``: people who can sign in to the Dashboard."""

from __future__ import annotations

from typing import Annotated

import typer

from tollkey.cli.common import AsJson, BaseUrl, Data, Database, address_of, fail, opened, show_link
from tollkey.dashboard import reset_link

app = typer.Typer(no_args_is_help=True, help="Manage people who can sign in to the Dashboard.")


@app.callback()
def root() -> None:
    """Manage people who can sign in to the Dashboard."""


@app.command()
def reset(
    email: Annotated[str, typer.Argument(help="Email address of the person.")],
    second_factors: Annotated[bool, typer.Option("--second-factors",
    help="Also remove the authenticator app and passkeys.")] = False,
    base_url: BaseUrl = None,
    data: Data = None, database: Database = None, json_: AsJson = False,
) -> None:  # fmt: skip
    """Print a password reset link. It works once, for one hour; using it ends the person's sessions."""
    with opened(data, database, base_url) as core:
        keyring, ids, now, base = core.authority.keyring, core.setup.ids, int(core.now()), address_of(core)
        link = core.database.write(
            lambda tx: reset_link(tx, keyring, ids, base, email, now, factors=second_factors), lock="people"
        )
        if link is None:
            raise fail(f"no person with the email address {email}")
        show_link(core, link, {"email": email}, "reset_link", json_)
