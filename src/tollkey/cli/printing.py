"""How the commands about keys print a key, and read its metadata."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from tollkey.cli.common import show, when
from tollkey.cli.delivering import prints
from tollkey.cli.keys_opening import OpenKeys
from tollkey.keys import Key
from tollkey.keys.delivering import Destination
from tollkey.keys.header import beginning
from tollkey.platform.api_keys import shown

Show = Annotated[bool, typer.Option("--show-secret", help="Print the key. A live key can be shown only once.")]


def lines_of(value: dict[str, Any]) -> list[str]:
    """The lines that describe a key. value: as ``shown`` returns it."""
    rows = [
        ("id", value["id"]), ("type", value["type"]), ("name", value["name"]),
        ("key", value["secret"] or value["redacted"]),
        ("status", value["status"]), ("note", value["note"] or "-"), ("permissions",
        ", ".join(value["permissions"]) or "-"),
        ("on connected", ", ".join(value["connect_permissions"]) or "-"),
        ("allowed from", ", ".join(value["ip_allowlist"]) or "anywhere"),
        ("metadata", ", ".join(f"{name}={text}" for name, text in value["metadata"].items()) or "-"),
        ("created", when(value["created"])),
        ("expires", when(value["expires_at"])),
    ]  # fmt: skip
    return [f"{name:13} {text}" for name, text in rows]


def metadata_of(given: list[str] | None) -> dict[str, str]:
    """The entries of --metadata name=value. Raises BadParameter for one without a name or a sign."""
    entries: dict[str, str] = {}
    for entry in given or ():
        name, sign, value = entry.partition("=")
        if not sign or not name:
            raise typer.BadParameter(f"must be name=value, not {beginning(entry, 40)}", param_hint="--metadata")
        entries[name] = value
    return entries


def print_key(
    host: OpenKeys, key: Key, as_json: bool, secret: str | None = None, destination: Destination | None = None
) -> None:
    """Print a key, with its text if it is given.

    destination: where its text was delivered. Where that prints a manifest, only a note is printed, on standard error.
    """
    if destination is not None and prints(destination):
        typer.echo(f"The key {key.id} is in the manifest.", err=True)
        return
    value = shown(key, int(host.now()), None, secret)
    show(value, as_json, lambda: lines_of(value))
