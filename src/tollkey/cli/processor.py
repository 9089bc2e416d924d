"""``tollkey live processor``: the processor on a network that live payments of an account go through."""

from __future__ import annotations

import asyncio
import time
import tomllib
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from tollkey.cli.common import Account, AsJson, Data, Database, fail, opened, record, scope_of, show, table, when
from tollkey.core import Core
from tollkey.db import Scope, Tx
from tollkey.keys.header import beginning
from tollkey.payments.processors import attempts, backends, notices, serving
from tollkey.upstream import states

if TYPE_CHECKING:
    from tollkey.payments.processors.attempts import Attempt
    from tollkey.payments.processors.backends import Backend
    from tollkey.payments.processors.network import Clock, Features, Provider

app = typer.Typer(no_args_is_help=True, help=(
    "Let live payments of an account go through a processor on a network: an acquirer, or files for a bank."
))  # fmt: skip
_LONGEST_FILE = 1 << 20  # bytes
_MOST = 1_000


@app.command()
def connect(
    provider: Annotated[str, typer.Option(help="Name of the provider; `status` lists those that are installed.")],
    config: Annotated[Path, typer.Option(help="TOML file with its configuration. It is stored sealed.")],
    untested: Annotated[bool, typer.Option("--untested", help="Do not try whether it can be reached.")] = False,
    account: Account = None, data: Data = None, database: Database = None, json_: AsJson = False,
) -> None:  # fmt: skip
    """Use a processor for the live payments of an account, or store another configuration of it. It is tried first."""
    found, values = _provider(provider), _read(config)
    try:
        features, said = asyncio.run(_try(found, values, time.time, probe=not untested))
    except (ValueError, OSError) as problem:
        raise fail(f"not connected: {problem}") from None
    with opened(data, database) as core:
        scope = scope_of(core, account, True)

        def work(tx: Tx) -> None:
            if states.is_connected(tx, scope):
                raise ValueError(f"{scope.account} passes its live calls on (`tollkey live disconnect`)")
            call = core.call(tx, scope)
            first = backends.of(tx, scope) is None
            backends.connect(tx, core.authority.keyring, scope, provider, values, features, call.now)
            backends.tell(call, features)
            did = "connected" if first else "configured"
            record(core, tx, scope, f"processor_{did}", provider, operations=sorted(features.operations))

        _write(core, scope, work)
        value = {"account": scope.account, "provider": provider, "operations": sorted(features.operations)}
        show(value, json_, lambda: [
            f"{scope.account} uses {found.title} in live mode: {', '.join(sorted(features.operations))}.", *said,
        ])  # fmt: skip


@app.command()
def status(account: Account = None, data: Data = None, database: Database = None, json_: AsJson = False) -> None:
    """Show the processors of accounts, what of their operations is not known, and the installed providers."""
    with opened(data, database) as core:
        wanted = None if account is None else scope_of(core, account, True).account
        found = [one for one in core.database.read(backends.every) if wanted in (None, one.scope.account)]
        rows = [_value(core, one) for one in found]
        providers = sorted(serving.installed())
        value = {"processors": rows, "providers": providers}
        show(value, json_, lambda: [
            *(table(
                ("ACCOUNT", "PROVIDER", "SINCE (UTC)", "LAST REACHED", "LAST FAILED", "OPEN", "FOR A PERSON"),
                [
                    (
                        one["account"], one["provider"], when(one["connected_at"]), when(one["reached_at"]),
                        f"{when(one['failed_at'])} {one['failure']}".strip(), str(one["open"]), str(one["manual"]),
                    )
                    for one in rows
                ],
            ) if rows else ["No account has a processor: tollkey live processor connect"]),
            f"Installed providers: {', '.join(providers) or 'none'}",
        ])  # fmt: skip


