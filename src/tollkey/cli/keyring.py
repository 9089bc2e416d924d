"""``tollkey keyring``: the key material that digests and seals are made with. It never prints a key of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tollkey.cli.common import AsJson, Data, Database, opened, show
from tollkey.keys import Keyring
from tollkey.server import KEYRING

app = typer.Typer(no_args_is_help=True, help="Show and rotate the key material beside the database.")


def _facts(keyring: Keyring) -> dict[str, object]:
    return {
        "digest": {"current": keyring.digest_current, "retired": sorted(set(keyring.digest_keys) - {keyring.digest_current})},
        "sealing": {"current": keyring.sealing_current, "retired": sorted(set(keyring.sealing_keys) - {keyring.sealing_current})},
    }


def _print(keyring: Keyring, as_json: bool, *more: str) -> None:
    facts = _facts(keyring)
    show(facts, as_json, lambda: [*(f"{name:8} {value}" for name, value in facts.items()), *more])


@app.command("show")
def show_keyring(data: Data = None, database: Database = None, json_: AsJson = False) -> None:
    """Names of the digest and sealing keys: which is current, which are retired."""
    with opened(data, database) as core:
        _print(core.authority.keyring, json_)


@app.command()
def rotate(
    digest: Annotated[bool, typer.Option("--digest/--no-digest", help="A new digest key; rows move to it as their keys are used.")] = True,
    sealing: Annotated[bool, typer.Option("--sealing/--no-sealing", help="A new sealing key; what waits to be shown moves to it.")] = True,
    data: Data = None, database: Database = None, json_: AsJson = False,
) -> None:  # fmt: skip
    """Make new key material current; the old one is retired, not forgotten. Stop the servers first, and start them again after."""
    with opened(data, database) as core:
        keyring = core.authority.keyring
        keyring = keyring.rotate_digest() if digest else keyring
        keyring = keyring.rotate_sealing() if sealing else keyring
        keyring.save(Path(core.settings.data) / KEYRING)
        core.authority.keyring = keyring
        moved = core.database.write(core.authority.reseal)
        _print(keyring, json_, f"{moved} sealed keys moved to the new sealing key")
