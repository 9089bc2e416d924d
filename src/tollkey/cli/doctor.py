"""``tollkey doctor``: check the installation. Exits with 1 when a check fails."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import typer

from tollkey import ledger
from tollkey.cli.common import AsJson, Data, Database, opened, show
from tollkey.core import Core, keyring_source
from tollkey.db import Scope, StorageError, Tx
from tollkey.db.opening import sqlite_file
from tollkey.keys.errors import KeyringError
from tollkey.keys.keyring import is_private
from tollkey.payments.processors import attempts, backends, vault
from tollkey.platform.merchants import merchants
from tollkey.upstream import states
from tollkey.wire.jobs import FailingJob, failing_jobs

_OPEN_SECONDS = 3_600  # for which the outcome of an operation may be unknown
_MOST_LISTED = 5  # failed jobs that are listed


class Finding(NamedTuple):
    """The result of one check. ok: whether it passed."""

    check: str
    ok: bool
    detail: str


def examine(core: Core) -> list[Finding]:
    """Check the database, the keyring, scheduled jobs, the keys and the ledger of every account, upstream accounts.

    Returns one finding per check.
    """
    keyring = keyring_source(core.settings).path
    private = keyring is None or is_private(keyring)
    where = (
        "in the environment"
        if keyring is None
        else f"{keyring} {'is' if private else 'must be'} readable by its owner only"
    )
    findings = [
        Finding("key material", private, where),
        *_files(Path(core.settings.data)),
        *_vault(core),
    ]

    def run_checks(tx: Tx) -> list[Finding]:
        found = []
        if tx.dialect == "sqlite":
            answer = tx.execute("PRAGMA quick_check")[0][0]
            found.append(Finding("database file", answer == "ok", str(answer)))
        found.append(_jobs(failing_jobs(tx)))
        accounts = merchants(tx)
        found.append(Finding("accounts", bool(accounts), f"{len(accounts)} accounts"))
        for merchant in accounts:
            for livemode in (False, True):
                scope = Scope(merchant.id, livemode)
                kinds = {key.kind for key in core.authority.defaults(tx, scope) if not key.ended(int(core.now()))}
                mode = "live" if livemode else "test"
                found.append(
                    Finding(f"{merchant.id} {mode} keys", "publishable" in kinds, ", ".join(sorted(kinds)) or "none")
                )
                broken = ledger.audit(tx, scope)
                found.append(Finding(f"{merchant.id} {mode} ledger", not broken, "; ".join(broken) or "sums to zero"))
        found += [_upstream(one) for one in states.every(tx)]
        return found + [_processor(tx, one, int(core.now())) for one in backends.every(tx)]

    return findings + core.database.read(run_checks)


def _jobs(found: list[FailingJob]) -> Finding:
    """The check of scheduled jobs: jobs that are retried are counted, failed jobs are listed and fail the check."""
    failed = [one for one in found if one.state == "failed"]
    listed = [
        f"{one.job.kind} of {one.job.id} ({one.job.scope.account}, {'live' if one.job.scope.livemode else 'test'}):"
        f" {one.error}"
        for one in failed[:_MOST_LISTED]
    ]
    if len(failed) > _MOST_LISTED:
        listed.append(f"and {len(failed) - _MOST_LISTED} more: see the Dashboard, Developers, Scheduled jobs")
    counted = f"{len(found) - len(failed)} retrying, {len(failed)} failed"
    return Finding("scheduled jobs", not failed, "; ".join([counted, *listed]))


def _upstream(one: states.State) -> Finding:
    """The check of an upstream account: that it took its key when it was last used. Unknown outcomes are counted."""
    mode = "live" if one.scope.livemode else "test"
    said = "refused its key when it was last used: tollkey live connect" if one.refused else "takes its key"
    counted = f"{one.unknown} calls of unknown outcome" + (": tollkey live calls --unknown" if one.unknown else "")
    return Finding(f"{one.scope.account} {mode} upstream", not one.refused, f"{one.id or one.api} {said}; {counted}")


def _processor(tx: Tx, one: backends.Backend, now: int) -> Finding:
    """The check of a processor: that it can be reached, and that nothing it was asked waits for a person."""
    waiting = attempts.troubled(tx, now - _OPEN_SECONDS, one.scope)
    said = f"failed when it was last used: {one.failure}" if one.failing else "can be reached"
    left = f"{len(waiting)} operations of unknown outcome" + (
        ": tollkey live processor attempts --open" if waiting else ""
    )
    return Finding(f"{one.scope.account} processor", not (one.failing or waiting), f"{one.provider} {said}; {left}")


def _vault(core: Core) -> list[Finding]:
    """The checks of the card vault, if it is used: that it can be opened, and its files by their owner only."""
    place, used = vault.place_of(core.settings), core.database.read(vault.is_used)
    if place is None:
        lost = "numbers of cards are in a vault: set TOLLKEY_VAULT_DATABASE and TOLLKEY_VAULT_KEYRING"
        return [Finding("card vault", False, lost)] if used else []
    if not used:
        return []
    try:
        vault.open_store(place, core.database.read(vault.main_id), core.authority.keyring).database.close()
    except (vault.VaultRefused, KeyringError, StorageError, OSError) as problem:
        return [Finding("card vault", False, str(problem))]
    files = [Path(place.keyring), *([] if place.in_postgres else [sqlite_file(place.database)])]
    open_to_all = [str(file) for file in files if not is_private(file)]
    said = "must be readable by their owner only: " + ", ".join(open_to_all) if open_to_all else "can be opened"
    return [Finding("card vault", not open_to_all, said)]


def _files(data: Path) -> list[Finding]:
    """Check that other users can neither write the data folder (they could replace the keyring) nor read its files."""
    open_to_all = [
        file.name for file in data.iterdir() if file.stat().st_mode & 0o077 and (file.is_file() or file.name == "files")
    ]
    writable = bool(data.stat().st_mode & 0o022)
    return [
        Finding("data folder", not writable, f"{data} {'must be' if writable else 'is'} writable by its owner only"),
        Finding(
            "data files",
            not open_to_all,
            f"readable by others: {', '.join(sorted(open_to_all))}" if open_to_all else "private",
        ),
    ]


def doctor(data: Data = None, database: Database = None, json_: AsJson = False) -> None:
    """Check the database, the keyring, the keys, the ledger, failed jobs, the keys of upstream accounts, processors."""
    with opened(data, database) as core:
        findings = examine(core)
        values = [{"check": f.check, "ok": f.ok, "detail": f.detail} for f in findings]
        show(values, json_, lambda: [f"{'ok  ' if f.ok else 'FAIL'}  {f.check}: {f.detail}" for f in findings])
    if not all(f.ok for f in findings):
        raise typer.Exit(1)
