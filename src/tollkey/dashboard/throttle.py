"""Throttling of sign-in: failures are counted by address and by IP, over the last quarter of an hour."""

from __future__ import annotations

from tollkey.db import Tx

WINDOW_SECONDS = 15 * 60
MOST_BY_PERSON = 8
MOST_BY_IP = 40


def _subjects(person: str, ip: str | None) -> tuple[tuple[str, int], ...]:
    return (f"person:{person.strip().lower()[:254]}", MOST_BY_PERSON), (f"ip:{ip}", MOST_BY_IP)


def wait_seconds(tx: Tx, person: str, ip: str | None, now: int) -> int:
    """For how long no further attempt is looked at; 0 when one may be made. person: an address or id."""
    wait = 0
    for subject, most in _subjects(person, ip):
        rows = tx.execute(
            "SELECT at FROM dash_failures WHERE subject = ? AND at > ? ORDER BY at DESC LIMIT ?", (subject, now - WINDOW_SECONDS, most)
        )
        if len(rows) >= most:
            wait = max(wait, int(rows[-1][0]) + WINDOW_SECONDS - now)
    return wait


def failed(tx: Tx, person: str, ip: str | None, now: int) -> None:
    """Count a failure."""
    for subject, _ in _subjects(person, ip):
        tx.execute("INSERT INTO dash_failures (subject, at) VALUES (?, ?)", (subject, now))
    tx.execute("DELETE FROM dash_failures WHERE at <= ?", (now - WINDOW_SECONDS,))


def succeeded(tx: Tx, person: str) -> None:
    """Forget a person's failures."""
    tx.execute("DELETE FROM dash_failures WHERE subject = ?", (_subjects(person, None)[0][0],))


def message(seconds: int) -> str:
    """What the person is told."""
    minutes = max(1, -(-seconds // 60))
    return f"Too many attempts. Wait {minutes} minute{'s' if minutes > 1 else ''}, then try again."
