"""``tollkey live vault``: the card vault, for processors that take the numbers of cards. No command shows a number."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Annotated, Any

import typer

from tollkey.cli.common import Account, AsJson, Data, Database, fail, opened, record, refused, scope_of, show, table
from tollkey.cli.keyring_opening import refuse_running
from tollkey.cli.progress import Reporting
from tollkey.core import Core, is_account
from tollkey.db import Database as StoredIn
from tollkey.db import Scope, StorageError, Tx
from tollkey.keys import fingerprints
from tollkey.keys.errors import KeyringError
from tollkey.keys.keyring import Keyring
from tollkey.keys.keyring_use import use_alone
from tollkey.keys.sealed import count_sealed_with, reseal_all
from tollkey.payments.processors import backends, vault

app = typer.Typer(no_args_is_help=True, help=(
    "Keep the numbers of cards for a processor that takes them, in a database and under a keyring of their own."
    " What that means for PCI DSS stands in docs/guides/live.md."
))  # fmt: skip
_NONE = "there is no card vault: set TOLLKEY_VAULT_DATABASE and TOLLKEY_VAULT_KEYRING"


@app.command()
def status(account: Account = None, data: Data = None, database: Database = None, json_: AsJson = False) -> None:
    """Show where the vault is, whether it can be used, and which accounts take and have numbers. Exit code 1 if not."""
    with opened(data, database) as core:
        wanted = None if account is None else scope_of(core, account, True).account
        place = _place(core)
        on = set(core.database.read(vault.accounts))
        waiting = len(core.database.read(lambda tx: vault.ended(tx, 100_000)))
        with _vault(core, place) as held:
            counts = held.database.read(vault.counts)
            names = held.keyring.sealing_keys.keys() - {held.keyring.sealing_current}
            value = {
                "database": "PostgreSQL" if place.in_postgres else place.database, "keyring": place.keyring,
                "sealing_key": held.keyring.sealing_current, "retired": sorted(names), "waiting": waiting,
                "accounts": [
                    {"account": one, "on": one in on, "numbers": counts.get(one, 0)}
                    for one in sorted(on | counts.keys()) if wanted in (None, one)
                ],
            }  # fmt: skip
            show(value, json_, lambda: [
                f"The vault is {value['database']}, with the keyring {place.keyring}.",
                f"Its sealing key is {value['sealing_key']}; retired: {', '.join(sorted(names)) or 'none'}.",
                *(table(("ACCOUNT", "TAKES NUMBERS", "HAS"), [
                    (one["account"], "yes" if one["on"] else "no", str(one["numbers"])) for one in _rows(value)
                ]) if _rows(value) else ["No account takes or has numbers."]),
                *([f"{waiting} numbers are to be deleted."] if waiting else []),
            ])  # fmt: skip


@app.command()
def on(account: Account = None, data: Data = None, database: Database = None, json_: AsJson = False) -> None:
    """Let an account take the numbers of cards in live mode. Creates the vault and its keyring the first time.

    Its processor must need them (`card = "number"` of iso8583). Running servers know of it at once.
    """
    with opened(data, database) as core:
        scope, place = scope_of(core, account, True), _place(core)
        backend = core.database.read(lambda tx: backends.of(tx, scope))
        if backend is None or not backend.features.raw_numbers:
            what = "has no processor" if backend is None else "has a processor that takes tokens"
            raise fail(f"{scope.account} {what}, so it needs no card vault")
        main = core.database.write(lambda tx: vault.main_id(tx, core.setup.ids), lock="card vault")
        assert main is not None, "it was made"
        try:
            vault.create(place, main, core.authority.keyring).database.close()
        except (vault.VaultRefused, OSError) as problem:
            raise refused(problem) from None
        _turn(core, scope, True)
        show({"account": scope.account, "on": True}, json_, lambda: [
            f"{scope.account} takes the numbers of cards in live mode. PCI DSS applies to this server in full.",
            f"Back up the vault, and its keyring {place.keyring} elsewhere: no backup of the server has them.",
        ])  # fmt: skip


@app.command()
def off(
    delete: Annotated[bool, typer.Option("--delete", help="Delete the numbers of its cards too.")] = False,
    account: Account = None, data: Data = None, database: Database = None, json_: AsJson = False,
) -> None:  # fmt: skip
    """Let an account take no more numbers of cards. Saved cards can still be charged, unless they are deleted."""
    with opened(data, database) as core:
        scope, place = scope_of(core, account, True), _place(core)
        _turn(core, scope, False, deleted=delete)
        if delete:
            with _vault(core, place) as held:
                asyncio.run(vault.delete_ended(_both(core, held.database)))
                held.database.write(lambda tx: vault.delete_of(tx, scope))
        value = {"account": scope.account, "on": False, "deleted": delete}
        more = ["Its numbers were deleted."] if delete else []
        show(value, json_, lambda: [f"{scope.account} takes no more numbers of cards.", *more])


@app.command()
def rotate(
    drop_old: Annotated[bool, typer.Option(
        "--drop-old", help="Delete the sealing keys that no number needs any more from the keyring.")] = False,
    data: Data = None, database: Database = None, json_: AsJson = False,
) -> None:  # fmt: skip
    """Create a new sealing key for the vault, and re-encrypt every number's own key with it.

    Stop every server that uses the vault first: it is refused while one is seen that has the keyring on this machine,
    or listens to the PostgreSQL database. Fingerprints of cards stay the same. A run that was interrupted can be
    repeated.
    """
    with opened(data, database) as core:
        place = _place(core)
        refuse_running(place.database)
        with _vault(core, place) as held, _alone(place):
            new = fingerprints.replace_keyring(
                held.database, place.source, Keyring.rotate_sealing, lambda made: made.save(place.keyring)
            )
            reporting = Reporting()
            moved = reseal_all(
                held.database, (vault.SEALED,), new, lambda count: reporting.say(f"{count} numbers so far")
            )
            dropped = _drop_old(held.database, place, new) if drop_old else []
        for one in core.database.read(vault.accounts):
            scope = Scope(one, True)
            core.database.write(partial(_record_rotation, core, scope=scope, key=new.sealing_current))
        broken = moved.broken.total()
        value = {"sealing_key": new.sealing_current, "numbers": moved.texts, "broken": broken, "dropped": dropped}
        show(value, json_, lambda: [
            f"{moved.texts} numbers are sealed with {new.sealing_current} now.",
            *([f"{broken} cannot be decrypted and were left unchanged."] if broken else []),
            *([f"Deleted: {', '.join(dropped)}."] if dropped else []),
        ])  # fmt: skip


@app.command()
def sweep(data: Data = None, database: Database = None, json_: AsJson = False) -> None:
    """Delete the numbers that nobody needs: of detached and deleted payment methods, and those that nothing refers to.

    Servers do the same every ten minutes.
    """
    with opened(data, database) as core:
        reporting = Reporting()
        with _vault(core, _place(core)) as held:
            both = _both(core, held.database)
            told: Callable[[int], None] = lambda count: reporting.say(f"{count} numbers deleted so far")  # noqa: E731
            found = asyncio.run(vault.sweep(both, core.setup.tables, is_account, int(core.now()), told))
        value = {"ended": found.ended, "orphans": found.orphans}
        show(value, json_, lambda: [f"Deleted {found.ended} numbers of ended cards, and {found.orphans} of none."])


def _place(core: Core) -> vault.Place:
    place = vault.place_of(core.settings)
    if place is None:
        raise fail(_NONE)
    return place


@contextmanager
def _vault(core: Core, place: vault.Place) -> Iterator[vault.Store]:
    """Open the vault, within a ``with`` block. Raises typer.Exit: 1 for errors, 3 if it cannot be reached."""
    try:
        found = vault.open_store(place, core.database.read(vault.main_id), core.authority.keyring)
    except (vault.VaultRefused, KeyringError, StorageError, OSError) as problem:
        raise refused(problem) from None
    try:
        yield found
    finally:
        found.database.close()


@contextmanager
def _alone(place: vault.Place) -> Iterator[None]:
    """Lock the keyring that no other process uses, within a ``with`` block. Raises KeyringError."""
    assert place.source.path is not None, "it is a file"
    mark = use_alone(place.source.path)
    try:
        yield
    finally:
        mark.close()


def _record_rotation(core: Core, tx: Tx, scope: Scope, key: str) -> None:
    record(core, tx, scope, "card_vault_rotated", key=key)


def _turn(core: Core, scope: Scope, on: bool, *, deleted: bool = False) -> None:
    """Let an account take numbers, or no longer. deleted: those that it has are to be deleted."""

    def work(tx: Tx) -> None:
        vault.turn(tx, scope, on, int(core.now()))
        if deleted:
            vault.end_all(tx, scope)
        record(core, tx, scope, f"card_vault_{'on' if on else 'off'}", deleted=deleted)

    core.database.write(work, lock=f"{scope.account}:1")


def _drop_old(database: StoredIn, place: vault.Place, keyring: Keyring) -> list[str]:
    """Delete the retired sealing keys that no number needs, and return their names."""
    old = sorted(keyring.sealing_keys.keys() - {keyring.sealing_current})
    dropped = [name for name in old if not count_sealed_with(database, (vault.SEALED,), name)]
    for name in dropped:
        database.write(partial(fingerprints.retire_sealing_key, name=name))
        fingerprints.replace_keyring(
            database, place.source, partial(Keyring.without, name=name), lambda made: made.save(place.keyring)
        )
    return dropped


def _both(core: Core, database: StoredIn) -> vault.Both:
    """Return the transactions of both databases, as what deletes uses them."""

    async def read(work: Callable[[Tx], Any]) -> Any:
        return core.database.read(work)

    async def write(work: Callable[[Tx], Any]) -> Any:
        return core.database.write(work)

    async def in_vault(work: Callable[[Tx], Any]) -> Any:
        return database.write(work)

    return vault.Both(read, write, in_vault)


def _rows(value: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = value["accounts"]
    return found
