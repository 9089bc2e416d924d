"""The processors that accounts use in live mode: which provider, its configuration (sealed), and what it can do."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from tollkey.db import Migration, Scope, Tx
from tollkey.keys.keyring import Keyring
from tollkey.keys.sealed import SealedColumn
from tollkey.keys.sealing import seal, unseal
from tollkey.payments.processors.network import Features, Operation
from tollkey.payments.shared import providers

if TYPE_CHECKING:
    from tollkey.wire import Call
    from tollkey.wire.live import Capability

MIGRATION = Migration(
    "processors",
    (
        "CREATE TABLE processor_backends (seq {key}, account TEXT NOT NULL, livemode {bool} NOT NULL,"
        " provider TEXT NOT NULL, sealed {blob} NOT NULL, features TEXT NOT NULL, connected_at {int} NOT NULL,"
        " configured_at {int} NOT NULL, revision {int} NOT NULL, cursor TEXT NOT NULL, noticed_at {int},"
        " reached_at {int}, failed_at {int}, failure TEXT NOT NULL)",
        "CREATE UNIQUE INDEX processor_backends_scope ON processor_backends (account, livemode)",
        "CREATE TABLE processor_destinations (seq {key}, account TEXT NOT NULL, livemode {bool} NOT NULL,"
        " id TEXT NOT NULL, sealed {blob} NOT NULL, kept_at {int} NOT NULL)",
        "CREATE UNIQUE INDEX processor_destinations_id ON processor_destinations (account, livemode, id)",
    ),
)


def _context(account: str, livemode: bool | int) -> str:
    return f"processor/{account}/{'live' if livemode else 'test'}"


def _of_destination(account: str, livemode: bool | int, id: str) -> str:
    return f"{_context(account, livemode)}/{id}"


SEALED = (
    SealedColumn("processor_backends", "sealed", "seq", ("account", "livemode"), _context),
    SealedColumn("processor_destinations", "sealed", "seq", ("account", "livemode", "id"), _of_destination),
)
#: Which operation a processor needs for a capability; other capabilities have no provider.
_NEEDED: Final[Mapping[str, Operation]] = {
    providers.PAYMENTS.name: "authorize",
    providers.REFUNDS.name: "refund",
    providers.PAYING_OUT.name: "payout",
    providers.DISPUTES.name: "contest",
    providers.VERIFYING.name: "verify",
}


@dataclass(frozen=True, slots=True)
class Backend:
    """The processor of an account, without its configuration.

    revision: changes with its configuration. cursor: of the notices that were read. connected_at, configured_at: since
    when it is used, and is configured as it is. noticed_at, reached_at, failed_at: when notices were read, and it was
    last reached or failed. UTC epoch seconds. failure: what happened then, for people.
    """

    scope: Scope
    provider: str
    features: Features
    connected_at: int
    configured_at: int
    revision: int
    cursor: str
    noticed_at: int | None
    reached_at: int | None
    failed_at: int | None
    failure: str

    @property
    def failing(self) -> bool:
        """Whether it could not be reached when it was last tried."""
        return self.failed_at is not None and self.failed_at >= (self.reached_at or 0)


_COLUMNS = (
    "account, livemode, provider, features, connected_at, configured_at, revision, cursor, noticed_at, reached_at,"
    " failed_at, failure"
)


def _read(row: Sequence[Any]) -> Backend:
    account, livemode, provider, features, *rest = row
    return Backend(Scope(account, bool(livemode)), provider, _features(features), *rest)


def _features(text: str) -> Features:
    values = json.loads(text)
    sets = ("operations", "methods", "currencies", "repeatable")
    kept: Mapping[str, Any] = {name: frozenset(value) if name in sets else value for name, value in values.items()}
    return Features(**kept)


def every(tx: Tx) -> list[Backend]:
    """Return the processors of all accounts."""
    return [_read(row) for row in tx.execute(f"SELECT {_COLUMNS} FROM processor_backends ORDER BY account, livemode")]


def of(tx: Tx, scope: Scope) -> Backend | None:
    """Return the processor of an account, or None."""
    if not scope.livemode:
        return None  # test mode is simulated
    rows = tx.execute(
        f"SELECT {_COLUMNS} FROM processor_backends WHERE account = ? AND livemode = ?",
        (scope.account, int(scope.livemode)),
    )
    return _read(rows[0]) if rows else None


def provided(call: Call, capability: Capability) -> bool:
    """Return whether the account's processor provides a capability (``Setup.provided``)."""
    needed = _NEEDED.get(capability.name)
    backend = of(call.tx, call.scope) if needed is not None else None
    return backend is not None and needed in backend.features.operations


def tell(call: Call, features: Features | None) -> None:
    """Let the account say what its live mode can do. features: of its processor, None without one."""
    account = call.objects.find("account", call.account)
    if account is None:
        return
    operations = features.operations if features is not None else frozenset()
    account.update(charges_enabled="authorize" in operations, payouts_enabled="payout" in operations)
    capabilities = account.get("capabilities") or {}
    account["capabilities"] = {**capabilities, "card_payments": "active" if account["charges_enabled"] else "inactive"}
    call.objects.save(account, "account.updated")


