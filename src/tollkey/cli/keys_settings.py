"""What the commands of a key service share: options, reading its configuration, and finding its keyring."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from tollkey.cli.common import fail
from tollkey.core import configured_keyring
from tollkey.keys import Keyring
from tollkey.keys.config import Config, ConfigError, load
from tollkey.settings import Settings

Database = Annotated[
    str | None,
    typer.Option(help="File of an SQLite database, or postgresql://… [TOLLKEY_DATABASE, TOLLKEY_DATABASE_FILE]"),
]
KeyringFile = Annotated[
    Path | None,
    typer.Option(help="File of the keyring. [TOLLKEY_KEYRING_FILE, TOLLKEY_KEYRING; SQLite: beside the database]"),
]
Host = Annotated[str, typer.Option(help="Address to listen on.")]
Port = Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 chooses a free port.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print only one line of JSON when the server is ready.")]


def declared_in(file: Path | None, code: int = 1) -> Config:
    """Return what a configuration file declares; nothing is declared without one.

    code: the exit code for a file that is not valid. Raises typer.Exit.
    """
    try:
        return Config() if file is None else load(file)
    except ConfigError as wrong:
        raise fail(f"the configuration is not valid\n{wrong}", code) from None


def keyring_of(option: str | Path | None, settings: Settings) -> str | Keyring | None:
    """Return the keyring that the option of a command names, or else the settings; None for that of the database.

    Takes TOLLKEY_KEYRING out of the environment, so that child processes do not inherit it.
    Raises ValueError if the settings name two, KeyringError for a text that is no keyring.
    """
    os.environ.pop("TOLLKEY_KEYRING", None)
    return configured_keyring(settings) if option is None else str(option)
