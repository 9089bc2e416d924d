"""``tollkey keyring``: the keyring. No command prints a key of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tollkey.cli.common import AsJson, Data, Database, fail, opened, refused, show
from tollkey.core import Core, keyring_source, sealings, sole_server
from tollkey.keys import Keyring, count_sealed_with, fingerprints, reseal_all

app = typer.Typer(no_args_is_help=True, help="Manage the keyring: the keys that digest and encrypt stored data.")
To = Annotated[
    Path | None,
    typer.Option(help="Write the new keyring to this file. Required when the current one is read-only."),
]


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
def show_keyring(data: Data = None, database: Database = None, json_: AsJson = False) -> None:
    """Show the names of the current and the retired digest and sealing keys."""
    with opened(data, database) as core:
        _print(core.authority.keyring, json_)


@app.command()
def rotate(
    digest: Annotated[bool, typer.Option("--digest/--no-digest",
    help="Create a new digest key. Rows are converted as their keys are used.")] = True,
    sealing: Annotated[bool, typer.Option("--sealing/--no-sealing",
    help="Create a new sealing key and re-encrypt sealed data with it.")] = True,
    to: To = None, data: Data = None, database: Database = None, json_: AsJson = False,
) -> None:  # fmt: skip
    """Create new current keys. The old keys are retired but kept.

    Stop the servers first and restart them afterwards.
    """
    with opened(data, database) as core, sole_server(core.settings):
        keyring = core.authority.keyring
        keyring = keyring.rotate_digest() if digest else keyring
        keyring = keyring.rotate_sealing() if sealing else keyring
        _save(core, keyring, to)
        core.database.write(lambda tx: fingerprints.record_keyring(tx, keyring))
        _print(keyring, json_, *_move(core, keyring))


@app.command()
def move(data: Data = None, database: Database = None, json_: AsJson = False) -> None:
    """Re-encrypt all sealed data with the current sealing key. ``rotate`` does this too, unless it was interrupted."""
    with opened(data, database) as core:
        _print(core.authority.keyring, json_, *_move(core, core.authority.keyring))


@app.command()
def retire(name: str, to: To = None, data: Data = None, database: Database = None, json_: AsJson = False) -> None:
    """Delete a retired sealing key that is no longer used. Stop the servers first.

    Digest keys cannot be deleted, because digests cannot be converted.
    """
    with opened(data, database) as core, sole_server(core.settings):
        keyring = core.authority.keyring
        if name not in keyring.sealing_keys:
            raise fail(
                f"no such sealing key: {name[:20]}"
                if name not in keyring.digest_keys
                else f"{name} is a digest key: digest keys cannot be deleted"
            )
        if name == keyring.sealing_current:
            raise fail(f"{name} is the current sealing key: run `tollkey keyring rotate` first")
        left = count_sealed_with(core.database, sealings(core), name)
        if left:
            where = ", ".join(f"{count} in {what}" for what, count in sorted(left.items()))
            raise fail(f"{name} is still needed ({where}): run `tollkey keyring move` first")
        keyring = keyring.without(name)
        core.database.write(lambda tx: fingerprints.retire_sealing_key(tx, name))
        _save(core, keyring, to)
        _print(keyring, json_)


def _save(core: Core, keyring: Keyring, to: Path | None) -> None:
    """Save the keyring to the file it was read from, or to ``to``.

    Raises typer.Exit when the source is read-only and ``to`` is None.

    """
    source = keyring_source(core.settings)
    if to is None and (source.path is None or not source.own):
        raise fail(
            f"the keyring {source.place} is read-only: pass --to to write the new keyring to another file,"
            f" then deploy that file"
        )
    try:
        if to is not None:
            keyring.create(to)
        elif source.path is not None:
            keyring.save(source.path)
    except OSError as problem:
        raise refused(problem) from None


def _move(core: Core, keyring: Keyring) -> list[str]:
    moved = reseal_all(core.database, sealings(core), keyring)
    broken = [
        f"{count} in {what} cannot be decrypted and were left unchanged" for what, count in sorted(moved.broken.items())
    ]
    return [f"{moved.texts} sealed values re-encrypted with the current sealing key", *broken]
