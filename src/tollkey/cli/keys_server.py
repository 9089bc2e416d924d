"""Builds the server of ``tollkey keys serve`` from its settings and its configuration."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path

from tollkey.cli.keys_opening import refuse_payments
from tollkey.db import Ids
from tollkey.keys import KeyService
from tollkey.keys.attempts import Attempts
from tollkey.keys.config import Config
from tollkey.keys.http import KeyServer
from tollkey.keys.keyring import Keyring
from tollkey.keys.notices import Notices, section_in
from tollkey.keys.notices import section as notices
from tollkey.keys.portal import Portal
from tollkey.keys.portal import section as portal
from tollkey.keys.usage import section as usage
from tollkey.settings import BOUNDS, Settings, given_settings

COMMAND = "tollkey keys serve"
PORT = 8421
#: The settings of the environment that have an effect; the others are refused.
ACTING = frozenset(
    {
        "host", "port", "data", "database", "keyring", "keyring_file", "base_url", "refusal_seconds", "guess_limit",
        "lease_seconds", "log_days", "log_format", "log_file", "rotation_grace_days", "notices_file", "pool_size",
        "direct_database", *BOUNDS,
    }
)  # fmt: skip
#: Those that have an effect on the Dashboard.
OF_THE_DASHBOARD = frozenset({"trust_proxy", "require_https"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the server does. forward_auth_key, key_header: see ``KeyServer``. rotation_grace_days: 0 for no rotation.

    dashboard: whether it serves the Dashboard too.
    """

    settings: Settings
    config: Config
    forward_auth_key: bool = False
    key_header: str = "authorization"
    rotation_grace_days: int = 0
    dashboard: bool = False


def grace_days(option: int | None, settings: Settings) -> int:
    """Return for how many days a rolled key stays valid: the option, TOLLKEY_ROTATION_GRACE_DAYS, or 0."""
    if option is not None:
        return option
    return settings.rotation_grace_days if "rotation_grace_days" in given_settings() else 0


def open_service(
    settings: Settings, config: Config, keyring: str | Keyring | None, flush_seconds: float = 1.0
) -> KeyService:
    """Open the keys, as ``KeyService.open`` does with what the settings say. Raises what it raises.

    Creates the folder TOLLKEY_DATA if the database is in it. Raises typer.Exit for the database of the payments API.
    """
    if settings.in_postgres and keyring is None:
        raise ValueError("PostgreSQL needs the file of the keyring: --keyring, or TOLLKEY_KEYRING_FILE")
    refuse_payments(settings.database)
    if settings.database == str(Path(settings.data) / "keys.db"):
        Path(settings.data).mkdir(parents=True, exist_ok=True, mode=0o700)
    if "log_days" in given_settings() and config.section(usage.Section) is None:
        counted = usage.Section(raw_days=settings.log_days)
        config = replace(config, sections={**config.sections, "usage": counted})
    return KeyService.open(
        settings.database,
        config=config,
        keyring=keyring,
        attempts=Attempts(settings.refusal_seconds, days=settings.log_days),
        lease_seconds=settings.lease_seconds,
        pool_size=settings.pool_size,
        bounds=settings.bounds,
        direct_database=settings.direct_database,
        flush_seconds=flush_seconds,
    )


def key_server(keys: KeyService, options: Options, url: str) -> KeyServer:
    """Return the server. url: the address it listens on. Raises ValueError, OSError, StorageError."""
    return KeyServer(
        keys,
        clock=time.time,
        monotonic=time.monotonic,
        new_id=Ids().new,
        forward_auth_key=options.forward_auth_key,
        key_header=options.key_header,
        portal=portal_of(keys, options, url),
        notices=_notices(keys, options),
        rotation_grace=options.rotation_grace_days * 86_400,
        guess_limit=options.settings.guess_limit,
    )


def portal_of(keys: KeyService, options: Options, url: str) -> Portal:
    """Return the declared portal, or else one at TOLLKEY_BASE_URL or the server's address."""
    declared = options.config.section(portal.Section)
    if declared is not None:
        return Portal(keys, base_url=declared.url, origins=declared.origins)
    return Portal(keys, base_url=f"{(options.settings.base_url or url).rstrip('/')}/portal")


def _notices(keys: KeyService, options: Options) -> Notices | None:
    """Return the notices that the configuration or TOLLKEY_NOTICES_FILE declares, or None."""
    declared, file = options.config.section(notices.Section), options.settings.notices_file
    if declared is not None and file:
        raise ValueError("TOLLKEY_NOTICES_FILE and the table [notices] of --config both declare notices; keep one")
    section = section_in(file) if file else declared
    return None if section is None else Notices.of_section(keys, section)
