"""``tollkey keys serve``: each setting of the environment acts, or is refused."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, fields
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tollkey.cli.app import app
from tollkey.cli.keys_server import (
    ACTING,
    COMMAND,
    OF_THE_DASHBOARD,
    PORT,
    Options,
    grace_days,
    key_server,
    open_service,
    portal_of,
)
from tollkey.cli.keys_settings import settings_of
from tollkey.db.postgres import Postgres
from tollkey.keys import KeyService
from tollkey.keys.config import Config
from tollkey.keys.http import KeyServer
from tollkey.keys.keyring import Keyring
from tollkey.settings import BOUNDS, Settings


def output(*words: str, command: str = "serve") -> str:
    done = CliRunner().invoke(app, ["keys", command, *words])
    assert (done.exit_code, "Traceback" in done.stderr) == (1, False)
    return done.stderr


@pytest.mark.parametrize("name", [setting.name for setting in fields(Settings) if setting.name not in ACTING])
def test_a_setting_without_effect_is_refused_by_its_name(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"TOLLKEY_{name.upper()}", "1")
    said = output("--database", str(tmp_path / "keys.db"), "--port", "0")
    assert said.startswith(f"tollkey: TOLLKEY_{name.upper()} has no effect on `tollkey keys serve`: ")
    assert list(tmp_path.iterdir()) == []


@dataclass
class Started:
    """What the settings of the environment have made."""

    options: Options
    keys: KeyService
    server: KeyServer


def use(started: Started, age: int = 0) -> None:
    """Count a request that a key made so many seconds ago."""
    (key, *_) = started.keys.list(account="cus_1") or [started.keys.create(account="cus_1")[0]]
    started.keys.verifier.usage.count(key, int(time.time()) - age)


def minutes(started: Started) -> int:
    """How many minutes of use are kept, when a key was used now and two days ago."""
    use(started, age=2 * 86_400)
    started.keys.flush()
    use(started)
    started.keys.flush()
    count = "SELECT count(*) FROM key_request_counts WHERE step = 60"
    return int(started.keys.database.read(lambda tx: tx.execute(count))[0][0])


def refusals_counted(started: Started) -> bool:
    started.keys.verify("sk_live_unknown")
    return started.keys.attempts.unwritten


def guesses(started: Started) -> int:
    brake = started.server.server.callers.brake
    for count in range(100):
        if brake.blocked("192.0.2.1"):
            return count
        brake.count("192.0.2.1")
    return 100


ACTS: dict[str, tuple[str, Callable[[Started], object], object]] = {
    "host": ("127.0.0.2", lambda it: it.options.settings.host, "127.0.0.2"),
    "port": ("4711", lambda it: it.options.settings.port, 4711),
    "base_url": (
        "https://keys.example/",
        lambda it: portal_of(it.keys, it.options, "http://127.0.0.1:1").base_url,
        "https://keys.example/portal",
    ),
    "refusal_seconds": ("0", refusals_counted, False),
    "guess_limit": ("3", guesses, 3),
    "lease_seconds": ("2.5", lambda it: it.keys.verifier.lease.bound_seconds, 2.5),
    "log_days": ("1", minutes, 1),
    **{
        name: ("5", lambda it, name=name: getattr(it.options.settings, name), 5)  # type: ignore[misc]
        for name in BOUNDS
    },
    "idle_seconds": ("3.5", lambda it: it.options.settings.idle_seconds, 3.5),  # below the usual ``lock_seconds``
    "rotation_grace_days": ("2", lambda it: grace_days(None, it.options.settings), 2),
}


def started(settings: Settings) -> Started:
    options = Options(settings=settings, config=Config())
    keys = open_service(settings, options.config, None, 0)
    return Started(options, keys, key_server(keys, options, "http://127.0.0.1:1"))


@pytest.mark.parametrize("name", sorted(ACTS))
def test_a_setting_acts(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    value, seen, expected = ACTS[name]
    for given in (False, True):
        if given:
            monkeypatch.setenv(f"TOLLKEY_{name.upper()}", value)
        folder = str(tmp_path / f"{given}.db")
        made = started(settings_of(COMMAND, ACTING, database=folder, host=None, port=None, usual_port=PORT))
        with made.keys:
            assert (seen(made) == expected) is given, seen(made)


def test_every_setting_is_in_one_of_the_tables() -> None:
    below = {
        "log_format",
        "log_file",
        "data",
        "database",
        "keyring",
        "keyring_file",
        "notices_file",
        "pool_size",
        "direct_database",  # tests/contract/judges/test_pooler.py
    }
    assert ACTS.keys() | below == ACTING
    assert {setting.name for setting in fields(Settings)} >= ACTING


def test_what_holds_for_the_dashboard_is_taken_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in OF_THE_DASHBOARD:
        monkeypatch.setenv(f"TOLLKEY_{name.upper()}", "1")
    both = settings_of(COMMAND, ACTING | OF_THE_DASHBOARD, database="keys.db", host=None, port=None, usual_port=PORT)
    assert (both.trust_proxy, both.require_https) == (True, True)


@pytest.mark.parametrize(
    ("path", "served"),
    [
        ("/v1/keys/verify", True),
        ("/v1/nothing", True),
        ("/healthz", True),
        ("/openapi.json", True),
        ("/accounts", False),
    ],
)
def test_every_path_that_is_not_the_service_s_is_the_dashboard_s(tmp_path: Path, path: str, served: bool) -> None:
    made = started(Settings(database=str(tmp_path / "keys.db")))
    with made.keys:
        assert made.server.serves({"type": "http", "method": "GET", "path": path}) is served


def test_a_folder_of_data_holds_the_database_when_none_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOLLKEY_DATA", str(tmp_path / "data"))
    started(settings_of(COMMAND, ACTING, database=None, host=None, port=None, usual_port=PORT)).keys.close()
    assert {"keys.db", "keys.db.keyring"} <= {file.name for file in (tmp_path / "data").iterdir()}


def test_a_database_a_keyring_notices_and_a_port_of_the_environment_are_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOLLKEY_DATABASE", str(tmp_path / "keys.db"))
    (tmp_path / "broken.keyring").write_text("none")
    monkeypatch.setenv("TOLLKEY_KEYRING_FILE", str(tmp_path / "broken.keyring"))
    assert "broken.keyring" in output("--port", "0")
    monkeypatch.delenv("TOLLKEY_KEYRING_FILE")
    monkeypatch.setenv("TOLLKEY_KEYRING", "none")
    assert "TOLLKEY_KEYRING" in output("--port", "0")
    monkeypatch.setenv("TOLLKEY_NOTICES_FILE", str(tmp_path / "missing.toml"))
    monkeypatch.delenv("TOLLKEY_KEYRING", raising=False)
    assert "missing.toml" in output("--port", "0")
    assert (tmp_path / "keys.db").exists()
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        monkeypatch.setenv("TOLLKEY_PORT", str(taken.getsockname()[1]))
        assert f"cannot listen on 127.0.0.1:{taken.getsockname()[1]}" in output()


def test_the_log_goes_where_the_environment_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for command in ("serve", "dashboard"):
        monkeypatch.setenv("TOLLKEY_LOG_FILE", str(tmp_path / "missing" / "log"))
        assert "missing/log" in output("--database", str(tmp_path / "keys.db"), "--port", "0", command=command)
        monkeypatch.delenv("TOLLKEY_LOG_FILE")
        monkeypatch.setenv("TOLLKEY_LOG_FORMAT", "xml")
        assert "text, json" in output("--database", str(tmp_path / "keys.db"), "--port", "0", command=command)
        monkeypatch.delenv("TOLLKEY_LOG_FORMAT")


def test_notices_are_declared_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    declared = tmp_path / "notices.toml"
    declared.write_text('[notices.email]\nhost = "localhost"\nsender = "a@example.com"\nto = ["b@example.com"]\n')
    monkeypatch.setenv("TOLLKEY_NOTICES_FILE", str(declared))
    said = output("--database", str(tmp_path / "keys.db"), "--config", str(declared), "--port", "0")
    assert "keep one" in said


def test_the_size_of_the_pool_acts_on_postgres(postgres_url: str) -> None:
    settings = Settings(database=postgres_url, pool_size=3)
    with open_service(settings, Config(), Keyring.fresh()) as keys:
        assert isinstance(keys.database, Postgres)
        assert keys.database.pool_size == 3


def test_the_database_of_the_payments_api_is_refused_before_anything_is_changed(tmp_path: Path) -> None:
    assert CliRunner().invoke(app, ["accounts", "create", "--name", "Acme", "--data", str(tmp_path)]).exit_code == 0
    database, rows = tmp_path / "tollkey.db", tmp_path / "keys.csv"
    before = database.read_bytes()
    rows.write_text("key\nsome-other-key-0123456789abcdef\n")
    named = ["--database", str(database), "--keyring", str(tmp_path / "keyring.json")]
    for command, *words in (("serve", "--port", "0"), ("import", str(rows)), ("dashboard", "--port", "0"), ("list",)):
        assert "the payments API" in output(*words, *named, command=command)
    assert database.read_bytes() == before
