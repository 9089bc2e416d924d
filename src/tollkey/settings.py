"""The settings of a server, with their environment variables and defaults.

The command line takes precedence over the environment. ``tools/make_docs.py`` writes docs/settings.md from this module.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from tollkey.db.bounds import Bounds


def _setting(
    default: Any, about: str, shown: bool = True, choices: tuple[str, ...] = (), span: tuple[float, float] | None = None
) -> Any:
    return field(default=default, repr=shown, metadata={"about": about, "choices": choices, "span": span})


#: The settings that every command that serves has: time-outs of PostgreSQL, of clients, and of the end.
BOUNDS = frozenset(
    {
        "lock_seconds", "statement_seconds", "idle_seconds", "away_seconds", "tcp_seconds", "keep_alive_seconds",
        "receive_seconds", "send_seconds", "drain_seconds", "stop_seconds",
    }
)  # fmt: skip


_URLS = ("database", "direct_database", "vault_database")


@dataclass(frozen=True)
class Settings:
    """The settings of one server. Each is read from ``TOLLKEY_<NAME>``, the URLs of databases also from the file that
    ``TOLLKEY_<NAME>_FILE`` names. The description of each field is in its metadata.
    """

    host: str = _setting("127.0.0.1", "Address to listen on.")
    port: int = _setting(8420, "Port to listen on; 0 for any free port.")
    data: str = _setting("tollkey-data", "Folder of the SQLite database and the keyring.")
    database: str = _setting(
        "", "URL of the database, postgresql://…; empty for SQLite in the data folder. TOLLKEY_DATABASE_FILE names a"
        " file with the URL instead, for example a mounted secret.", shown=False,
    )  # fmt: skip
    direct_database: str = _setting(
        "", "URL of PostgreSQL itself, where TOLLKEY_DATABASE is that of a pooler such as PgBouncer: for LISTEN,"
        " migrations, backups and copies, which need sessions of their own. TOLLKEY_DIRECT_DATABASE_FILE names a file"
        " with the URL instead.",
        shown=False,
    )  # fmt: skip
    keyring: str = _setting(
        "", "The text of the keyring, instead of keyring.json in the data folder. Prefer a file: other processes may be"
        " able to read the environment.", shown=False,
    )  # fmt: skip
    keyring_file: str = _setting(
        "",
        "A read-only file with the keyring, for example a mounted secret, instead of keyring.json in the data folder.",
    )
    vault_database: str = _setting(
        "", "The card vault's own database, for processors that take the numbers of cards: the path of an SQLite file,"
        " or postgresql://…. Empty: there is none. It must be PostgreSQL where TOLLKEY_DATABASE is."
        " TOLLKEY_VAULT_DATABASE_FILE names a file with the URL instead.", shown=False,
    )  # fmt: skip
    vault_keyring: str = _setting(
        "", "The file of the card vault's own keyring; `tollkey live vault on` creates it. Keep it apart from the main"
        " keyring and from both databases.",
    )  # fmt: skip
    base_url: str = _setting(
        "", "Public URL, for example https://pay.example.com, used in links and for passkeys. Empty: http://host:port;"
        " the Dashboard is then opened with the address the server listens on, or with localhost.",
    )  # fmt: skip
    tls_hosts: str = _setting(
        "", "Hosts, separated by commas, as which the server speaks TLS itself, for tests and development: with a"
        " certificate of the data folder's own authority (`tollkey ca`), for example"
        " js.stripe.com,api.stripe.com,hooks.stripe.com. Empty: no TLS.",
    )  # fmt: skip
    require_https: bool = _setting(False, "Refuse requests over HTTP without TLS, as Stripe does.")
    trust_proxy: bool = _setting(
        False, "Read the caller's address and scheme from X-Forwarded-For and X-Forwarded-Proto."
    )
    test_rate_limit: int = _setting(
        0,
        "Requests per second, and at once, of one account in test mode; further ones get status 429. 0 for no limit,"
        " since a test suite sends more than a program does. Stripe's sandboxes have 25.",
    )
    live_rate_limit: int = _setting(100, "The same in live mode, as Stripe has it. 0 for no limit.")
    refusal_seconds: int = _setting(
        3600,
        "Length, in seconds, of the intervals in which refused keys and failed sign-ins are counted by address and"
        " reason; 0 disables counting.",
    )
    guess_limit: int = _setting(
        60, "Wrong keys, client secrets, page URLs and codes per minute from one address. Further wrong ones get a"
        " delayed response with status 429; correct ones are not affected. 0 for no limit.",
    )  # fmt: skip
    lease_seconds: float = _setting(
        1.0,
        "How long, in seconds, a node may use its cache of keys after it last received announcements from the database."
        " A revoked key is refused by all nodes within this time.",
    )
    default_version: str = _setting(
        "2026-08-26.dahlia",
        "API version of requests without the header Stripe-Version, and of webhook endpoints without an api_version, as"
        " an account of Stripe has one. The official SDKs name theirs; the Stripe CLI and curl do not.",
    )
    later_versions: str = _setting(
        "",
        "API versions published after this release, separated by spaces. Requests with them are accepted and get"
        " responses of the newest supported version.",
    )
    log_days: int = _setting(
        30, "How many days request logs, counts of refused attempts and the use of keys by the minute are kept."
    )
    event_days: int = _setting(30, "How many days events are kept, as Stripe keeps them.", span=(1, 36_500))
    delivery_days: int = _setting(
        30,
        "How many days webhook deliveries that have ended are kept, with their attempts. Not less than"
        " TOLLKEY_EVENT_DAYS: the filter delivery_success of events asks for their deliveries.",
        span=(1, 36_500),
    )
    attempt_days: int = _setting(
        400,
        "How many days is kept what a processor was asked and has told, once it is over. Approved authorizations, open"
        " or unsettled attempts and differences are kept for ever.",
        span=(400, 36_500),
    )
    rotation_grace_days: int = _setting(
        7,
        "How many days a key stays valid after the server has rolled it on its schedule (`tollkey keys create"
        " --rotate-days`), 1 to 7. 0: the server rolls no key; run `tollkey keys rotate-due`.",
        span=(0, 7),
    )
    notices_file: str = _setting(
        "",
        "A TOML file with the table [notices]: webhooks and e-mail addresses that are told when keys are created,"
        " changed, expire or are used from a new address.",
    )
    migrate: str = _setting(
        "small", "What a server or command of a newer version does with the tables of an older one: small (migrates"
        " them, unless a table of more than 10,000 rows has to be filled or indexed; then it ends and asks for `tollkey"
        " migrate`); always; never.",
        choices=("small", "always", "never"),
    )  # fmt: skip
    workers: int = _setting(
        1, "How many processes serve the port together (`tollkey serve` on PostgreSQL). Each has TOLLKEY_POOL_SIZE"
        " connections, and its metrics at TOLLKEY_METRICS_PORT plus its number, from 0.", span=(1, 64),
    )  # fmt: skip
    pool_size: int = _setting(
        8, "Maximum number of PostgreSQL connections of a node, besides one to listen and one for single reads."
    )
    lock_seconds: float = _setting(
        4.0,
        "How long, in seconds, a request waits for a lock that another transaction holds in PostgreSQL. Then the answer"
        " is status 429 with the code lock_timeout.",
        span=(0.1, 3600),
    )
    statement_seconds: float = _setting(
        30.0, "How long, in seconds, one statement may take in PostgreSQL, waiting included.", span=(0.1, 3600)
    )
    idle_seconds: float = _setting(
        3.0,
        "How long, in seconds, a node may do nothing within a transaction. PostgreSQL then ends it, so that a frozen or"
        " cut-off node keeps no lock. It must be less than TOLLKEY_LOCK_SECONDS: who waits then gets the lock.",
        span=(0.1, 3600),
    )
    away_seconds: float = _setting(
        3.0,
        "How long, in seconds, PostgreSQL may not answer. From then on requests get status 503 at once, until it does"
        " again.",
        span=(0.5, 3600),
    )
    tcp_seconds: float = _setting(
        10.0,
        "How long, in seconds, data sent to PostgreSQL and back may stay without an acknowledgement before the"
        " connection counts as lost (TCP user timeout).",
        span=(1, 3600),
    )
    log_format: str = _setting(
        "text", "Form of the log: text, or json with one object a line (time, level, logger, message, request_id,"
        " exception).", choices=("text", "json"),
    )  # fmt: skip
    log_file: str = _setting("", "File of the log; empty for standard error. SIGHUP reopens it.")
    metrics_port: int = _setting(
        0, "Port for Prometheus, which needs no key there; 0 for none. Needs `pip install 'tollkey[metrics]'`.",
        span=(0, 65_535),
    )  # fmt: skip
    metrics_host: str = _setting(
        "127.0.0.1", "Address to listen on for Prometheus. Whoever reaches it can read the metrics."
    )
    traces: bool = _setting(
        False, "Send a span for each request by OTLP over HTTP, to where the variables of OpenTelemetry say"
        " (OTEL_EXPORTER_OTLP_ENDPOINT and others). Needs `pip install 'tollkey[otel]'`.",
    )  # fmt: skip
    most_requests: int = _setting(
        1000,
        "How many requests of the payments API may use or wait for the database at once. Further ones get status 503 at"
        " once, with Retry-After.",
        span=(1, 1_000_000),
    )
    request_seconds: float = _setting(
        30.0,
        "How long, in seconds, a request of the payments API may take after it has arrived. Then it gets status 503.",
        span=(0.1, 3600),
    )
    keep_alive_seconds: int = _setting(
        75,
        "How long, in seconds, a connection stays open without a request. The proxy in front should close its own"
        " earlier.",
        span=(1, 86_400),
    )
    receive_seconds: float = _setting(
        20.0,
        "How long, in seconds, a request may take to arrive. A body has one more second for each 1,000 bytes of it that"
        " have arrived. Then the connection is closed, with status 408 if a part of the request is there.",
        span=(1, 3600),
    )
    send_seconds: float = _setting(
        30.0,
        "How long, in seconds, a client may read nothing of its response before the connection is closed.",
        span=(1, 3600),
    )
    drain_seconds: int = _setting(
        0,
        "How long, in seconds, requests are still accepted after SIGTERM, while /readyz answers 503, so that a load"
        " balancer sees it first. Part of TOLLKEY_STOP_SECONDS.",
        span=(0, 600),
    )
    stop_seconds: int = _setting(
        10, "How long, in seconds, a server may run after SIGTERM, whatever hangs.", span=(2, 3600)
    )
    test_funds: int = _setting(
        1_000_000_000,
        "Initial test balance of the first account in minor units, created as a top-up; 0 for an empty balance.",
    )
    settle_seconds: int = _setting(
        5, "How long asynchronous results in test mode (a pending refund, a bank debit) take, in seconds."
    )
    after_last_retry: str = _setting(
        "cancel",
        "Status of a subscription after the last retry of its invoice has failed: cancel; unpaid (later invoices stay"
        " drafts); past_due (later invoices are still collected).",
        choices=("cancel", "unpaid", "past_due"),
    )

    @property
    def in_postgres(self) -> bool:
        """Whether the database is PostgreSQL."""
        return self.database.startswith(("postgresql://", "postgres://"))

    @property
    def bounds(self) -> Bounds:
        """How long work on PostgreSQL may wait."""
        return Bounds(self.lock_seconds, self.statement_seconds, self.idle_seconds, self.away_seconds, self.tcp_seconds)

    @property
    def scheme(self) -> str:
        """``https`` when the server speaks TLS itself, else ``http``."""
        return "https" if self.tls_hosts else "http"

    @property
    def database_url(self) -> str:
        """The URL of the database, or the path of the SQLite file."""
        return self.database or str(Path(self.data) / "tollkey.db")

    @property
    def direct_url(self) -> str:
        """The URL of PostgreSQL, past a pooler; where none is named, what ``database_url`` says."""
        return self.direct_database or self.database_url


def load_settings(environ: Mapping[str, str] = os.environ, file: Path | None = None, **given: Any) -> Settings:
    """Return the settings.

    environ: the environment variables. file: a TOML file with settings that the environment overrides, by their names.
    given: values that override the environment, if they are not None.
    Raises ValueError, naming the variable, for an invalid value, if a file that holds the URL of a database cannot be
    read, and if the URL is set too.
    """
    values: dict[str, Any] = {} if file is None else _read_file(file)
    if "TOLLKEY_RATE_LIMIT" in environ:
        raise ValueError("TOLLKEY_RATE_LIMIT is now TOLLKEY_TEST_RATE_LIMIT and TOLLKEY_LIVE_RATE_LIMIT, by account")
    for setting in fields(Settings):
        name = "TOLLKEY_" + setting.name.upper()
        if name in environ:
            values[setting.name] = _read(name, environ[name], setting.default)
        if setting.name in _URLS and environ.get(f"{name}_FILE"):
            if name in environ:
                raise ValueError(f"{name} and {name}_FILE are both set; set only one of them")
            values[setting.name] = _from_file(f"{name}_FILE", environ[f"{name}_FILE"])
    values.update({name: value for name, value in given.items() if value is not None})
    for setting in fields(Settings):
        choices, value = setting.metadata["choices"], values.get(setting.name, setting.default)
        if choices and value not in choices:
            raise ValueError(f"TOLLKEY_{setting.name.upper()} must be one of {', '.join(choices)}, not {value!r}")
        span = setting.metadata["span"]
        if span is not None and not span[0] <= value <= span[1]:  # also refuses NaN
            raise ValueError(f"TOLLKEY_{setting.name.upper()} must be {span[0]:g} to {span[1]:g}, not {value!r}")
    settings = Settings(**values)
    if settings.direct_database and not settings.in_postgres:
        raise ValueError("TOLLKEY_DIRECT_DATABASE goes with TOLLKEY_DATABASE: the URL of a pooler before PostgreSQL")
    if settings.drain_seconds >= settings.stop_seconds:
        raise ValueError("TOLLKEY_DRAIN_SECONDS must be less than TOLLKEY_STOP_SECONDS, which it is a part of")
    if settings.idle_seconds >= settings.lock_seconds:
        raise ValueError(
            f"TOLLKEY_IDLE_SECONDS ({settings.idle_seconds:g}) must be less than TOLLKEY_LOCK_SECONDS"
            f" ({settings.lock_seconds:g}), so that who waits for the lock of a frozen node gets it"
        )
    if settings.delivery_days < settings.event_days:
        raise ValueError(
            f"TOLLKEY_DELIVERY_DAYS ({settings.delivery_days}) must not be less than TOLLKEY_EVENT_DAYS"
            f" ({settings.event_days}): the filter delivery_success of events asks for their deliveries"
        )
    _check_vault(settings)
    return settings


def _check_vault(settings: Settings) -> None:
    """Raise ValueError for a card vault that is half configured, that several nodes could not share, or that is where
    the main database or the main keyring is.
    """
    database, keyring = settings.vault_database, settings.vault_keyring
    if not database and not keyring:
        return
    if not database or not keyring:
        lacking = "TOLLKEY_VAULT_KEYRING" if database else "TOLLKEY_VAULT_DATABASE"
        raise ValueError(f"the card vault needs {lacking} too: it has a database and a keyring of its own")
    in_postgres = database.startswith(("postgresql://", "postgres://"))
    if settings.in_postgres and not in_postgres:
        raise ValueError(
            "TOLLKEY_VAULT_DATABASE must be a URL of PostgreSQL where TOLLKEY_DATABASE is one: every node needs the"
            " same vault"
        )
    own = {settings.database_url, settings.direct_url}
    if database in own or (not in_postgres and Path(database).resolve() in {Path(one).resolve() for one in own}):
        raise ValueError("TOLLKEY_VAULT_DATABASE must be another database than the main one")
    main = Path(settings.keyring_file or Path(settings.data) / "keyring.json")
    if Path(keyring).resolve() == main.resolve():
        raise ValueError("TOLLKEY_VAULT_KEYRING must be another file than the main keyring")


def given_settings(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the settings that the environment gives, by their names, each with the name of its variable."""
    names = {setting.name: f"TOLLKEY_{setting.name.upper()}" for setting in fields(Settings)}
    given = {setting: name for setting, name in names.items() if environ.get(name)}
    return given | {name: f"{names[name]}_FILE" for name in _URLS if environ.get(f"{names[name]}_FILE")}


def _read_file(file: Path) -> dict[str, Any]:
    """Return the settings of a TOML file. Raises ValueError for one that cannot be read, and for what is no setting."""
    try:
        found = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as problem:
        why = problem.strerror if isinstance(problem, OSError) else str(problem)
        raise ValueError(f"{file} cannot be read: {why}") from None
    defaults = {setting.name: setting.default for setting in fields(Settings)}
    for name, value in found.items():
        if name not in defaults:
            near = get_close_matches(name, defaults, 1)
            raise ValueError(f"{file}: there is no setting {name}" + (f"; did you mean {near[0]}?" if near else ""))
        wanted = type(defaults[name])
        if type(value) is not wanted and not (wanted is float and type(value) is int):
            words = {bool: "true or false", int: "a whole number", float: "a number", str: "a text in quotes"}
            raise ValueError(f"{file}: {name} must be {words[wanted]}")
    return found


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
