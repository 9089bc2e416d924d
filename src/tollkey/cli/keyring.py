"""``tollkey keyring``: the keyring. No command prints a key of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tollkey.cli.common import AsJson, Data, fail, refused, show
from tollkey.cli.keyring_opening import OpenKeyring, open_keyring, unretirable
from tollkey.keys import fingerprints
from tollkey.keys.keyring import Keyring
from tollkey.keys.sealed import count_sealed_with, reseal_all

app = typer.Typer(no_args_is_help=True, help="Manage the keyring: the keys that digest and encrypt stored data.")
Database = Annotated[
    str | None,
    typer.Option(
        help="postgresql://… of the payments API, or the database of a library: a file, or postgresql://… with"
        " --keyring. [SQLite in --data]"
    ),
]
File = Annotated[
    str | None,
    typer.Option("--keyring", help="File of the keyring of a library's database. [SQLite: beside the database]"),
]
To = Annotated[
    Path | None,
    typer.Option(help="Write the new keyring to this file. Required when the current one is read-only."),
]
_PROGRESS = 1_000  # resealed values between two lines of progress


def _facts(keyring: Keyring) -> dict[str, object]:
    return {
        "digest": {
            "current": keyring.digest_current,
            "retired": sorted(set(keyring.digest_keys) - {keyring.digest_current}),
        },
        "sealing": {
            "current": keyring.sealing_current,
            "retired": sorted(set(keyring.sealing_keys) - {keyring.sealing_current}),
        },
    }


def _print(keyring: Keyring, as_json: bool, *more: str) -> None:
    facts = _facts(keyring)
    show(facts, as_json, lambda: [*(f"{name:8} {value}" for name, value in facts.items()), *more])


@app.command("create")
def create_keyring(file: Path) -> None:
    """Create a new keyring file, for TOLLKEY_KEYRING_FILE. Run it before the first start."""
    try:
        Keyring.fresh().create(file)
    except OSError as problem:
        raise refused(problem) from None


@app.command("show")
def show_keyring(data: Data = None, database: Database = None, keyring: File = None, json_: AsJson = False) -> None:
    """Show the names of the current and the retired digest and sealing keys."""
    with open_keyring(data, database, keyring) as held:
        _print(held.keyring, json_)


@app.command()
def rotate(
    digest: Annotated[bool, typer.Option("--digest/--no-digest",
    help="Create a new digest key. Rows are converted as their keys are used.")] = True,
    sealing: Annotated[bool, typer.Option("--sealing/--no-sealing",
    help="Create a new sealing key and re-encrypt sealed data with it.")] = True,
    to: To = None, data: Data = None, database: Database = None, keyring: File = None, json_: AsJson = False,
) -> None:  # fmt: skip
    """Create new current keys. The old keys are retired but kept.

    Stop every process that uses the database first, and restart them afterwards: it is refused while one is seen that
    uses the SQLite file or has the file of the keyring on this machine, or listens to the PostgreSQL database. If it is
    interrupted, the keyring and the database still belong together: `tollkey keyring move` completes it.
    """

    def rotated(present: Keyring) -> Keyring:
        present = present.rotate_digest() if digest else present
        return present.rotate_sealing() if sealing else present

    if not digest and not sealing:
        raise typer.BadParameter("nothing is left to rotate", param_hint="--no-sealing")
    with open_keyring(data, database, keyring, alone=True) as held:
        held.check_writable(to)
        try:
            new = fingerprints.replace_keyring(held.database, held.source, rotated, lambda made: held.save(made, to))
        except OSError as problem:
            raise refused(problem) from None
        _print(new, json_, *_move(held, new))


@app.command()
def move(data: Data = None, database: Database = None, keyring: File = None, json_: AsJson = False) -> None:
    """Re-encrypt all sealed data with the current sealing key. ``rotate`` does this too, unless it was interrupted."""
    with open_keyring(data, database, keyring) as held:
        _print(held.keyring, json_, *_move(held, held.keyring))


@app.command()
def retire(
    name: str, to: To = None, data: Data = None, database: Database = None, keyring: File = None, json_: AsJson = False
) -> None:
    """Delete a retired sealing key that is no longer used. Stop every process that uses the database first.

    Digest keys cannot be deleted, because digests cannot be converted.
    """
    with open_keyring(data, database, keyring, alone=True) as held:
        problem = unretirable(held.keyring, name)
        if problem is not None:
            raise fail(problem)
        left = count_sealed_with(held.database, held.places, name)
        if left:
            where = ", ".join(f"{count} in {what}" for what, count in sorted(left.items()))
            raise fail(f"{name} is still needed ({where}): run `tollkey keyring move` first")
        held.check_writable(to)
        held.database.write(lambda tx: fingerprints.retire_sealing_key(tx, name))
        new = fingerprints.replace_keyring(
            held.database, held.source, lambda present: present.without(name), lambda made: held.save(made, to)
        )
        _print(new, json_)


def _move(held: OpenKeyring, keyring: Keyring) -> list[str]:
    """Reseal everything and return what to print. Progress goes to standard error."""
    said = 0

    def progress(count: int) -> None:
        nonlocal said
        if count >= said + _PROGRESS:
            said = count
            typer.echo(f"{count} sealed values re-encrypted so far", err=True)

    moved = reseal_all(held.database, held.places, keyring, progress)
    broken = [
        f"{count} in {what} cannot be decrypted and were left unchanged" for what, count in sorted(moved.broken.items())
    ]
    return [f"{moved.texts} sealed values re-encrypted with the current sealing key", *broken]
