"""``tollkey live``: local keys in front of an account at another server, such as one's own Stripe account."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Any

import typer

from tollkey.cli import processor, vault
from tollkey.cli.common import (
    ACTOR,
    Account,
    AsJson,
    BaseUrl,
    Data,
    Database,
    address_of,
    fail,
    opened,
    record,
    scope_of,
    show,
    table,
    when,
)
from tollkey.core import Core
from tollkey.db import Scope, Tx
from tollkey.keys.header import beginning
from tollkey.keys.token import redact
from tollkey.payments.processors import backends
from tollkey.upstream import connecting, hooks, spending, states, store
from tollkey.upstream.connecting import NotConnected, OtherAccount
from tollkey.upstream.events import PATH
from tollkey.upstream.probing import KeyNotTaken, ProbeFailed, mode_of, probe_once, probe_stored
from tollkey.upstream.states import State
from tollkey.upstream.store import hosts_of

app = typer.Typer(no_args_is_help=True, help=(
    "Pass the calls of an account on to your own account at another server, such as Stripe:"
    " with local keys, restricted, rolled and revoked here."
))  # fmt: skip
app.add_typer(processor.app, name="processor")
app.add_typer(vault.app, name="vault")
_LONGEST_FILE = 4096  # characters
_TITLES = ("ACCOUNT", "MODE", "UPSTREAM", "URL", "KEY", "KEY SINCE (UTC)", "LAST TAKEN", "LAST REFUSED", "UNKNOWN")

TestMode = Annotated[bool, typer.Option("--test-mode", help="Of test mode. [live mode]")]


@app.command()
def connect(
    key_file: Annotated[str, typer.Option(
        help="File with the secret or restricted key of that account, - for standard input. It is stored sealed.")],
    upstream: Annotated[str, typer.Option(help="URL of the API.")] = "https://api.stripe.com",
    account: Account = None, data: Data = None, database: Database = None, json_: AsJson = False,
) -> None:  # fmt: skip
    """Pass the calls of an account on, or store another key for that.

    The key decides on the mode: sk_live_… is for live mode, sk_test_… for test mode. It is tried first. From then on
    all calls with local keys of that mode go to the upstream account, but for those about the local keys themselves.
    """
    key = _read_key(key_file)
    try:
        hosts, livemode = hosts_of(upstream), mode_of(key)
        found = asyncio.run(probe_once(hosts, key))
    except (ValueError, ProbeFailed) as problem:
        raise fail(f"not connected: {problem}") from None
    with opened(data, database) as core:
        scope, now = scope_of(core, account, livemode), int(core.now())
        keyring = core.authority.keyring

        def store_it(tx: Tx) -> None:
            if backends.of(tx, scope) is not None:
                raise NotConnected(f"{scope.account} has a processor (`tollkey live processor disconnect`)")
            first = connecting.connect(tx, keyring, scope, hosts, found, key, now)
            done = "upstream_connected" if first else "upstream_key_stored"
            record(core, tx, scope, done, found.account or "", url=hosts.api, key=redact(key))

        try:
            core.database.write(store_it, lock=scope.name)
        except NotConnected as problem:
            how = " (`tollkey live disconnect`)" if isinstance(problem, OtherAccount) else ""
            raise fail(f"not connected: {problem}{how}") from None
        after = core.database.read(lambda tx: states.of(tx, scope))
        assert after is not None
        show(_value(after), json_, lambda: [
            f"{scope.account} passes its {_mode(scope)} calls on to {found.account or 'an account'} at {hosts.api}.",
            "Keys of this server open it now: tollkey keys create --live --name … --permission dispute_read",
        ])  # fmt: skip


@app.command()
def status(account: Account = None, data: Data = None, database: Database = None, json_: AsJson = False) -> None:
    """Show the upstream accounts: whose key is stored, since when, and when it was last taken or refused."""
    with opened(data, database) as core:
        wanted = None if account is None else scope_of(core, account, True).account
        found = [one for one in core.database.read(states.every) if wanted in (None, one.scope.account)]
        show(
            [{**_value(one), "unknown_calls": one.unknown} for one in found],
            json_,
            lambda: table(
                _TITLES,
                [
                    (
                        one.scope.account, _mode(one.scope), one.id or "-", one.api, one.shown, when(one.keyed_at),
                        when(one.succeeded_at), when(one.refused_at), str(one.unknown),
                    )
                    for one in found
                ],
            )
            if found
            else ["No account is connected: tollkey live connect"],
        )  # fmt: skip


@app.command()
def disconnect(
    test_mode: TestMode = False,
    account: Account = None, data: Data = None, database: Database = None, json_: AsJson = False,
) -> None:  # fmt: skip
    """Pass no more calls on, and delete the stored key. What was passed on stays in the list of calls."""
    with opened(data, database) as core:
        scope = scope_of(core, account, not test_mode)

        def work(tx: Tx) -> bool:
            before = states.of(tx, scope)
            if before is None or not store.disconnect(tx, scope):
                return False
            record(core, tx, scope, "upstream_disconnected", before.id or "", url=before.api, key=before.shown)
            return True

        if not core.database.write(work):
            raise fail(f"{scope.account} is not connected in {_mode(scope)} mode")
        show({"account": scope.account, "livemode": scope.livemode, "connected": False}, json_, lambda: [
            f"{scope.account} passes no {_mode(scope)} calls on any more."
        ])  # fmt: skip


@app.command("test")
def try_key(
    test_mode: TestMode = False,
    account: Account = None, data: Data = None, database: Database = None, json_: AsJson = False,
) -> None:  # fmt: skip
    """Ask the upstream account whether it takes the stored key. Exit code 1 if it does not."""
    with opened(data, database) as core:
        scope = scope_of(core, account, not test_mode)
        found = core.database.read(lambda tx: store.find(tx, core.authority.keyring, scope))
        if found is None:
            raise fail(f"{scope.account} is not connected in {_mode(scope)} mode")
        try:
            said = asyncio.run(probe_stored(found))
        except ProbeFailed as problem:
            if isinstance(problem, KeyNotTaken):
                core.database.write(lambda tx: store.note_use(tx, scope, int(core.now()), taken=False))
            raise fail(str(problem)) from None
        core.database.write(lambda tx: store.note_use(tx, scope, int(core.now()), taken=True))
        show({"account": scope.account, "upstream": said.account, "works": True}, json_, lambda: [
            f"{found.hosts.api} takes the key {found.shown}" + (f" of {said.account}." if said.account else ".")
        ])  # fmt: skip


@app.command()
def calls(
    unknown: Annotated[bool, typer.Option("--unknown", help="Only calls whose answer did not arrive.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many to show, newest first.")] = 20,
    test_mode: TestMode = False,
    account: Account = None, data: Data = None, database: Database = None, json_: AsJson = False,
) -> None:  # fmt: skip
    """List calls that were passed on: which local key, which request there, and what became of it."""
    with opened(data, database) as core:
        scope = scope_of(core, account, not test_mode)
        found = core.database.read(lambda tx: store.calls(tx, scope, limit=limit, state="unknown" if unknown else None))
        show(
            [one._asdict() for one in found],
            json_,
            lambda: table(
                ("TIME (UTC)", "REQUEST", "KEY", "CALL", "STATE", "STATUS", "REQUEST THERE"),
                [
                    (
                        when(one.at), one.id, one.key_id, f"{one.method} {one.path}", one.state.replace("_", " "),
                        str(one.status or "-"), one.upstream_request or "-",
                    )
                    for one in found
                ],
            )
            if found
            else ["No calls"],
        )  # fmt: skip


@app.command()
def webhooks(
    secret_file: Annotated[str | None, typer.Option(
        help="File with the signing secret (whsec_…) that the upstream account gave its endpoint, - for standard input."
    )] = None,
    off: Annotated[bool, typer.Option("--off", help="Receive no events any more.")] = False,
    base_url: BaseUrl = None, test_mode: TestMode = False,
    account: Account = None, data: Data = None, database: Database = None, json_: AsJson = False,
) -> None:  # fmt: skip
    """Let the upstream account send its events here, to be delivered to the webhook endpoints of this server.

    Prints the URL to register at the upstream account. Store the signing secret that it gives with --secret-file; up to
    three are valid, for the time of a roll. Webhook endpoints are then managed here.
    """
    secret = _read_key(secret_file, "--secret-file") if secret_file is not None else None
    if secret is not None and not secret.startswith("whsec_"):
        raise typer.BadParameter("the text is no signing secret (whsec_…)", param_hint="--secret-file")
    with opened(data, database, base_url) as core:
        scope, keyring, now = scope_of(core, account, not test_mode), core.authority.keyring, int(core.now())
        if off:
            if not core.database.write(lambda tx: _hook_deleted(core, tx, scope)):
                raise fail(f"{scope.account} receives no events in {_mode(scope)} mode")
            show({"account": scope.account, "url": None}, json_, lambda: ["No events are received any more."])
            return
        if not core.database.read(lambda tx: states.is_connected(tx, scope)):
            raise fail(f"{scope.account} is not connected in {_mode(scope)} mode")
        base = address_of(core)

        def make(tx: Tx) -> hooks.Hook:
            hook = hooks.make(tx, keyring, core.setup.ids, scope, now)
            if secret is None:
                return hook
            record(core, tx, scope, "upstream_webhook_secret_stored")
            return hooks.add_secret(tx, keyring, hook, secret)

        hook = core.database.write(make)
        url = f"{base}{PATH}{hook.token}"
        value = {"account": scope.account, "url": url, "secrets": len(hook.secrets), "heard_at": hook.heard_at}
        show(value, json_, lambda: [
            f"URL to register  {url}",
            f"Signing secrets  {len(hook.secrets) or 'none yet: --secret-file'}",
            f"Last event       {when(hook.heard_at)}",
        ])  # fmt: skip


@app.command()
def approvals(
    approve: Annotated[str | None, typer.Option(help="Approve this call, apr_….")] = None,
    refuse: Annotated[str | None, typer.Option(help="Refuse this call, apr_….")] = None,
    all_: Annotated[bool, typer.Option("--all", help="Also those that were decided.")] = False,
    test_mode: TestMode = False,
    account: Account = None, data: Data = None, database: Database = None, json_: AsJson = False,
) -> None:  # fmt: skip
    """List calls above a cap of their key that wait for a person; approve or refuse one.

    An approved call is sent when its caller repeats it with the same idempotency key.
    """
    if approve and refuse:
        raise typer.BadParameter("choose one of --approve and --refuse", param_hint="--refuse")
    with opened(data, database) as core:
        scope, now, id = scope_of(core, account, not test_mode), int(core.now()), approve or refuse
        if id is not None:
            state = "approved" if approve else "refused"

            def work(tx: Tx) -> bool:
                done = spending.decide(tx, scope, id, state, str(ACTOR), now)
                if done:
                    record(core, tx, scope, f"upstream_call_{state}", id)
                return done

            if not core.database.write(work):
                raise fail(f"no call waits for approval under {beginning(id, 40)}")
            show({"id": id, "state": state}, json_, lambda: [f"{id} is {state}."])
            return
        found = core.database.read(lambda tx: spending.approvals(tx, scope, state=None if all_ else "pending"))
        show(
            [{**one._asdict(), "mark": one.mark.hex()} for one in found],
            json_,
            lambda: table(
                ("ID", "TIME (UTC)", "KEY", "CALL", "MOVES", "CAP", "STATE"),
                [
                    (
                        one.id, when(one.at), one.key_id, f"{one.method} {one.path}",
                        f"{one.amount} {one.currency} ({one.kind})", one.cap, one.state,
                    )
                    for one in found
                ],
            )
            if found
            else ["No calls wait for approval"],
        )  # fmt: skip


def _hook_deleted(core: Core, tx: Tx, scope: Scope) -> bool:
    deleted = hooks.delete(tx, scope)
    if deleted:
        record(core, tx, scope, "upstream_webhooks_off")
    return deleted


def _read_key(name: str, option: str = "--key-file") -> str:
    try:
        if name == "-":
            return typer.get_text_stream("stdin").read(_LONGEST_FILE).strip()
        with Path(name).open(encoding="utf-8") as file:
            return file.read(_LONGEST_FILE).strip()
    except (OSError, UnicodeDecodeError):
        raise typer.BadParameter("cannot be read", param_hint=option) from None


def _mode(scope: Scope) -> str:
    return "live" if scope.livemode else "test"


def _value(one: State) -> dict[str, Any]:
    return {
        "account": one.scope.account, "livemode": one.scope.livemode, "upstream": one.id, "url": one.api,
        "key": one.shown, "connected_at": one.connected_at, "keyed_at": one.keyed_at, "succeeded_at": one.succeeded_at,
        "refused_at": one.refused_at,
    }  # fmt: skip