def configuration(tx: Tx, keyring: Keyring, scope: Scope) -> Mapping[str, Any] | None:
    """Return the configuration of an account's processor, or None. Raises SealBroken."""
    rows = tx.execute(
        "SELECT sealed FROM processor_backends WHERE account = ? AND livemode = ?",
        (scope.account, int(scope.livemode)),
    )
    if not rows:
        return None
    found: Mapping[str, Any] = json.loads(unseal(bytes(rows[0][0]), _context(scope.account, scope.livemode), keyring))
    return found


def connect(
    tx: Tx,
    keyring: Keyring,
    scope: Scope,
    provider: str,
    config: Mapping[str, Any],
    features: Features,
    now: int,
) -> None:
    """Store an account's processor, or another configuration of it. now: UTC epoch seconds.

    Raises ValueError while another provider is connected: what was asked of it is asked about there.
    """
    before = of(tx, scope)
    if before is not None and before.provider != provider:
        raise ValueError(f"{scope.account} is connected to {before.provider}: disconnect it first")
    described = {
        name: sorted(value) if isinstance(value, frozenset) else value for name, value in asdict(features).items()
    }
    tx.execute(
        "INSERT INTO processor_backends (account, livemode, provider, sealed, features, connected_at, configured_at,"
        " revision, cursor, reached_at, failure) VALUES (?, ?, ?, ?, ?, ?, ?, ?, '', ?, '')"
        " ON CONFLICT (account, livemode) DO UPDATE SET sealed = excluded.sealed, features = excluded.features,"
        " configured_at = excluded.configured_at, revision = processor_backends.revision + 1,"
        " reached_at = excluded.reached_at, failed_at = NULL, failure = ''",
        (
            scope.account, int(scope.livemode), provider,
            seal(json.dumps(config), _context(scope.account, scope.livemode), keyring), json.dumps(described), now, now,
            now, now,
        ),
    )  # fmt: skip


def disconnect(tx: Tx, scope: Scope) -> bool:
    """Forget an account's processor and its configuration. Returns whether there was one.

    Raises ValueError while the outcome of something that was asked of it is not known.
    """
    left = open_attempts(tx, scope)
    if left:
        raise ValueError(f"what became of {left} of its operations is not known yet")
    gone = tx.execute(
        "DELETE FROM processor_backends WHERE account = ? AND livemode = ? RETURNING 1",
        (scope.account, int(scope.livemode)),
    )
    return bool(gone)


def open_attempts(tx: Tx, scope: Scope) -> int:
    """Return how many operations there are whose outcome is not known, or not shown by their objects."""
    rows = tx.execute(
        "SELECT count(*) FROM processor_attempts WHERE account = ? AND livemode = ? AND applied = 0",
        (scope.account, int(scope.livemode)),
    )
    return int(rows[0][0])


def note(tx: Tx, scope: Scope, now: int, failure: str = "") -> None:
    """Record whether an account's processor could be reached. now: UTC epoch seconds. failure: empty if it was."""
    set_to = "failed_at = ?, failure = ?" if failure else "reached_at = ?, failure = ?"
    tx.execute(
        f"UPDATE processor_backends SET {set_to} WHERE account = ? AND livemode = ?",
        (now, failure, scope.account, int(scope.livemode)),
    )


def keep_destination(tx: Tx, keyring: Keyring, scope: Scope, id: str, details: Mapping[str, str], now: int) -> None:
    """Keep what a processor needs of a bank account to pay out to it, sealed: the API does not keep its number.

    id: of the external account. now: UTC epoch seconds.
    """
    sealed = seal(json.dumps(dict(details)), _of_destination(scope.account, scope.livemode, id), keyring)
    tx.execute(
        "INSERT INTO processor_destinations (account, livemode, id, sealed, kept_at) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (account, livemode, id) DO UPDATE SET sealed = excluded.sealed, kept_at = excluded.kept_at",
        (scope.account, int(scope.livemode), id, sealed, now),
    )


def destination(tx: Tx, keyring: Keyring, scope: Scope, id: str) -> Mapping[str, str]:
    """Return what is kept of a bank account; empty if nothing is. Raises SealBroken."""
    rows = tx.execute(
        "SELECT sealed FROM processor_destinations WHERE account = ? AND livemode = ? AND id = ?",
        (scope.account, int(scope.livemode), id),
    )
    if not rows:
        return {}
    text = unseal(bytes(rows[0][0]), _of_destination(scope.account, scope.livemode, id), keyring)
    found: Mapping[str, str] = json.loads(text)
    return found


def move_cursor(tx: Tx, scope: Scope, before: str, after: str, now: int) -> bool:
    """Record up to where notices were read; False when another process was first. now: UTC epoch seconds."""
    moved = tx.execute(
        "UPDATE processor_backends SET cursor = ?, noticed_at = ? WHERE account = ? AND livemode = ? AND cursor = ?"
        " RETURNING 1",
        (after, now, scope.account, int(scope.livemode), before),
    )
    return bool(moved)
