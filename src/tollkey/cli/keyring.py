"""``tollkey keyring``: the key material that digests and seals are made with. It never prints a key of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tollkey.cli.common import AsJson, Data, Database, fail, opened, refused, show
from tollkey.keys import Keyring, belonging, move_all, needed
from tollkey.server import Core, keyring_source, sealings, sole_server

app = typer.Typer(no_args_is_help=True, help="Make, show and rotate the key material beside the database.")
To = Annotated[
    Path | None,
    typer.Option(help="A new file for the result, where the key material is a mounted secret or in the environment."),
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
    """Write new key material to a file that is not there yet: for TOLLKEY_KEYRING_FILE, before the first start."""
    try:
        Keyring.fresh().create(file)
    except OSError as problem:
        raise refused(problem) from None


@app.command("show")
def show_keyring(data: Data = None, database: Database = None, json_: AsJson = False) -> None:
    """Names of the digest and sealing keys: which is current, which are retired."""
    with opened(data, database) as core:
        _print(core.authority.keyring, json_)


@app.command()
def rotate(
    digest: Annotated[bool, typer.Option("--digest/--no-digest",
    help="A new digest key; rows move to it as their keys are used.")] = True,
    sealing: Annotated[bool, typer.Option("--sealing/--no-sealing",
    help="A new sealing key; what is sealed moves to it.")] = True,
    to: To = None, data: Data = None, database: Database = None, json_: AsJson = False,
) -> None:  # fmt: skip
    """Make new key material current; the old one is retired, not forgotten.

    Stop the servers first, and start them again after.
    """
    with opened(data, database) as core, sole_server(core.settings):
        keyring = core.authority.keyring
        keyring = keyring.rotate_digest() if digest else keyring
        keyring = keyring.rotate_sealing() if sealing else keyring
        _keep(core, keyring, to)
        core.database.write(lambda tx: belonging.record(tx, keyring))
        _print(keyring, json_, *_move(core, keyring))


@app.command()
def move(data: Data = None, database: Database = None, json_: AsJson = False) -> None:
    """Move everything sealed to the current sealing key: what ``rotate`` does too, for when it was interrupted."""
    with opened(data, database) as core:
        _print(core.authority.keyring, json_, *_move(core, core.authority.keyring))


@app.command()
def retire(name: str, to: To = None, data: Data = None, database: Database = None, json_: AsJson = False) -> None:
    """Drop a sealing key that nothing is sealed with any more. Stop the servers first.

    Digest keys stay: what they digested cannot move.
    """
    with opened(data, database) as core, sole_server(core.settings):
        keyring = core.authority.keyring
        if name not in keyring.sealing_keys:
            raise fail(
                f"no such sealing key: {name[:20]}"
                if name not in keyring.digest_keys
                else f"{name} is a digest key, which stays"
            )
        if name == keyring.sealing_current:
            raise fail(f"{name} is the current sealing key: `tollkey keyring rotate` makes another one current first")
        left = needed(core.database, sealings(core), name)
        if left:
            where = ", ".join(f"{count} in {what}" for what, count in sorted(left.items()))
            raise fail(f"{name} is still needed ({where}): run `tollkey keyring move` first")
        keyring = keyring.without(name)
        core.database.write(lambda tx: belonging.retire(tx, name))
        _keep(core, keyring, to)
        _print(keyring, json_)


def _keep(core: Core, keyring: Keyring, to: Path | None) -> None:
    """Where the material came from, or in a new file.

    Ends with 1 where the one may not be written and the other was not given.
    """
    source = keyring_source(core.settings)
    if to is None and (source.path is None or not source.own):
        raise fail(
            f"the keyring {source.place} is only read: say with --to where the new one is written,"
            f" and put it in its place"
        )
    try:
        if to is not None:
            keyring.create(to)
        elif source.path is not None:
            keyring.save(source.path)
    except OSError as problem:
        raise refused(problem) from None


def _move(core: Core, keyring: Keyring) -> list[str]:
    moved = move_all(core.database, sealings(core), keyring)
    broken = [
        f"{count} in {what} cannot be opened and stayed as they were" for what, count in sorted(moved.broken.items())
    ]
    return [f"{moved.texts} sealed texts moved to the new sealing key", *broken]
