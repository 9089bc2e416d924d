"""``tollkey keys rotate-due``: roll the keys whose scheduled rotation is due."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

from tollkey.cli.common import ACTOR, AsJson, show, table, when
from tollkey.cli.keys_opening import Config, Data, Database, Keyring, open_keys


def rotate_due(
    grace_days: Annotated[
        float, typer.Option(min=0.01, max=7, help="How long the old keys stay valid, in days.")
    ] = 7.0,
    within_days: Annotated[
        float, typer.Option(min=0, help="With --dry-run: also keys that are due within so many days.")
    ] = 0.0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only list the keys that are due.")] = False,
    data: Data = None,
    database: Database = None,
    keyring: Keyring = None,
    config: Config = None,
    json_: AsJson = False,
) -> None:
    """Roll the keys of all accounts whose rotation is due. Run it every hour, for example by cron.

    `tollkey serve` does it by itself, and so does `tollkey keys serve --rotation-grace-days 7`. Prints no key: the new
    text of each is sealed for one `tollkey keys reveal`. Old and new keys both work until the grace is over.
    """
    if within_days and not dry_run:
        raise typer.BadParameter("a key is rotated when it is due: add --dry-run", param_hint="--within-days")
    with open_keys(data, database, keyring, config) as host:
        if dry_run:
            keys = host.rotations_due(timedelta(days=within_days))
            values = [
                {"id": key.id, "account": key.account, "livemode": key.livemode, "name": key.name, "due": key.rotate_at}
                for key in keys
            ]
            rows = [(key.id, key.account, key.name, when(key.rotate_at)) for key in keys]
            show(values, json_, lambda: table(("ID", "ACCOUNT", "NAME", "DUE (UTC)"), rows))
            return
        done = host.rotate_due(grace=timedelta(days=grace_days), actor=ACTOR)
        values = [
            {
                "id": one.old.id, "account": one.old.account, "livemode": one.old.livemode, "name": one.old.name,
                "expires_at": one.old.expires_at, "replaced_by": one.key.id,
            }
            for one in done
        ]  # fmt: skip
        lines = [(one.old.id, one.old.account, one.old.name, when(one.old.expires_at), one.key.id) for one in done]
        show(values, json_, lambda: table(("ID", "ACCOUNT", "NAME", "EXPIRES (UTC)", "REPLACED BY"), lines))