@app.command()
def disconnect(account: Account = None, data: Data = None, database: Database = None, json_: AsJson = False) -> None:
    """Use the processor no more, and delete its configuration. Refused while an outcome is not known."""
    with opened(data, database) as core:
        scope = scope_of(core, account, True)

        def work(tx: Tx) -> None:
            backend = backends.of(tx, scope)
            if backend is None or not backends.disconnect(tx, scope):
                raise ValueError(f"{scope.account} has no processor")
            backends.tell(core.call(tx, scope), None)
            record(core, tx, scope, "processor_disconnected", backend.provider)

        _write(core, scope, work)
        show({"account": scope.account, "provider": None}, json_, lambda: [
            f"Live payments of {scope.account} are refused from now on."
        ])  # fmt: skip


@app.command("test")
def try_it(account: Account = None, data: Data = None, database: Database = None, json_: AsJson = False) -> None:
    """Try whether the processor can be reached and knows us. Exit code 1 if not."""
    with opened(data, database) as core:
        scope = scope_of(core, account, True)
        keyring = core.authority.keyring
        backend = core.database.read(lambda tx: backends.of(tx, scope))
        values = core.database.read(lambda tx: backends.configuration(tx, keyring, scope))
        if backend is None or values is None:
            raise fail(f"{scope.account} has no processor")
        try:
            _, said = asyncio.run(_try(_provider(backend.provider), values, core.now, probe=True))
        except (ValueError, OSError) as problem:
            why = str(problem)[:200] or "failed"
            core.database.write(lambda tx: backends.note(tx, scope, int(core.now()), why))
            raise fail(str(problem)) from None
        core.database.write(lambda tx: backends.note(tx, scope, int(core.now())))
        show({"account": scope.account, "works": True, "said": said}, json_, lambda: said)


@app.command("bank-account")
def keep_bank_account(
    id: Annotated[str, typer.Argument(help="Id of the external account that is paid out to, ba_….")],
    details: Annotated[Path, typer.Option(help=(
        "TOML file with what the provider needs of it, as texts: name, iban … It is stored sealed.")
    )],
    account: Account = None, data: Data = None, database: Database = None, json_: AsJson = False,
) -> None:  # fmt: skip
    """Keep the number of a bank account for payouts, sealed. No command, page or answer shows it."""
    values = _read(details)
    if not values or not all(isinstance(value, str) for value in values.values()):
        raise typer.BadParameter("must hold texts alone", param_hint="--details")
    with opened(data, database) as core:
        scope, keyring, now = scope_of(core, account, True), core.authority.keyring, int(core.now())

        def work(tx: Tx) -> None:
            backends.keep_destination(tx, keyring, scope, id, values, now)
            record(core, tx, scope, "payout_bank_account_kept", id, fields=sorted(values))

        _write(core, scope, work)
        show({"account": scope.account, "id": id, "kept": sorted(values)}, json_, lambda: [
            f"Kept of {beginning(id, 40)}: {', '.join(sorted(values))}."
        ])  # fmt: skip


