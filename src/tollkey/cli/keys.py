"""``tollkey keys``: everything about keys from a shell. A secret is printed only when it is asked for."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from tollkey.cli.audit import verify_logs
from tollkey.cli.common import ACTOR, Account, AsJson, Data, Database, Live, fail, opened, scope_of, show, table, when
from tollkey.db import Scope, Tx
from tollkey.keys import ROLL_EXPIRATIONS, Key, audit, refused_attempts
from tollkey.platform.api_keys import shown
from tollkey.server import Core

app = typer.Typer(no_args_is_help=True, help="List, create, reveal, roll, revoke and audit keys.")

KeyId = Annotated[str, typer.Argument(help="mk_…, or the last characters of the key.")]
Show = Annotated[
    bool, typer.Option("--show-secret", help="Print the text of the key. For a live key this is the only time.")
]


def _pick(core: Core, tx: Tx, scope: Scope, text: str) -> Key:
    key = core.authority.get(tx, scope, text)
    if key is not None:
        return key
    hits = core.authority.ending_in(tx, scope, text) if len(text) >= 4 and not text.startswith("mk_") else ()
    if len(hits) != 1:
        raise fail(
            f"no such key in {'live' if scope.livemode else 'test'} mode: {text[:40]}"
            if not hits
            else f"several keys end in {text[-4:]}; give the mk_ id"
        )
    return hits[0]


def _lines(value: dict[str, Any]) -> list[str]:
    rows = [
        ("id", value["id"]), ("type", value["type"]), ("name", value["name"]),
        ("key", value["secret"] or value["redacted"]),
        ("status", value["status"]), ("note", value["note"] or "-"), ("permissions",
        ", ".join(value["permissions"]) or "-"),
        ("on connected", ", ".join(value["connect_permissions"]) or "-"),
        ("allowed from", ", ".join(value["ip_allowlist"]) or "anywhere"), ("created", when(value["created"])),
        ("expires", when(value["expires_at"])),
    ]  # fmt: skip
    return [f"{name:13} {text}" for name, text in rows]


def _print(core: Core, key: Key, as_json: bool, secret: str | None = None) -> None:
    value = shown(key, int(core.now()), None, secret)
    show(value, as_json, lambda: _lines(value))


@app.command("list")
def list_keys(
    data: Data = None, database: Database = None, account: Account = None, live: Live = False, json_: AsJson = False,
    all_: Annotated[bool, typer.Option("--all", help="Expired and revoked keys too.")] = False,
) -> None:  # fmt: skip
    """List keys, newest first, masked: all of them."""
    with opened(data, database) as core:
        scope, now = scope_of(core, account, live), int(core.now())
        keys = core.database.read(lambda tx: core.authority.list(tx, scope, active_at=None if all_ else now))
        usages = core.database.read(lambda tx: core.authority.usages(tx, scope))
        values = [shown(key, now, usages.get(key.id)) for key in keys]
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
    typer.Argument(help="mk_…; or - to read the text of a key from standard input, out of any list of processes.")],
    data: Data = None, database: Database = None, json_: AsJson = False,
) -> None:  # fmt: skip
    """Say whose key this is, by its id or its text, whichever account and mode it belongs to. Prints no secret."""
    wanted = typer.get_text_stream("stdin").readline().strip() if key == "-" else key
    if key != "-" and not key.startswith("mk_"):
        raise typer.BadParameter("give the mk_ id, or - and the text on standard input", param_hint="KEY")
    with opened(data, database) as core:
        found = core.database.read(lambda tx: core.authority.find(tx, wanted))
        if found is None:
            raise fail("no such key")
        value = {"account": found.account, **shown(found, int(core.now())), "secret": None}
        rows = [f"{'account':13} {found.account}", f"{'mode':13} {'live' if found.livemode else 'test'}"]
        show(value, json_, lambda: [*rows, *_lines(value)])


@app.command()
def create(
    kind: Annotated[str, typer.Option("--type", help="secret or restricted.")] = "restricted",
    name: Annotated[str, typer.Option(help="Name of the key.")] = "",
    note: Annotated[str, typer.Option(help="Where the key lives.")] = "",
    permission: Annotated[list[str] | None, typer.Option(help="For example charge_read; repeat for more.")] = None,
    connect_permission: Annotated[list[str] | None,
    typer.Option(help="The same on connected accounts; repeat for more.")] = None,
    ip: Annotated[list[str] | None,
    typer.Option(help="Address or network it may be used from; repeat for more.")] = None,
    show_secret: Show = False,
    data: Data = None, database: Database = None, account: Account = None, live: Live = False, json_: AsJson = False,
) -> None:  # fmt: skip
    """Create a secret or restricted key. A live key is shown only now, so it needs --show-secret."""
    if kind not in ("secret", "restricted"):
        raise typer.BadParameter("must be secret or restricted", param_hint="--type")
    if live and not show_secret:
        raise typer.BadParameter(
            "a live key is shown only when it is made: add --show-secret", param_hint="--show-secret"
        )
    with opened(data, database) as core:
        scope, now = scope_of(core, account, live), int(core.now())
        key, text = core.database.write(
            lambda tx: core.authority.create(
                tx, scope, "secret" if kind == "secret" else "restricted", actor=ACTOR, now=now, name=name, note=note,
                permissions=permission or (), connect_permissions=connect_permission or (), ip_allowlist=ip or (),
            )
        )  # fmt: skip
        _print(core, key, json_, text if show_secret else None)


@app.command()
def reveal(
    key: KeyId, note: Annotated[str, typer.Option(help="Where you will keep it.")] = "",
    data: Data = None, database: Database = None, account: Account = None, live: Live = False, json_: AsJson = False,
) -> None:  # fmt: skip
    """Print the text of a key: a test key at any time, a live one once."""
    with opened(data, database) as core:
        scope, now = scope_of(core, account, live), int(core.now())

        def work(tx: Tx) -> tuple[Key, str]:
            found = _pick(core, tx, scope, key)
            if note:
                core.authority.update(tx, scope, found.id, actor=ACTOR, now=now, note=note)
            return core.authority.reveal(tx, scope, found.id, actor=ACTOR, now=now)

        became, text = core.database.write(work)
        _print(core, became, json_, text)


@app.command()
def roll(
    key: KeyId,
    expires: Annotated[str,
    typer.Option(help="When the old key ends: now, in_1_hour, in_24_hours, in_3_days, in_7_days.")] = "now",
    show_secret: Show = False,
    data: Data = None, database: Database = None, account: Account = None, live: Live = False, json_: AsJson = False,
) -> None:  # fmt: skip
    """Replace a key. The new one works at once, the old one until the expiry.

    The text of the new key is printed with --show-secret, or later by `tollkey keys reveal`: of a live key once, one
    way or the other.
    """
    if expires not in ROLL_EXPIRATIONS:
        raise typer.BadParameter(f"must be one of {', '.join(ROLL_EXPIRATIONS)}", param_hint="--expires")
    if live and expires == "now" and not show_secret:
        raise typer.BadParameter("the new live key is shown only now: add --show-secret", param_hint="--show-secret")
    with opened(data, database) as core:
        scope, now = scope_of(core, account, live), int(core.now())

        def work(tx: Tx) -> tuple[Key, Key, str | None]:
            found = _pick(core, tx, scope, key)
            return core.authority.roll(
                tx, scope, found.id, ROLL_EXPIRATIONS[expires], actor=ACTOR, now=now, show=show_secret
            )

        _, new, text = core.database.write(work)
        _print(core, new, json_, text if show_secret else None)
        if not show_secret and new.token is None:
            options = "".join(
                f" {option}" for option in (live and "--live", account and f"--account {account}") if option
            )
            once = "once" if new.hides_after_reveal else "at any time"
            typer.echo(
                f"The text of the new key is not shown here; print it {once} with: tollkey keys reveal"
                f" {new.id}{options}",
                err=True,
            )


@app.command()
def update(
    key: KeyId,
    name: Annotated[str | None, typer.Option(help="New name.")] = None,
    note: Annotated[str | None, typer.Option(help="Where it lives.")] = None,
    permission: Annotated[list[str] | None,
    typer.Option(help="All permissions it shall have; repeat for more.")] = None,
    connect_permission: Annotated[list[str] | None,
    typer.Option(help="The same on connected accounts; repeat for more.")] = None,
    ip: Annotated[list[str] | None, typer.Option(help="All addresses it may be used from; repeat for more.")] = None,
    data: Data = None, database: Database = None, account: Account = None, live: Live = False, json_: AsJson = False,
) -> None:  # fmt: skip
    """Rename a key, note where it lives, or change what it may do and from where."""
    with opened(data, database) as core:
        scope, now = scope_of(core, account, live), int(core.now())
        became = core.database.write(
            lambda tx: core.authority.update(
                tx,
                scope,
                _pick(core, tx, scope, key).id,
                actor=ACTOR,
                now=now,
                name=name,
                note=note,
                permissions=permission,
                connect_permissions=connect_permission,
                ip_allowlist=ip,
            )
        )
        _print(core, became, json_)


def _verb(name: str, about: str) -> None:
    def command(
        key: KeyId,
        data: Data = None,
        database: Database = None,
        account: Account = None,
        live: Live = False,
        json_: AsJson = False,
    ) -> None:
        with opened(data, database) as core:
            scope, now = scope_of(core, account, live), int(core.now())
            verb = getattr(core.authority, name)
            _print(
                core,
                core.database.write(lambda tx: verb(tx, scope, _pick(core, tx, scope, key).id, actor=ACTOR, now=now)),
                json_,
            )

    app.command(name.replace("_", "-"), help=about)(command)


_verb("revoke", "Delete a secret or restricted key for good.")
_verb("expire_now", "End a key at this second.")
_verb("cancel_expiry", "Take back a pending expiry.")
_verb("hide", "Hide a live key that is still revealable.")


@app.command("refusals")
def refusals(
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 50, data: Data = None, database: Database = None,
    json_: AsJson = False,
) -> None:  # fmt: skip
    """What was refused, of all accounts: keys and sign-ins, by address and reason, counted together by the hour; newest
    first.
    """
    with opened(data, database) as core:
        found = core.database.read(lambda tx: refused_attempts(tx, limit))
        rows = [
            (when(a.since), a.what, a.reason, a.address, a.subject or "-", str(a.attempts), when(a.last_at))
            for a in found
        ]
        show(
            [a._asdict() for a in found],
            json_,
            lambda: table(("SINCE (UTC)", "WHAT", "REASON", "FROM", "ABOUT", "TIMES", "LAST"), rows),
        )


@app.command("audit")
def audit_log(
    key: Annotated[str | None, typer.Argument(help="Only of this key.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 50,
    verify: Annotated[bool, typer.Option("--verify",
    help="Check that nobody changed the logs past the server.")] = False,
    expect: Annotated[list[str] | None,
    typer.Option(help="A head that an earlier --verify printed and you noted elsewhere.")] = None,
    data: Data = None, database: Database = None, account: Account = None, live: Live = False, json_: AsJson = False,
) -> None:  # fmt: skip
    """Who did what to which key, when, from where; newest first.

    With --verify: whether the log of keys and the Dashboard's, of all accounts, are as they were written. Exit code 1
    when not.
    """
    if verify or expect:
        verify_logs(data, database, expect or [], json_)
        return
    with opened(data, database) as core:
        scope = scope_of(core, account, live)
        entries = core.database.read(
            lambda tx: audit.entries(tx, scope, _pick(core, tx, scope, key).id if key else None, limit)
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
        rows = [(when(e.at), e.action, e.key_id, str(e.actor), e.actor.ip or "-") for e in entries]
        show(values, json_, lambda: table(("WHEN (UTC)", "ACTION", "KEY", "WHO", "FROM"), rows))
