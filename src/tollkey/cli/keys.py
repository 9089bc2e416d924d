"""``tollkey keys``: manage keys. Secrets are printed only on request."""

from __future__ import annotations

from typing import Annotated

import typer

from tollkey.cli import keys_create, keys_import, keys_least_privilege, keys_unused, keys_usage
from tollkey.cli.audit import verify_logs
from tollkey.cli.common import ACTOR, AsJson, fail, show, table, when
from tollkey.cli.delivering import Deliver, deliver_rolled, destination_named
from tollkey.cli.keys_config import check_config
from tollkey.cli.keys_dashboard import serve_dashboard
from tollkey.cli.keys_opening import Account, Config, Data, Database, Keyring, Mode, open_keys
from tollkey.cli.keys_rotate import rotate_due
from tollkey.cli.keys_serve import serve
from tollkey.cli.picking import pick
from tollkey.cli.printing import Show, lines_of, metadata_of, print_key
from tollkey.db import Tx
from tollkey.keys import Key, audit
from tollkey.keys.attempts import refused_attempts
from tollkey.keys.limits import ROLL_EXPIRATIONS
from tollkey.platform.api_keys import shown

app = typer.Typer(no_args_is_help=True, help="List, create, reveal, roll, revoke and audit keys.")
app.command("check-config")(check_config)
app.command()(serve)
app.add_typer(keys_create.commands)
app.command("dashboard")(serve_dashboard)
app.command("rotate-due")(rotate_due)
app.add_typer(keys_import.commands)
app.add_typer(keys_usage.commands)
app.add_typer(keys_least_privilege.commands)
app.add_typer(keys_unused.commands)

KeyId = Annotated[str, typer.Argument(help="Key id (mk_…) or the last characters of the key.")]


@app.command("list")
def list_keys(
    data: Data = None, database: Database = None, keyring: Keyring = None, config: Config = None,
    account: Account = None, live: Mode = None, json_: AsJson = False,
    all_: Annotated[bool, typer.Option("--all", help="Include expired and revoked keys.")] = False,
) -> None:  # fmt: skip
    """List keys, newest first, with masked secrets."""
    with open_keys(data, database, keyring, config) as host:
        scope, now = host.scope_of(account, live), int(host.now())
        keys = host.database.read(lambda tx: host.authority.list(tx, scope, active_at=None if all_ else now))
        usages = host.database.read(lambda tx: host.authority.usages(tx, scope))
        values = [shown(key, now, usages.get(key.id)) for key in keys]
        if not values:
            host.say_empty(scope)
        rows = [
            (
                v["id"],
                v["type"],
                v["name"],
                v["secret"] or v["redacted"],
                v["status"],
                when((v["last_used"] or {}).get("at")),
                when(v["expires_at"]),
            )
            for v in values
        ]
        show(values, json_, lambda: table(("ID", "TYPE", "NAME", "KEY", "STATUS", "LAST USED", "EXPIRES"), rows))


@app.command()
def find(
    key: Annotated[str,
    typer.Argument(
    help="Key id (mk_…), or - to read the key from standard input, which keeps it out of process lists.")],
    data: Data = None, database: Database = None, keyring: Keyring = None, config: Config = None,
    json_: AsJson = False,
) -> None:  # fmt: skip
    """Find a key in all accounts and modes by its id or its text. Prints no secret."""
    wanted = typer.get_text_stream("stdin").readline().strip() if key == "-" else key
    if key != "-" and not key.startswith("mk_"):
        raise typer.BadParameter("pass the mk_ id, or - and the key on standard input", param_hint="KEY")
    with open_keys(data, database, keyring, config) as host:
        found = host.database.read(lambda tx: host.authority.find(tx, wanted))
        if found is None:
            raise fail("no such key")
        value = {"account": found.account, **shown(found, int(host.now())), "secret": None}
        rows = [f"{'account':13} {found.account}", f"{'mode':13} {'live' if found.livemode else 'test'}"]
        show(value, json_, lambda: [*rows, *lines_of(value)])


@app.command()
def reveal(
    key: KeyId, note: Annotated[str, typer.Option(help="Where you store the key.")] = "",
    data: Data = None, database: Database = None, keyring: Keyring = None, config: Config = None,
    account: Account = None, live: Mode = None, json_: AsJson = False,
) -> None:  # fmt: skip
    """Print a key: a test key at any time, a live key once."""
    with open_keys(data, database, keyring, config) as host:
        scope, now = host.scope_of(account, live), int(host.now())

        def reveal_key(tx: Tx) -> tuple[Key, str]:
            found = pick(host, tx, scope, key)
            if note:
                host.authority.update(tx, scope, found.id, actor=ACTOR, now=now, note=note)
            return host.authority.reveal(tx, scope, found.id, actor=ACTOR, now=now)

        became, text = host.database.write(reveal_key)
        print_key(host, became, json_, text)


