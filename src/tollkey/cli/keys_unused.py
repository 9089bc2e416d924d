"""``tollkey keys unused``: keys that nobody uses."""

from __future__ import annotations

from typing import Annotated

import typer

from tollkey.cli.common import AsJson, show, table, when
from tollkey.cli.keys_opening import Account, Config, Data, Database, Keyring, Mode, open_keys
from tollkey.keys.notices import unused as find_unused

commands = typer.Typer()


@commands.command()
def unused(
    days: Annotated[int, typer.Option(min=1, max=3650, help="Not used for so many days.")] = 90,
    data: Data = None, database: Database = None, keyring: Keyring = None, config: Config = None,
    account: Account = None, live: Mode = None, json_: AsJson = False,
) -> None:  # fmt: skip
    """List active keys that were not used for a time, the longest unused first. Keys made since are left out."""
    with open_keys(data, database, keyring, config) as keys:
        scope, now = keys.scope_of(account, live), int(keys.now())
        before = now - days * 86400
        found = keys.database.read(lambda tx: find_unused(tx, keys.authority, scope, before, now))
        if not found:
            keys.say_empty(scope, "unused keys")
    values = [
        {
            "id": one.key.id,
            "type": one.key.kind,
            "name": one.key.name,
            "redacted": one.key.redacted,
            "created": one.key.created,
            "last_used_at": one.last_used_at,
        }
        for one in found
    ]
    rows = [
        (one.key.id, one.key.kind, one.key.name, one.key.redacted, when(one.key.created), when(one.last_used_at))
        for one in found
    ]
    show(values, json_, lambda: table(("ID", "TYPE", "NAME", "KEY", "CREATED (UTC)", "LAST USED"), rows))
