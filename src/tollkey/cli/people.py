"""``tollkey people``: people who can sign in to the Dashboard."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from tollkey.cli.common import AsJson, BaseUrl, Data, address_of, fail, opened, refused, show_link
from tollkey.cli.keys_opening import Database, Keyring, library_named, open_library
from tollkey.dashboard import reset_link
from tollkey.db import Ids
from tollkey.db.schema import migrated_modules
from tollkey.settings import load_settings

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
    data: Data = None, database: Database = None, keyring: Keyring = None, json_: AsJson = False,
) -> None:  # fmt: skip
    """Print a password reset link. It works once, for one hour; using it ends the person's sessions.

    For the Dashboard of a library's database, name its URL with --base-url or TOLLKEY_BASE_URL.
    """
    library = library_named(data, database, keyring)
    if library is not None:
        return _reset_in_library(library, keyring, email, second_factors, base_url, json_)
    with opened(data, database, base_url) as core:
        material, ids, now, base = core.authority.keyring, core.setup.ids, int(core.now()), address_of(core)
        link = core.database.write(
            lambda tx: reset_link(tx, material, ids, base, email, now, factors=second_factors), lock="people"
        )
        if link is None:
            raise fail(f"no person with the email address {email}")
        show_link(core.database, link, {"email": email}, "reset_link", json_)


def _reset_in_library(
    library: str, keyring: str | None, email: str, factors: bool, base_url: str | None, as_json: bool
) -> None:
    try:
        base = base_url or load_settings().base_url
    except ValueError as problem:
        raise refused(problem) from None
    if not base:
        raise typer.BadParameter("name the URL of the Dashboard", param_hint="--base-url")
    with open_library(library, keyring) as keys:
        if "dashboard" not in migrated_modules(keys.database):
            raise fail("this database has no Dashboard yet: run `tollkey keys dashboard`")
        material, now = keys.authority.keyring, int(time.time())
        link = keys.database.write(
            lambda tx: reset_link(tx, material, Ids(), base, email, now, factors=factors), lock="people"
        )
        if link is None:
            raise fail(f"no person with the email address {email}")
        show_link(keys.database, link, {"email": email}, "reset_link", as_json)
