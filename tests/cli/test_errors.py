"""No command repeats a secret that was typed in the wrong place, whichever command and place."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from tests.support.shell import run
from tollkey.cli import app
from tollkey.cli.commands import build
from tollkey.keys import KeyService

BODY = "a1B2" * 20
#: Keys of this server, of a library's own brand, and what else opens something.
SECRETS = {
    "a key": f"sk_live_{BODY}",
    "a key of a library": f"acmekeys2_prod1_{BODY}",
    "a key with long words": f"acmeproductionkeys_production_{BODY}",
    "a signing secret": f"whsec_{BODY}",
    "a database": f"postgresql://bob:{BODY}@127.0.0.1:9/x?connect_timeout=1",
    "a database in words": f"host=127.0.0.1 port=9 password={BODY}",
}


def _commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    yield path, command
    for name, inner in getattr(command, "commands", {}).items():
        yield from _commands(inner, (*path, name))


COMMANDS = dict(_commands(get_command(app.app)))


def _misused(secret: str) -> Iterator[list[str]]:
    """Ways of typing a secret where nothing belongs."""
    yield from ([secret] * 6, [f"--{secret}"], [f"-{secret}"], [f"--oops={secret}"])


def _values(path: tuple[str, ...], secret: str) -> Iterator[list[str]]:
    """The secret as the value of each argument and option."""
    arguments = [one for one in COMMANDS[path].params if one.param_type_name == "argument"]
    yield [secret] * len(arguments)
    for option in COMMANDS[path].params:
        if option.param_type_name == "option" and not option.is_flag:
            yield [option.opts[0], secret, *["x"] * len(arguments)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Data of the payments API, and a library's database."""
    place = tmp_path_factory.mktemp("typed")
    run(place / "data", "accounts", "create", "--name", "Shop")
    with KeyService.open(str(place / "keys.db")) as keys:
        keys.create("main")
    return place


def _repeated(words: list[str]) -> bool:
    done = CliRunner().invoke(app.app, words)
    if not isinstance(done.exception, SystemExit | None):
        raise done.exception
    return bool(done.exit_code) and BODY[:8] in done.output


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal that breaks no line."""
    monkeypatch.setenv("COLUMNS", "1000")


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_no_usage_error_repeats_a_secret(path: tuple[str, ...]) -> None:
    for secret in SECRETS.values():
        for words in _misused(secret):
            assert not _repeated([*path, *words]), words
    for option in COMMANDS[path].params:
        assert not _repeated([*path, f"{option.opts[0]}={SECRETS['a key of a library']}", "--oops"]), option.opts


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_no_command_repeats_a_secret_that_was_typed_in_a_wrong_place(
    folder: Path, path: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    if path[-1:] in (("serve",), ("dashboard",)):
        return  # one that is right would serve
    places = [["--data", "data"], ["--database", "keys.db"]] if path[:1] == ("keys",) else [["--data", "data"]]
    for words in _values(path, SECRETS["a key with long words"]):  # the one that is the hardest to see
        for place in places:
            assert not _repeated([*path, *words, *place]), (words, place)


@pytest.mark.parametrize("words", ["keys list", "copy --to keys.db"])
@pytest.mark.parametrize("name", ["a database", "a database in words"])
def test_no_command_repeats_the_password_of_a_database(
    folder: Path, words: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    assert not _repeated([*words.split(), "--database", SECRETS[name]])


@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)
@pytest.mark.parametrize("words", ["{}", "--config {}", "--allowed {}", "--verify --database {}"])
def test_a_scan_repeats_none_either(tmp_path: Path, secret: str, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    given = [word.format(secret) for word in words.split()]
    done = CliRunner().invoke(build("scan"), ["scan", *given])
    assert (done.exit_code, BODY[:8] in done.output) == (2, False), done.output


def test_a_usage_error_still_says_what_is_wrong() -> None:
    done = CliRunner().invoke(app.app, ["keys", "revok"])
    assert (done.exit_code, "revok" in done.output) == (2, True)
