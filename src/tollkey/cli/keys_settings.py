"""What the commands of a key service share: options, reading its configuration, and finding its keyring."""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from tollkey.cli.common import fail
from tollkey.core import configured_keyring
from tollkey.keys.config import Config, ConfigError, load
from tollkey.keys.keyring import Keyring
from tollkey.settings import Settings, given_settings, load_settings

Database = Annotated[
    str | None,
    typer.Option(help="File of an SQLite database, or postgresql://… [TOLLKEY_DATABASE, TOLLKEY_DATABASE_FILE]"),
]
KeyringFile = Annotated[
    Path | None,
    typer.Option(help="File of the keyring. [TOLLKEY_KEYRING_FILE, TOLLKEY_KEYRING; SQLite: beside the database]"),
]
Host = Annotated[str | None, typer.Option(help="Address to listen on. [TOLLKEY_HOST, or 127.0.0.1]")]
Port = Annotated[
    int | None,
    typer.Option(min=0, max=65535, help="Port; 0 chooses a free one. [TOLLKEY_PORT, or 8421; of the Dashboard 8422]"),
]
_LIMITS = "limits are declared in tollkey.toml"
_PROXY = "only the Dashboard and `tollkey serve` read it; --dashboard serves the Dashboard"
_INSTEAD = {
    "test_rate_limit": _LIMITS,
    "live_rate_limit": _LIMITS,
    "require_https": _PROXY,
    "trust_proxy": _PROXY,
    "rotation_grace_days": "the key service rolls keys, `tollkey keys serve --rotation-grace-days`",
    "notices_file": "the key service sends notices, `tollkey keys serve`",
}
AsJson = Annotated[bool, typer.Option("--json", help="Print only one line of JSON when the server is ready.")]


def declared_in(file: Path | None, code: int = 1) -> Config:
    """Return what a configuration file declares; nothing is declared without one.

    code: the exit code for a file that is not valid. Raises typer.Exit.
    """
    try:
        return Config() if file is None else load(file)
    except ConfigError as wrong:
        raise fail(f"the configuration is not valid\n{wrong}", code) from None


def refuse_ignored(command: str, acting: Collection[str]) -> None:
    """Raise ValueError if the environment asks for something that a command does not do.

    acting: the names of the settings that have an effect on it. One that is off (0, false) asks for nothing.
    """
    for setting, variable in given_settings().items():
        if setting not in acting and os.environ[variable].lower() not in ("0", "false", "no"):
            instead = _INSTEAD.get(setting, "it is a setting of the payments API")
            raise ValueError(f"{variable} has no effect on `{command}`: {instead}. Unset it.")


def settings_of(
    command: str, acting: Collection[str], *, database: str | None, host: str | None, port: int | None,
    usual_port: int, base_url: str | None = None,
) -> Settings:  # fmt: skip
    """Return the settings of a command that serves keys. If none is named, its database is ``keys.db`` in TOLLKEY_DATA.

    acting: see ``refuse_ignored``. database, host, port, base_url: its options, None for those of the environment.
    usual_port: where neither names one. Raises ValueError, also for a setting without effect.
    """
    given = given_settings()
    refuse_ignored(command, acting)
    port = usual_port if port is None and "port" not in given else port
    settings = load_settings(database=database, host=host, port=port, base_url=base_url)
    if settings.database or "data" not in given:
        return settings
    return replace(settings, database=str(Path(settings.data) / "keys.db"))


def keyring_of(option: str | Path | None, settings: Settings) -> str | Keyring | None:
    """Return the keyring that the option of a command names, or else the settings; None for that of the database.

    Takes TOLLKEY_KEYRING out of the environment, so that child processes do not inherit it.
    Raises ValueError if the settings name two, KeyringError for a text that is no keyring.
    """
    os.environ.pop("TOLLKEY_KEYRING", None)
    return configured_keyring(settings) if option is None else str(option)
