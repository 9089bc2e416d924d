"""``tollkey keys import``: import keys of another system into the database of a key service.

Exit codes: 0 everything was imported or was there, 1 a row failed, 2 a usage error or an unreadable file, 3 the
database failed.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Annotated, Literal

import typer

from tollkey.cli.common import ACTOR, UNREACHABLE, AsJson, fail, quiet_connection_logs, refused
from tollkey.cli.errors import say
from tollkey.cli.keys_server import open_service
from tollkey.cli.keys_settings import declared_in, keyring_of
from tollkey.db import StorageError
from tollkey.db.opening import sqlite_file
from tollkey.keys.errors import KeyringError
from tollkey.keys.importing import (
    Defaults,
    FileRefused,
    Format,
    Report,
    as_json,
    as_lines,
    import_records,
    read_file,
    read_stream,
)
from tollkey.settings import load_settings

_UNREADABLE = 2
commands = typer.Typer()


@commands.command("import")
def import_keys(
    file: Annotated[str, typer.Argument(help="CSV or JSON file, or - for standard input.")],
    database: Annotated[str | None,
    typer.Option(help="SQLite file or postgresql://… [TOLLKEY_DATABASE, TOLLKEY_DATABASE_FILE]")] = None,
    keyring: Annotated[str | None,
    typer.Option(help="The keyring. [TOLLKEY_KEYRING_FILE, TOLLKEY_KEYRING; SQLite: beside the database]")] = None,
    config: Annotated[Path | None,
    typer.Option(help="tollkey.toml with the prefixes and permissions of your keys.")] = None,
    format_: Annotated[str, typer.Option("--format", help="plain, unkey, drf or auto.")] = "auto",
    account: Annotated[str, typer.Option(help="Account of rows without one.")] = "main",
    account_field: Annotated[str | None, typer.Option(help="Field of the file that holds the account.")] = None,
    test: Annotated[bool, typer.Option("--test", help="Rows without a mode are for test mode. [live mode]")] = False,
    kind: Annotated[str, typer.Option("--type", help="Type of rows without one: restricted or secret.")] = "restricted",
    permission: Annotated[list[str] | None,
    typer.Option(help="Permission of restricted keys whose row has none. Can be repeated.")] = None,
    rename: Annotated[list[str] | None,
    typer.Option(metavar="OLD=NEW", help="What a permission of the file is called here. Can be repeated.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Try everything and store nothing.")] = False,
    report: Annotated[Path | None, typer.Option(help="Write what became of each row to this file, as JSON.")] = None,
    json_: AsJson = False,
) -> None:  # fmt: skip
    """Import keys that another system made, by their texts or hashes. Nobody has to change a key.

    Running it again imports what is missing. Prints no key. Exits with 1 when a row could not be imported.
    """
    if kind not in ("restricted", "secret"):
        raise typer.BadParameter("must be restricted or secret", param_hint="--type")
    defaults = Defaults(
        account, not test, "secret" if kind == "secret" else "restricted", tuple(permission or ()), _renamed(rename),
        account_field,
    )  # fmt: skip
    declared = declared_in(config, _UNREADABLE)
    try:
        format = _format(format_)
        stdin = typer.get_binary_stream("stdin") if file == "-" else None
        records = read_file(Path(file), format) if stdin is None else read_stream(stdin, format)
    except (FileRefused, OSError) as problem:
        raise fail(f"{file}: {problem}", _UNREADABLE) from None
    try:
        settings = load_settings(database=database)
        place = settings.database
        if not place:
            raise fail("name the database: --database keys.db, or --database postgresql://…", _UNREADABLE)
        material = keyring_of(keyring, settings)
        with tempfile.TemporaryDirectory(prefix="tollkey-") as folder:
            if not settings.in_postgres and dry_run and not sqlite_file(place).exists():
                # The first run: the rows are tried against an empty database, and the one that is named is not made.
                settings, material = load_settings(database=str(Path(folder) / "keys.db")), None
            with quiet_connection_logs():
                opened = open_service(settings, declared, material, 0)
            with opened as service:
                done = import_records(service, records, defaults, ACTOR, int(time.time()), dry_run=dry_run)
    except (OSError, ValueError, StorageError, KeyringError) as problem:
        raise refused(problem) from None
    _print(done, report, json_)


def _print(done: Report, report: Path | None, json_: bool) -> None:
    if report is not None:
        try:
            report.write_text(as_json(done) + "\n", encoding="utf-8")
        except OSError as problem:
            say(f"the report could not be written: {problem}")
    if json_:
        typer.echo(as_json(done))
    else:
        for line in as_lines(done):
            typer.echo(line)
    if done.error is not None:
        raise fail(f"{done.error}. Run it again: what is stored is left as it is.", UNREACHABLE)
    if not done.complete:
        raise typer.Exit(1)


def _format(name: str) -> Format:
    formats: dict[str, Literal["auto", "plain", "unkey", "drf"]] = {
        "auto": "auto", "plain": "plain", "unkey": "unkey", "drf": "drf",
    }  # fmt: skip
    if name not in formats:
        raise typer.BadParameter(f"must be one of {', '.join(formats)}", param_hint="--format")
    return formats[name]


def _renamed(rename: list[str] | None) -> dict[str, str]:
    pairs = [each.partition("=") for each in rename or ()]
    if not all(old and new for old, _, new in pairs):
        raise typer.BadParameter("must be OLD=NEW", param_hint="--rename")
    return {old: new for old, _, new in pairs}
