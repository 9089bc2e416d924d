"""Everything that can be set about a server, with its environment variable and default.

The command line wins over the environment. Generated into docs/settings.md.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any


def _setting(default: Any, about: str, shown: bool = True, choices: tuple[str, ...] = ()) -> Any:
    return field(default=default, repr=shown, metadata={"about": about, "choices": choices})


@dataclass(frozen=True)
class Settings:
    """The settings of one server. Each is also read from ``TOLLKEY_<NAME>``, the database also from
    ``TOLLKEY_DATABASE_FILE``.
    """

    host: str = _setting("127.0.0.1", "Address to listen on.")
    port: int = _setting(8420, "Port to listen on; 0 picks a free one.")
    data: str = _setting("tollkey-data", "Folder for the embedded database and the key material.")
    database: str = _setting(
        "", "postgresql://… to keep everything in PostgreSQL; empty for SQLite in the data folder. Or in a file that"
        " TOLLKEY_DATABASE_FILE names, such as a mounted secret.", shown=False,
    )  # fmt: skip
    keyring: str = _setting(
        "", "The key material itself, as a keyring file holds it, instead of keyring.json in the data folder."
            " A file is better hidden"
        " from other processes.", shown=False,
    )  # fmt: skip
    keyring_file: str = _setting(
        "",
        "A file with the key material, for example a mounted secret, instead of keyring.json in the data folder; it is"
        " only read.",
    )
    base_url: str = _setting(
        "", "Public address, https://pay.example.com: stands in links and passkeys."
            " Empty: http://host:port; people then open the Dashboard"
        " under the address it listens on or localhost.",
    )  # fmt: skip
    require_https: bool = _setting(False, "Refuse plain HTTP, as the real API does.")
    trust_proxy: bool = _setting(
        False, "Take the caller's address and scheme from X-Forwarded-For and X-Forwarded-Proto."
    )
    rate_limit: int = _setting(0, "Requests a second that one key may make; 0 for no limit.")
    refusal_seconds: int = _setting(
        3600,
        "Refused keys and failed sign-ins are counted by address and reason over so many seconds; 0 for not at all.",
    )
    guess_limit: int = _setting(
        60, "Wrong keys, client secrets, page addresses and codes a minute from one address,"
            " beyond which the answer to a wrong one comes"
        " late and is 429; 0 for no limit. Right ones are never held up.",
    )  # fmt: skip
    lease_seconds: float = _setting(
        1.0, "How long a node may trust its memory of keys without hearing from the database."
    )
    later_versions: str = _setting(
        "",
        "API versions published after this release, with a space between: taken,"
        " and answered in the newest shape that is built.",
    )
    log_days: int = _setting(30, "How many days request logs and counts of refusals are kept.")
    pool_size: int = _setting(8, "PostgreSQL connections a node.")
    test_funds: int = _setting(
        1_000_000_000,
        "Minor units that the first account's test balance begins with, as a top-up; 0 for an empty balance.",
    )
    settle_seconds: int = _setting(
        5, "How long asynchronous test outcomes (a pending refund, a bank debit) take, in seconds."
    )
    after_last_retry: str = _setting(
        "cancel",
        "What becomes of a subscription when the last retry of its invoice has failed: cancel; unpaid (later invoices"
        " stay drafts);"
        " past_due (later invoices are still collected).",
        choices=("cancel", "unpaid", "past_due"),
    )

    @property
    def in_postgres(self) -> bool:
        """Whether everything is kept in PostgreSQL."""
        return self.database.startswith(("postgresql://", "postgres://"))

    @property
    def database_url(self) -> str:
        """Where the database is."""
        return self.database or str(Path(self.data) / "tollkey.db")


def load_settings(environ: Mapping[str, str] = os.environ, **given: Any) -> Settings:
    """Settings from the environment, overridden by what is given and not None.

    Raises ValueError, naming the variable, for a value of the wrong kind, and for a file of the database's address that
    cannot be read, or stands there beside the address itself.
    """
    values: dict[str, Any] = {}
    for setting in fields(Settings):
        name = "TOLLKEY_" + setting.name.upper()
        if name in environ:
            values[setting.name] = _read(name, environ[name], setting.default)
        if setting.name == "database" and environ.get(f"{name}_FILE"):
            if name in environ:
                raise ValueError(f"{name} and {name}_FILE are both set: which one counts?")
            values[setting.name] = _from_file(f"{name}_FILE", environ[f"{name}_FILE"])
    values.update({name: value for name, value in given.items() if value is not None})
    for setting in fields(Settings):
        choices, value = setting.metadata["choices"], values.get(setting.name, setting.default)
        if choices and value not in choices:
            raise ValueError(f"TOLLKEY_{setting.name.upper()} must be one of {', '.join(choices)}, not {value!r}")
    return Settings(**values)


def _from_file(name: str, path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as problem:
        why = problem.strerror if isinstance(problem, OSError) else "it is not UTF-8"
        raise ValueError(f"{name}: {path} cannot be read: {why}") from None


def _read(name: str, text: str, default: Any) -> Any:
    if isinstance(default, bool):
        if text.lower() not in ("1", "0", "true", "false", "yes", "no"):
            raise ValueError(f"{name} must be true or false, not {text!r}")
        return text.lower() in ("1", "true", "yes")
    try:
        return type(default)(text)
    except ValueError:
        raise ValueError(f"{name} must be a number, not {text!r}") from None
