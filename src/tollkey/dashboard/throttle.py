"""Throttling of sign-in: attempts are counted by person and by IP address, over the last 15 minutes.

An attempt is counted *before* the password is checked, and uncounted when it was correct. If attempts were counted
afterwards, a hundred attempts sent at the same moment would all find a count of zero.

Attempts that lie further ahead than these 15 minutes were counted before the clock was set back: they lock nobody out.
"""

from __future__ import annotations

from tollkey.dashboard.page import Context, FormErrors
from tollkey.db import Tx
from tollkey.keys.limits import network_of

WINDOW_SECONDS = 15 * 60
MOST_BY_PERSON = 8
MOST_BY_IP = 40
LOCK = "dashboard sign-in"  # an advisory lock: reading the count and adding to it must not interleave


def _subjects(person: str, ip: str | None) -> tuple[tuple[str, int], ...]:
    return (f"person:{person.strip().lower()[:254]}", MOST_BY_PERSON), (f"ip:{network_of(ip)}", MOST_BY_IP)


def attempt(tx: Tx, person: str, ip: str | None, now: int) -> int:
    """Count an attempt before it is checked, in a transaction under ``LOCK``.

    person: an email address or id. now: UTC epoch seconds.
    Returns 0, or the seconds to wait when there were too many attempts; then nothing is counted.
    """
    wait = 0
    for subject, most in _subjects(person, ip):
        rows = tx.execute(
            "SELECT at FROM dash_failures WHERE subject = ? AND at > ? AND at < ? ORDER BY at DESC LIMIT ?",
            (subject, now - WINDOW_SECONDS, now + WINDOW_SECONDS, most),
        )
        if len(rows) >= most:
            wait = max(wait, int(rows[-1][0]) + WINDOW_SECONDS - now)
    if not wait:
        for subject, _ in _subjects(person, ip):
            tx.execute("INSERT INTO dash_failures (subject, at) VALUES (?, ?)", (subject, now))
        tx.execute("DELETE FROM dash_failures WHERE at <= ?", (now - WINDOW_SECONDS,))
    return wait


async def check_limit(ctx: Context, person: str, field: str = "") -> None:
    """Count an attempt to sign in as a person, from the visitor's IP address.

    field: the form field beside which the error is shown. Raises FormErrors when there were too many attempts.
    """
    wait = await ctx.write(lambda tx: attempt(tx, person, ctx.ip, ctx.now), LOCK)
    if wait:
        record_failure(ctx, "too_many_attempts")
        raise FormErrors({field: wait_message(wait)})


def record_failure(ctx: Context, reason: str, person: str = "") -> None:
    """Count a failed sign-in for ``tollkey keys refusals``. reason: one word. person: the id, if known."""
    ctx.product.attempts.count("sign_in", reason, ctx.ip, ctx.now, person)


def uncount(tx: Tx, person: str, ip: str | None, now: int) -> None:
    """Remove one attempt that was counted at ``now``, because it was correct. now: UTC epoch seconds."""
    for subject, _ in _subjects(person, ip):
        counted = tx.execute("DELETE FROM dash_failures WHERE subject = ? AND at = ? RETURNING at", (subject, now))
        for _ in counted[1:]:
            tx.execute("INSERT INTO dash_failures (subject, at) VALUES (?, ?)", (subject, now))


def clear(tx: Tx, person: str) -> None:
    """Remove all counted attempts of a person, after a successful sign-in."""
    tx.execute("DELETE FROM dash_failures WHERE subject = ?", (_subjects(person, None)[0][0],))


def wait_message(seconds: int) -> str:
    """The error message. seconds: to wait."""
    minutes = max(1, -(-seconds // 60))
    return f"Too many attempts. Wait {minutes} minute{'s' if minutes > 1 else ''}, then try again."