@app.command()
def roll(
    key: KeyId,
    expires: Annotated[str,
    typer.Option(help="When the old key expires: now, in_1_hour, in_24_hours, in_3_days, in_7_days.")] = "now",
    show_secret: Show = False, deliver: Deliver = None,
    data: Data = None, database: Database = None, keyring: Keyring = None, config: Config = None,
    account: Account = None, live: Mode = None, json_: AsJson = False,
) -> None:  # fmt: skip
    """Replace a key with a new one. The old key works until it expires.

    The new key is printed with --show-secret, or later by `tollkey keys reveal`. A live key can be printed once. With
    --deliver it is stored elsewhere and not printed; the old key ends after that.
    """
    if expires not in ROLL_EXPIRATIONS:
        raise typer.BadParameter(f"must be one of {', '.join(ROLL_EXPIRATIONS)}", param_hint="--expires")
    destination = destination_named(deliver, show_secret, json_)
    with open_keys(data, database, keyring, config) as host:
        scope, now = host.scope_of(account, live), int(host.now())
        if scope.livemode and expires == "now" and not show_secret and destination is None:
            message = "the new live key is shown only once: add --show-secret, or --deliver"
            raise typer.BadParameter(message, param_hint="--show-secret")
        if destination is not None:
            picked = host.database.read(lambda tx: pick(host, tx, scope, key))
            new = deliver_rolled(host, destination, picked, ROLL_EXPIRATIONS[expires])
            print_key(host, new, json_, None, destination)
            return

        def roll_key(tx: Tx) -> tuple[Key, Key, str | None]:
            found = pick(host, tx, scope, key)
            return host.authority.roll(
                tx, scope, found.id, ROLL_EXPIRATIONS[expires], actor=ACTOR, now=now, show=show_secret
            )

        _, new, text = host.database.write(roll_key)
        print_key(host, new, json_, text if show_secret else None)
        if not show_secret and new.token is None:
            mode = None if live is None else "--live" if live else "--test"
            named = {"--account": account, "--database": database, "--keyring": keyring}
            options = "".join(f" {each}" for each in (mode, *(f"{n} {v}" for n, v in named.items() if v)) if each)
            once = "once" if new.hides_after_reveal else "at any time"
            typer.echo(
                f"The new key was not printed. Print it {once} with: tollkey keys reveal {new.id}{options}",
                err=True,
            )


@app.command("old-use")
def old_use(
    key: KeyId,
    data: Data = None, database: Database = None, keyring: Keyring = None, config: Config = None,
    account: Account = None, live: Mode = None, json_: AsJson = False,
) -> None:  # fmt: skip
    """Show who still uses the old key after a roll. KEY is the old or the new one; exits with 1 for others."""
    with open_keys(data, database, keyring, config) as host:
        scope = host.scope_of(account, live)
        use = host.old_key_use(host.database.read(lambda tx: pick(host, tx, scope, key)))
        if use is None:
            raise fail("this key was not rolled, or its roll was cancelled")
        last, used = use.last, use.used_since
        value = {
            "id": use.key.id, "expires_at": use.key.expires_at, "rolled_at": use.rolled_at, "used_since_roll": used,
            "requests_since_roll": use.requests,
            "last_used": last and {"at": last.last_used_at, "endpoint": last.endpoint, "ip": last.ip},
        }  # fmt: skip
        rows = [
            ("old key", use.key.id), ("rolled", when(use.rolled_at)), ("expires", when(use.key.expires_at)),
            ("still used", f"yes, {use.requests} request{'' if use.requests == 1 else 's'} since" if used else "no"),
            ("last use", f"{when(last.last_used_at)} {last.ip or '-'} {last.endpoint or '-'}" if last else "never"),
        ]  # fmt: skip
        show(value, json_, lambda: [f"{name:13} {text}" for name, text in rows])


