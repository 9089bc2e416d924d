"""What the commands of a key service share: reading its configuration, and finding its keyring."""

from __future__ import annotations

import os
from pathlib import Path

from tollkey.cli.common import fail
from tollkey.keys import Keyring
from tollkey.keys.config import Config, ConfigError, load
from tollkey.settings import Settings


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
    if option is not None:
        return str(option)
    text, file = settings.keyring, settings.keyring_file
    if text and file:
        raise ValueError("TOLLKEY_KEYRING and TOLLKEY_KEYRING_FILE are both set; set only one of them")
    return Keyring.from_text(text, "TOLLKEY_KEYRING") if text else file or None
