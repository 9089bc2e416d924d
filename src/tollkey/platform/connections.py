"""Which account belongs to which platform: for work without a request, whose events still name the account."""

from __future__ import annotations

from tollkey.db import Migration, Scope, Tx

MIGRATION = Migration(
    "connections",
    (
        "CREATE TABLE connections (account TEXT NOT NULL, livemode {bool} NOT NULL, platform TEXT NOT NULL,"
        " PRIMARY KEY (account, livemode))",
        "CREATE INDEX connections_platform ON connections (platform, livemode)",
    ),
)


def connect(tx: Tx, scope: Scope, account: str) -> None:
    """Write down that an account was made by the platform whose scope that is."""
    tx.execute(
        "INSERT INTO connections (account, livemode, platform) VALUES (?, ?, ?)",
        (account, int(scope.livemode), scope.account),
    )


def disconnect(tx: Tx, scope: Scope, account: str) -> None:
    """Forget that an account belongs to a platform."""
    tx.execute(
        "DELETE FROM connections WHERE account = ? AND livemode = ? AND platform = ?",
        (account, int(scope.livemode), scope.account),
    )


def platform_of(tx: Tx, scope: Scope) -> str | None:
    """The platform that an account belongs to, or None when it stands for itself."""
    rows = tx.execute(
        "SELECT platform FROM connections WHERE account = ? AND livemode = ?", (scope.account, int(scope.livemode))
    )
    return str(rows[0][0]) if rows else None