@app.command()
def update(
    key: KeyId,
    name: Annotated[str | None, typer.Option(help="New name.")] = None,
    note: Annotated[str | None, typer.Option(help="Where the key is stored.")] = None,
    permission: Annotated[list[str] | None,
    typer.Option(help="Replace the permissions. Can be repeated.")] = None,
    connect_permission: Annotated[list[str] | None,
    typer.Option(help="Permission on connected accounts. Can be repeated.")] = None,
    ip: Annotated[list[str] | None, typer.Option(help="Replace the allowed IP addresses. Can be repeated.")] = None,
    metadata: Annotated[list[str] | None,
    typer.Option(help="Set metadata, such as team=billing; team= removes it. Can be repeated.")] = None,
    data: Data = None, database: Database = None, keyring: Keyring = None, config: Config = None,
    account: Account = None, live: Mode = None, json_: AsJson = False,
) -> None:  # fmt: skip
    """Update the name, note, permissions, allowed IP addresses or metadata of a key."""
    entries = metadata_of(metadata) if metadata else None
    with open_keys(data, database, keyring, config) as host:
        scope, now = host.scope_of(account, live), int(host.now())
        became = host.database.write(
            lambda tx: host.authority.update(
                tx,
                scope,
                pick(host, tx, scope, key).id,
                actor=ACTOR,
                now=now,
                name=name,
                note=note,
                permissions=permission,
                connect_permissions=connect_permission,
                ip_allowlist=ip,
                metadata=entries,
            )
        )
        print_key(host, became, json_)


def _verb(name: str, about: str) -> None:
    def command(
        key: KeyId,
        data: Data = None,
        database: Database = None,
        keyring: Keyring = None,
        config: Config = None,
        account: Account = None,
        live: Mode = None,
        json_: AsJson = False,
    ) -> None:
        with open_keys(data, database, keyring, config) as host:
            scope, now = host.scope_of(account, live), int(host.now())
            verb = getattr(host.authority, name)
            print_key(
                host,
                host.database.write(lambda tx: verb(tx, scope, pick(host, tx, scope, key).id, actor=ACTOR, now=now)),
                json_,
            )

    app.command(name.replace("_", "-"), help=about)(command)


_verb("revoke", "Revoke a secret or restricted key. This cannot be undone.")
_verb("disable", "Pause a key: it is refused until it is enabled.")
_verb("enable", "Resume a paused key.")
_verb("expire_now", "Expire a key now.")
_verb("cancel_expiry", "Cancel a pending expiration.")
_verb("hide", "Hide a live key that can still be revealed.")


@app.command("refusals")
def refusals(
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 50,
    data: Data = None, database: Database = None, keyring: Keyring = None, config: Config = None,
    json_: AsJson = False,
) -> None:  # fmt: skip
    """List refused keys and failed sign-ins of all accounts, counted per hour, newest first."""
    with open_keys(data, database, keyring, config) as host:
        found = host.database.read(lambda tx: refused_attempts(tx, limit))
        rows = [
            (when(a.since), a.what, a.reason, a.address, a.subject or "-", str(a.attempts), when(a.last_at))
            for a in found
        ]
        show(
            [a._asdict() for a in found],
            json_,
            lambda: table(("SINCE (UTC)", "WHAT", "REASON", "IP", "SUBJECT", "COUNT", "LAST"), rows),
        )


@app.command("audit")
def audit_log(
    key: Annotated[str | None, typer.Argument(help="Only entries of this key.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 50,
    verify: Annotated[bool, typer.Option("--verify",
    help="Verify the hash chains of the audit logs.")] = False,
    expect: Annotated[list[str] | None,
    typer.Option(help="A head that an earlier --verify printed. Can be repeated.")] = None,
    data: Data = None, database: Database = None, keyring: Keyring = None, config: Config = None,
    account: Account = None, live: Mode = None, json_: AsJson = False,
) -> None:  # fmt: skip
    """List the audit log of keys, newest first.

    With --verify, verify the audit logs of keys and of the Dashboard, of all accounts. Exits with 1 when a log was
    changed.
    """
    if verify or expect:
        with open_keys(data, database, keyring, config) as host:
            verify_logs(host, expect or [], json_)
        return
    with open_keys(data, database, keyring, config) as host:
        scope = host.scope_of(account, live)
        entries = host.database.read(
            lambda tx: audit.entries(tx, scope, pick(host, tx, scope, key).id if key else None, limit)
        )
        values = [
            {
                "at": e.at,
                "action": e.action,
                "api_key": e.key_id,
                "actor": str(e.actor),
                "ip": e.actor.ip,
                "before": e.was,
                "after": e.became,
            }
            for e in entries
        ]
        if not entries:
            host.say_empty(scope, "audit entries")
        rows = [(when(e.at), e.action, e.key_id, str(e.actor), e.actor.ip or "-") for e in entries]
        show(values, json_, lambda: table(("WHEN (UTC)", "ACTION", "KEY", "ACTOR", "IP"), rows))
