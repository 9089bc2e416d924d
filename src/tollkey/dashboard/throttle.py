"""Throttling of sign-in: attempts are counted by person and by IP, over the last quarter of an hour.

An attempt is counted *before* it is looked at, and taken back when it was right. Counted after, a hundred attempts
sent at the same moment would all find a count of zero.
"""

from __future__ import annotations

from tollkey.dashboard.page import FormErrors, Visit
from tollkey.db import Tx
from tollkey.keys import Attempts, network_of

WINDOW_SECONDS = 15 * 60
MOST_BY_PERSON = 8
MOST_BY_IP = 40
LOCK = "dashboard sign-in"  # counting and adding are one step: attempts take turns at it, and nowhere else


def _subjects(person: str, ip: str | None) -> tuple[tuple[str, int], ...]:
    return (f"person:{person.strip().lower()[:254]}", MOST_BY_PERSON), (f"ip:{network_of(ip)}", MOST_BY_IP)


def attempt(tx: Tx, person: str, ip: str | None, now: int) -> int:
    """Count an attempt that is about to be looked at, in a transaction under ``LOCK``. person: an address or id.

    Returns 0, or for how many seconds no attempt is looked at; then nothing is counted.
    """
    wait = 0
    for subject, most in _subjects(person, ip):
        rows = tx.execute(
            "SELECT at FROM dash_failures WHERE subject = ? AND at > ? ORDER BY at DESC LIMIT ?",
            (subject, now - WINDOW_SECONDS, most),
        )
        if len(rows) >= most:
            wait = max(wait, int(rows[-1][0]) + WINDOW_SECONDS - now)
    if not wait:
        for subject, _ in _subjects(person, ip):
            tx.execute("INSERT INTO dash_failures (subject, at) VALUES (?, ?)", (subject, now))
        tx.execute("DELETE FROM dash_failures WHERE at <= ?", (now - WINDOW_SECONDS,))
    return wait


async def enter(ctx: Visit, person: str, field: str = "") -> None:
    """Count an attempt by that person, from the visitor's address, before it is looked at.

    field: of the form, where the refusal stands. Raises FormErrors when there were too many.
    """
    wait = await ctx.write(lambda tx: attempt(tx, person, ctx.ip, ctx.now), LOCK)
    if wait:
        failed(ctx, "too_many_attempts")
        raise FormErrors({field: message(wait)})


def failed(ctx: Visit, reason: str, person: str = "") -> None:
    """Count a failed sign-in, in memory: ``tollkey keys refusals`` shows it. reason: one word.

    person: the id, if there is one.
    """
    counts: Attempts = ctx.setup.services.attempts
    counts.note("sign_in", reason, ctx.ip, ctx.now, person)


def right(tx: Tx, person: str, ip: str | None, now: int) -> None:
    """The attempt that was counted at ``now`` was right: take it back, and leave what others made in that second."""
    for subject, _ in _subjects(person, ip):
        counted = tx.execute("DELETE FROM dash_failures WHERE subject = ? AND at = ? RETURNING at", (subject, now))
        for _ in counted[1:]:
            tx.execute("INSERT INTO dash_failures (subject, at) VALUES (?, ?)", (subject, now))


def forget(tx: Tx, person: str) -> None:
    """Forget a person's failures: they have proved who they are."""
    tx.execute("DELETE FROM dash_failures WHERE subject = ?", (_subjects(person, None)[0][0],))


def message(seconds: int) -> str:
    """What the person is told."""
    minutes = max(1, -(-seconds // 60))
    return f"Too many attempts. Wait {minutes} minute{'s' if minutes > 1 else ''}, then try again."
