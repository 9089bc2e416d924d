"""The address of a database, with its password, is nowhere to be read: not in the process list, not in what is
printed.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest

from tests.cli.test_running import serving
from tests.support.shell import run
from tollkey.cli.hidden_database import without_addresses
from tollkey.settings import load_settings

PASSWORD = "not-to-be-shown"


@pytest.fixture
def address(postgres_url: str) -> str:
    """A database's address with a password in it, which the test's own server does not ask for."""
    parts = urlsplit(postgres_url)
    host = parts.netloc.rpartition("@")[2]
    user = parts.netloc.rpartition("@")[0].partition(":")[0]
    return urlunsplit(parts._replace(netloc=f"{user}:{PASSWORD}@{host}"))


def seen(process: int) -> str:
    """What any user of the machine can read about a process."""
    return Path(f"/proc/{process}/cmdline").read_text() + Path(f"/proc/{process}/comm").read_text()


@pytest.mark.parametrize("form", ["{option} {address}", "{option}={address}"])
def test_a_server_s_command_line_does_not_hold_it(tmp_path: Path, address: str, form: str) -> None:
    words = form.format(option="--database", address=address).split(" ")
    with serving(tmp_path, *words) as (server, facts):
        shown = seen(server.pid)
        assert "serve" in shown
        assert str(tmp_path) in shown
        assert PASSWORD not in shown
        assert "postgresql" not in shown
        assert PASSWORD not in repr(facts)
        assert run(tmp_path, "keys", "list", "--database", address).exit_code == 0
    assert not (tmp_path / "tollkey.db").exists()


def test_it_is_taken_from_the_environment_and_from_a_file(tmp_path: Path, address: str) -> None:
    secret = tmp_path / "database"
    secret.write_text(address + "\n")
    for environment in ({"TOLLKEY_DATABASE": address}, {"TOLLKEY_DATABASE_FILE": str(secret)}):
        with serving(tmp_path / "data", **environment) as (server, facts):
            assert PASSWORD not in seen(server.pid) + repr(facts)
    assert load_settings({"TOLLKEY_DATABASE_FILE": str(secret)}).database == address


def test_a_file_that_is_not_there_or_not_alone_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"TOLLKEY_DATABASE_FILE: .*none cannot be read"):
        load_settings({"TOLLKEY_DATABASE_FILE": str(tmp_path / "none")})
    with pytest.raises(ValueError, match="TOLLKEY_DATABASE and TOLLKEY_DATABASE_FILE are both set"):
        load_settings({"TOLLKEY_DATABASE_FILE": str(tmp_path), "TOLLKEY_DATABASE": "postgresql://x"})


@pytest.mark.parametrize(
    ("given", "kept", "found"),
    [
        (["serve", "--port", "0"], ["serve", "--port", "0"], ""),
        (
            ["serve", "--database", "postgresql://a:b@c/d", "--port", "0"],
            ["serve", "--port", "0"],
            "postgresql://a:b@c/d",
        ),
        (["serve", "--database=postgres://a:b@c/d"], ["serve"], "postgres://a:b@c/d"),
        (["--database", "postgresql://1", "keys", "--database=postgresql://2"], ["keys"], "postgresql://2"),
        (["serve", "--database", "shop.db"], ["serve", "--database", "shop.db"], ""),
        (["serve", "--database=sqlite:///shop.db"], ["serve", "--database=sqlite:///shop.db"], ""),
        (["serve", "--database"], ["serve", "--database", ""], ""),
    ],
)
def test_which_arguments_are_taken_away(given: list[str], kept: list[str], found: str) -> None:
    assert without_addresses(given) == (kept, {"TOLLKEY_DATABASE": found} if found else {})


def test_the_database_that_is_copied_to_is_taken_away_too() -> None:
    given = ["copy", "--to", "postgresql://a:b@c/new", "--database=postgresql://a:b@c/old"]
    taken = {"TOLLKEY_COPY_TO": "postgresql://a:b@c/new", "TOLLKEY_DATABASE": "postgresql://a:b@c/old"}
    assert without_addresses(given) == (["copy"], taken)
    assert without_addresses(["copy", "--to", "folder"]) == (["copy", "--to", "folder"], {})


#: Addresses that libpq cannot read, or reads so that a part of the password becomes a host or a port, which it names
#: when it complains.
UNREADABLE = (
    f"postgresql://me:{PASSWORD}%zz@127.0.0.1/x", f"postgresql://me:{PASSWORD}@[::1/x",
    f"postgresql://me:1/{PASSWORD}@127.0.0.1/x",
    f"postgresql://me:{PASSWORD}/1@127.0.0.1/x", f"postgresql://me:a@{PASSWORD}@127.0.0.1/x",
    f"postgresql://me:{PASSWORD}?a@127.0.0.1/x",
    f"postgresql://me:{PASSWORD}#a@127.0.0.1/x", f"postgresql://me@127.0.0.1/x?passwort={PASSWORD}",
    f"postgresql://me@127.0.0.1/x?password={PASSWORD}%zz", f"postgresql://127.0.0.1/x?password={PASSWORD}@1",
    f"postgres//me:{PASSWORD}@127.0.0.1/x", f"postgresql:me:{PASSWORD}@127.0.0.1/x",
    f"host=127.0.0.1 password={PASSWORD}", f"password = {PASSWORD} port=1",
    f"postgres://{PASSWORD}/@1", f"postgresqll://me:{PASSWORD}@127.0.0.1/x",
)  # fmt: skip


@pytest.mark.parametrize("address", UNREADABLE)
def test_an_address_that_cannot_be_read_is_nowhere_repeated(tmp_path: Path, address: str) -> None:
    done = run(tmp_path, "accounts", "list", "--json", "--database", address)
    assert done.exit_code == 1
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert PASSWORD not in done.stderr
    assert "not-to" not in done.stderr


@pytest.mark.parametrize("address", [UNREADABLE[0], UNREADABLE[-1]])
def test_a_process_with_such_an_address_prints_one_line(tmp_path: Path, address: str) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    command = [
        sys.executable,
        "-m",
        "tollkey",
        "accounts",
        "list",
        "--json",
        "--data",
        str(tmp_path),
        "--database",
        address,
    ]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120, check=False)
    assert done.returncode == 1
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert PASSWORD not in done.stderr
    assert "not-to" not in done.stderr
