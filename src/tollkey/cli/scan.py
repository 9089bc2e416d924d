"""``tollkey scan``: find API keys in files and commits. Needs no server, and of the packages only typer.

Exit codes: 0 nothing found, 1 a key was found, 2 a usage error, or something could not be searched.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from tollkey.cli.errors import say
from tollkey.db import StorageError
from tollkey.db.opening import sqlite_file
from tollkey.keys import KeyRefused, KeyService
from tollkey.keys.config import ConfigError, load
from tollkey.keys.errors import KeyringError
from tollkey.keys.scanning import (
    Finding,
    ScanFailed,
    Scanner,
    Words,
    as_json,
    as_lines,
    as_sarif,
    rules_for,
    status_in,
)
from tollkey.keys.scanning.scanner import Status
from tollkey.keys.token import BRAND, Brand

FOUND, FAILED = 1, 2
#: Fingerprints of keys that may stand in the repository, one a line.
ALLOWED_FILE = ".tollkey-allowed"


class Rules(StrEnum):
    """Scanners that rules can be printed for."""

    gitleaks = "gitleaks"
    trufflehog = "trufflehog"
    github = "github"


def scan(
    paths: Annotated[list[Path] | None, typer.Argument(help="Files and folders. [the current folder]")] = None,
    staged: Annotated[bool, typer.Option("--staged", help="Scan what the next commit would add.")] = False,
    history: Annotated[bool, typer.Option("--history", help="Scan every commit of every branch and tag.")] = False,
    commits: Annotated[str | None,
    typer.Option(metavar="RANGE", help="Scan a range of commits: origin/main..HEAD.")] = None,
    prefix: Annotated[list[str] | None,
    typer.Option(metavar="WORD", help="First word of your secret keys, such as acmesk. Can be repeated."
    " [keys of every brand]")] = None,
    config: Annotated[Path | None, typer.Option(help="tollkey.toml with your prefixes, in place of --prefix.")] = None,
    live: Annotated[bool, typer.Option("--live", help="Only live keys.")] = False,
    ignored: Annotated[bool, typer.Option("--ignored", help="Also files that .gitignore excludes.")] = False,
    unchecked: Annotated[bool,
    typer.Option("--unchecked", help="Also keys without our checksum, made elsewhere.")] = False,
    verify: Annotated[bool,
    typer.Option("--verify", help="Ask a database which keys may still be used; only these count as found.")] = False,
    database: Annotated[str | None, typer.Option(help="For --verify: SQLite file or postgresql://…")] = None,
    keyring: Annotated[str | None, typer.Option(help="For --verify: the keyring. [DATABASE.keyring]")] = None,
    allowed: Annotated[Path | None,
    typer.Option(help=f"File with fingerprints of keys to leave out, one a line. [{ALLOWED_FILE}]")] = None,
    largest: Annotated[int, typer.Option(min=1, metavar="MB", help="Leave out files larger than this.")] = 100,
    json_: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
    sarif: Annotated[bool, typer.Option("--sarif", help="Print SARIF 2.1.0 instead of text.")] = False,
    rules: Annotated[Rules | None,
    typer.Option(help="Scan nothing; print the rules that another scanner needs for your --prefix.")] = None,
    verify_url: Annotated[str | None,
    typer.Option(help="For --rules trufflehog: the URL that it asks whether a key is live.")] = None,
) -> None:  # fmt: skip
    """Find API keys in files and commits, offline, by their checksum. Prints no key.

    Sample keys of documentation (with EXAMPLE in them) and lines with the comment tollkey:allow are left out.
    Exits with 1 when a key was found and with 2 when something could not be searched.
    """
    if rules is not None:
        typer.echo(rules_for([_brand(prefix, config)], rules.value, verify_url), nl=False)
        return
    database = database or (os.environ.get("TOLLKEY_DATABASE") if verify else None)
    _check(paths or [], [staged, history, commits is not None], [json_, sarif], verify, database)
    words = Words.of(_brand(None, config)) if config else Words(frozenset(_words(prefix))) if prefix else Words()
    scanner = Scanner(
        words, live_only=live, unchecked=unchecked, allowed=_allowed(allowed), largest=largest * 1024 * 1024
    )
    try:
        with _asking(database, keyring) as status_of:
            scanner.status_of = status_of
            found = list(
                _findings(scanner, paths or [Path()], staged, history or commits is not None, commits, ignored)
            )
    except (ScanFailed, StorageError, KeyringError, KeyRefused, ValueError, OSError) as problem:
        raise _fail(str(problem)) from None
    if json_:
        typer.echo(as_json(found, scanner.searched, scanner.skipped))
    elif sarif:
        typer.echo(as_sarif(found))
    else:
        for line in as_lines(found):
            typer.echo(line)
    for name in scanner.skipped:
        say(f"not searched, larger than {largest} MB: {name}")
    harmful = sum(each.harmful for each in found)
    if harmful:
        say(f"{harmful} found. Roll these keys: who has read them can use them.")
        raise typer.Exit(FOUND)


def _check(paths: list[Path], commits: list[bool], formats: list[bool], verify: bool, database: str | None) -> None:
    """Refuse options that do not go together."""
    if sum(commits) > 1:
        raise typer.BadParameter("use one of --staged, --history and --commits", param_hint="--history")
    if any(commits) and len(paths) > 1:
        raise typer.BadParameter("with --staged, --history or --commits, name one repository", param_hint="PATHS")
    if all(formats):
        raise typer.BadParameter("use one of --json and --sarif", param_hint="--sarif")
    if verify and not database:
        raise typer.BadParameter("name the database: --database keys.db", param_hint="--verify")
    if database and not verify:
        raise typer.BadParameter("a database is asked with --verify only", param_hint="--database")


def _findings(
    scanner: Scanner, paths: list[Path], staged: bool, history: bool, commits: str | None, ignored: bool
) -> Iterator[Finding]:
    if staged:
        return scanner.staged(paths[0])
    if history:
        return scanner.history(paths[0], commits)
    return scanner.paths(paths, ignored=ignored)


@contextmanager
def _asking(database: str | None, keyring: str | None) -> Iterator[Callable[[str], Status] | None]:
    """The function that asks the database, within a ``with`` block; None without a database."""
    if database is None:
        yield None
        return
    if "://" not in database.removeprefix("sqlite:///") and not sqlite_file(database).exists():
        raise ScanFailed(f"there is no database {database}")
    with KeyService.open(database, keyring=keyring, flush_seconds=0) as service:
        yield status_in(service, time.time)


def _allowed(file: Path | None) -> frozenset[str]:
    place = file or Path(ALLOWED_FILE)
    if file is None and not place.is_file():
        return frozenset()
    try:
        lines = place.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as problem:
        raise _fail(f"{place} cannot be read: {problem}") from None
    named = [line.partition("#")[0].strip() for line in lines]
    wrong = [name for name in named if name and not re.fullmatch(r"[0-9a-f]{16}", name)]
    if wrong:
        raise _fail(f"{place} has a line that is no fingerprint (16 digits, as a scan prints them)")
    return frozenset(filter(None, named))


def _words(prefix: list[str] | None) -> list[str]:
    """The first words of keys; ``acmesk_live_`` may be given as well."""
    words = [given.partition("_")[0] for given in prefix or ()]
    if not all(re.fullmatch(r"[a-z][a-z0-9]{0,31}", word) for word in words):
        raise typer.BadParameter("a prefix is a lower-case word, such as acmesk", param_hint="--prefix")
    return words


def _brand(prefix: list[str] | None, config: Path | None) -> Brand:
    """The declared brand; of two prefixes the first is of secret keys, the second of restricted ones."""
    if prefix and config:
        raise typer.BadParameter("name the prefixes or the configuration", param_hint="--config")
    if config is not None:
        try:
            return load(config).brand
        except ConfigError as problem:
            raise _fail(str(problem)) from None
    words = _words(prefix)
    if len(words) not in (0, 2):
        message = "for rules, name two: that of your secret keys and that of your restricted keys"
        raise typer.BadParameter(message, param_hint="--prefix")
    return BRAND if not words else Brand(publishable=f"{words[0]}pub", secret=words[0], restricted=words[1])


def _fail(message: str) -> typer.Exit:
    say(message)
    return typer.Exit(FAILED)
