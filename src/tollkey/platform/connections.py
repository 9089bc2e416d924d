"""The platform of each connected account, for jobs, which have no request that names it."""

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
    """Record that an account is connected to a platform. scope: of the platform."""
    tx.execute(
        "INSERT INTO connections (account, livemode, platform) VALUES (?, ?, ?)",
        (account, int(scope.livemode), scope.account),
    )


def disconnect(tx: Tx, scope: Scope, account: str) -> None:
    """Delete the record of a connected account. scope: of the platform."""
    tx.execute(
        "DELETE FROM connections WHERE account = ? AND livemode = ? AND platform = ?",
        (account, int(scope.livemode), scope.account),
    )


def platform_of(tx: Tx, scope: Scope) -> str | None:
    """The platform of a connected account, or None for other accounts. scope: of the account."""
    rows = tx.execute(
        "SELECT platform FROM connections WHERE account = ? AND livemode = ?", (scope.account, int(scope.livemode))
    )
    return str(rows[0][0]) if rows else None
