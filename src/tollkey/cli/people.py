"""``tollkey people``: those who sign in to the Dashboard."""

from __future__ import annotations

from typing import Annotated

import typer

from tollkey.cli.common import AsJson, BaseUrl, Data, Database, address_of, fail, opened, show_link
from tollkey.dashboard import reset_link

app = typer.Typer(no_args_is_help=True, help="Help people back in.")


@app.callback()
def root() -> None:
    """Help people back in."""


@app.command()
def reset(
    email: Annotated[str, typer.Argument(help="The address that the person signs in with.")],
    second_factors: Annotated[bool, typer.Option("--second-factors",
    help="Take authenticator app and passkeys away as well.")] = False,
    base_url: BaseUrl = None,
    data: Data = None, database: Database = None, json_: AsJson = False,
) -> None:  # fmt: skip
    """Print a link, good once and for an hour, where a person chooses a new password. Their sessions end then."""
    with opened(data, database, base_url) as core:
        keyring, ids, now, base = core.authority.keyring, core.setup.ids, int(core.now()), address_of(core)
        link = core.database.write(
            lambda tx: reset_link(tx, keyring, ids, base, email, now, factors=second_factors), lock="people"
        )
        if link is None:
            raise fail(f"nobody signs in with {email}")
        show_link(core, link, {"email": email}, "reset_link", json_)
