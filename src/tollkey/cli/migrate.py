"""``tollkey migrate``: give the database what a newer version needs, while servers of the older one go on."""

from __future__ import annotations

from contextlib import ExitStack, closing
from dataclasses import replace
from typing import Annotated

import typer

from tollkey.cli.common import AsJson, Data, Database, fail, settings_of, show
from tollkey.cli.progress import Reporting
from tollkey.core import create_tables, keyring_source, open_core, pending_migration, sole_server
from tollkey.db import migrating, open_database
from tollkey.db.filling import triggers_there
from tollkey.db.opening import sqlite_file
from tollkey.db.schema import migrated_modules
from tollkey.keys import fingerprints
from tollkey.settings import Settings


def migrate(
    plan: Annotated[bool, typer.Option("--plan", help="Only list the steps. Exits with 1 when there are any.")] = False,
    finish: Annotated[
        bool,
        typer.Option(
            "--finish", help="Remove the triggers that fill new columns for nodes of the older version: none runs now."
        ),
    ] = False,
    data: Data = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Migrate the database to this version of Tollkey, before its servers start.

    On PostgreSQL, servers of the older version go on meanwhile and what they write is not missed. On SQLite, stop the
    server first. A run that was interrupted is repeated.
    """
    with settings_of(data, database) as settings:
        if not settings.in_postgres and not sqlite_file(settings.database_url).exists():
            raise fail(f"there is no database in {settings.data}")
        if plan:
            _show_plan(settings, as_json)
        elif finish:
            dropped = _finish(settings)
            show({"dropped": dropped}, as_json, lambda: [f"{dropped} triggers removed"])
        else:
            _migrate(settings, as_json)


def _show_plan(settings: Settings, as_json: bool) -> None:
    pending = pending_migration(settings)
    lines = pending.lines()
    triggers = _triggers(settings)
    show(
        {"steps": lines, "small": pending.small, "triggers": triggers},
        as_json,
        lambda: [*(lines or ["Nothing to migrate"]), *_about(triggers)],
    )
    if lines:
        raise typer.Exit(1)


def _migrate(settings: Settings, as_json: bool) -> None:
    reporting = Reporting()
    with ExitStack() as held:
        held.enter_context(sole_server(settings))  # on PostgreSQL nothing
        steps = pending_migration(settings).lines()
        _look_at_keyring(settings)
        create_tables(settings, reporting.say)
        open_core(replace(settings, migrate="never")).close()  # rewrites what earlier versions stored in another form
    triggers = _triggers(settings)
    done = [*steps, f"{len(steps)} steps done"] if steps else ["Nothing to migrate"]
    show({"steps": steps, "triggers": triggers}, as_json, lambda: [*done, *_about(triggers)])


def _look_at_keyring(settings: Settings) -> None:
    """Raise KeyringError for a keyring that is missing or of another database, before anything is changed."""
    with closing(open_database(settings.direct_url)) as opened:
        if "keyring" in migrated_modules(opened):
            fingerprints.load_keyring(opened, keyring_source(settings))


def _about(triggers: int) -> list[str]:
    if not triggers:
        return []
    return [
        f"{triggers} triggers fill new columns in what nodes of the older version write: run `tollkey migrate --finish`"
        " when the last of them has stopped"
    ]


def _triggers(settings: Settings) -> int:
    with closing(open_database(settings.direct_url)) as opened:
        return len(opened.read(triggers_there))


def _finish(settings: Settings) -> int:
    with closing(open_database(settings.direct_url)) as opened:
        return migrating.finish(opened)