@app.command("attempts")
def list_attempts(
    open_: Annotated[bool, typer.Option("--open", help="Only those whose outcome is not known.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=_MOST, help="How many to show, newest first.")] = 20,
    account: Account = None, data: Data = None, database: Database = None, json_: AsJson = False,
) -> None:  # fmt: skip
    """List what the processor was asked, and what came of it."""
    with opened(data, database) as core:
        scope = scope_of(core, account, True)
        found = core.database.read(lambda tx: attempts.list_of(tx, scope, open_only=open_, limit=limit))
        show(
            [_attempt(one) for one in found],
            json_,
            lambda: table(
                ("TIME (UTC)", "REFERENCE", "OPERATION", "OBJECT", "AMOUNT", "STATE", "WHY"),
                [
                    (
                        when(one.made_at), one.reference, one.operation, one.object, f"{one.amount} {one.currency}",
                        one.state, one.why or "-",
                    )
                    for one in found
                ],
            )
            if found
            else ["Nothing"],
        )  # fmt: skip


@app.command("differences")
def list_differences(
    account: Account = None, data: Data = None, database: Database = None, json_: AsJson = False
) -> None:
    """List what settlements and attempts do not agree on, and what was taken and not settled for a week."""
    with opened(data, database) as core:
        scope, before = scope_of(core, account, True), int(core.now()) - notices.SETTLED_SECONDS
        found = core.database.read(lambda tx: notices.differences(tx, scope))
        late = core.database.read(lambda tx: attempts.unsettled(tx, scope, before))
        value = {"differences": [asdict(one) for one in found], "unsettled": [_attempt(one) for one in late]}
        rows = [
            (when(one.at), one.kind, one.reference or "-", f"{one.amount} {one.currency}", one.difference)
            for one in found
        ] + [
            (when(one.made_at), one.operation, one.reference, f"{one.amount} {one.currency}", "not settled")
            for one in late
        ]
        show(value, json_, lambda: table(("TIME (UTC)", "KIND", "REFERENCE", "AMOUNT", "WHY"), rows) or ["None"])


@app.command()
def resolve(
    reference: Annotated[str, typer.Argument(help="Reference of an attempt whose state is manual.")],
    outcome: Annotated[Literal["approved", "declined"], typer.Option("--as", help="What became of it.")],
    account: Account = None, data: Data = None, database: Database = None, json_: AsJson = False,
) -> None:  # fmt: skip
    """Record what a person has found out about an attempt that nobody could tell."""
    with opened(data, database) as core:
        scope = scope_of(core, account, True)

        def work(tx: Tx) -> None:
            attempt = attempts.find(tx, reference)
            if attempt is None or attempt.scope != scope or attempt.state != "manual":
                raise ValueError(f"no attempt waits for a person under {beginning(reference, 40)}")
            notices.decide(core.call(tx, scope), attempt, outcome)
            moves = f"{attempt.amount} {attempt.currency}"
            record(core, tx, scope, f"processor_attempt_{outcome}", reference, object=attempt.object, moves=moves)

        _write(core, scope, work)
        show({"reference": reference, "state": outcome}, json_, lambda: [f"{reference} is {outcome}."])


async def _try(
    provider: Provider, values: Mapping[str, Any], clock: Clock, *, probe: bool
) -> tuple[Features, list[str]]:
    """Return what a processor can do, and what it says of itself. Raises ValueError, OSError."""
    processor = provider.open(values, clock)
    try:
        return processor.features, [await processor.probe()] if probe else []
    finally:
        await processor.close()


def _provider(name: str) -> Provider:
    known = serving.installed()
    if name not in known:
        there = ", ".join(sorted(known)) or "none"
        raise typer.BadParameter(f"there is no provider of that name; installed: {there}", param_hint="--provider")
    return known[name]


def _read(file: Path) -> dict[str, Any]:
    try:
        with file.open("rb") as opened_file:
            return tomllib.loads(opened_file.read(_LONGEST_FILE).decode())
    except OSError:
        raise typer.BadParameter("cannot be read", param_hint="--config") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError):
        raise typer.BadParameter("is no TOML file", param_hint="--config") from None


def _write(core: Core, scope: Scope, work: Any) -> None:
    """Run a change under the lock of the account's live mode."""
    try:
        core.database.write(work, lock=f"{scope.account}:1")
    except ValueError as problem:
        raise fail(str(problem)) from None


def _value(core: Core, one: Backend) -> dict[str, Any]:
    left = core.database.read(lambda tx: attempts.list_of(tx, one.scope, open_only=True, limit=_MOST))
    return {
        "account": one.scope.account, "provider": one.provider, "operations": sorted(one.features.operations),
        "connected_at": one.connected_at, "reached_at": one.reached_at, "failed_at": one.failed_at,
        "failure": one.failure, "open": len(left), "manual": sum(each.state == "manual" for each in left),
    }  # fmt: skip


def _attempt(one: Attempt) -> dict[str, Any]:
    return {
        "reference": one.reference, "operation": one.operation, "object": one.object, "amount": one.amount,
        "currency": one.currency, "provider": one.provider, "state": one.state, "why": one.why,
        "made_at": one.made_at, "changed_at": one.changed_at, "applied": one.applied,
    }  # fmt: skip
