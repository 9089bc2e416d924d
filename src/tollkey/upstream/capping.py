"""Caps at work: what a key with caps may move, reserved before a call leaves, settled when its outcome is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

from tollkey.db import Scope, Tx
from tollkey.keys import Key, KeyRefused
from tollkey.outbox.connections import Answer
from tollkey.upstream import caps, money, refusals, spending
from tollkey.upstream.answers import declined_payment, header, object_of
from tollkey.upstream.calls import Asked, named_account
from tollkey.upstream.caps import Caps
from tollkey.upstream.money import Look, Movement
from tollkey.upstream.spending import Approval
from tollkey.wire import ApiError
from tollkey.wire.messages import is_v2

#: What is answered while the same call is under way, or has not ended: it may be done still.
_UNDER_WAY: Final = frozenset({408, 409})


class _Exceeded(NamedTuple):
    """Why a call may not leave unless a person approves it. cap: the one that it exceeds."""

    cap: str
    moved: Movement
    refusal: ApiError


@dataclass
class Capped:
    """A call of a key with caps. moved: what it moves, None for nothing, or nothing that counts.

    name: of its reservation. The upstream account knows an idempotency key for 24 hours, for one account and one body:
    so one more day, account or body makes another call of it. reserved: whether this call made the reservation.
    """

    caps: Caps
    moved: Movement | None
    name: str = ""
    reserved: bool = False


def caps_of(key: Key) -> Caps | None:
    """Return the caps of a key, None if it has none. Raises ApiError 403 if they cannot be read."""
    try:
        return caps.caps_of(key)
    except KeyRefused as problem:
        raise refusals.unreadable_caps(problem) from None


async def capped(asked: Asked, limits: Caps, look: Look, now: int) -> Capped:
    """Return a call with what it moves. look: asks the upstream account for an object. now: UTC epoch seconds.

    Raises ApiError 403 for another account than the key is for, and a call of which nobody can tell what it moves.
    """
    if limits.accounts:
        own = {"self": asked.upstream.id or "self"}
        allowed = {own.get(name, name) for name in limits.accounts}
        account = named_account(asked.request.headers, asked.upstream) or asked.upstream.id or "self"
        named = money.named_accounts(asked.request.path, asked.given) | {account}
        if not named <= allowed:
            raise refusals.above_cap("cap_accounts", f"The key is not for the account {min(named - allowed)}.")
    if asked.writes and (asked.operation is None or is_v2(asked.request.path)):
        raise refusals.uncountable()  # its parameters are not known, or not read
    if not asked.writes or not limits.counts_money:
        return Capped(limits, None)
    try:
        moved = await money.movement(asked.request.method, asked.request.path, asked.given, look)
    except money.Uncountable:
        raise refusals.uncountable() from None
    if moved is not None:
        _check_currency(limits, moved)
    return Capped(limits, moved, f"{asked.name}:{asked.mark.hex()}:{now - now % spending.DAY}")


def _check_currency(limits: Caps, moved: Movement) -> None:
    for name, allowed in (
        ("cap_currencies", limits.currencies),
        ("cap_amount", limits.amount.keys()),
        (_sum(moved), limits.a_day(moved.kind).keys()),
    ):
        if allowed and moved.currency not in allowed:
            raise refusals.above_cap(name, f"The key may not move {moved.currency}.")


def _sum(moved: Movement) -> str:
    return "cap_refunded_a_day" if moved.kind == "refund" else "cap_charged_a_day"


def lock_of(scope: Scope) -> str:
    """Return the lock of ``reserve``: of equal calls on two nodes at once, the second finds what the first reserved."""
    return f"upstream caps {scope.name}"


def reserve(tx: Tx, asked: Asked, call: Capped, approval_id: str, now: int) -> ApiError | None:
    """Reserve what a call moves, or return why it may not leave; what is written stays in either case.

    approval_id: for a call that waits for a person. now: UTC epoch seconds.
    """
    moved, scope = call.moved, asked.key.scope
    if moved is None:
        return None
    call.reserved = False
    spender = spending.spender_of(tx, asked.key, call.caps.group)
    if spending.counted(tx, scope, spender, call.name) is not None:
        return None
    before = spending.counted(tx, scope, spender, spending.name_of(moved)) if moved.object else None
    if before is not None and moved.amount <= before:
        return None
    further = moved._replace(amount=moved.amount - (before or 0))
    largest = call.caps.amount.get(moved.currency)
    exceeded = ""
    if largest is not None and moved.amount > largest:
        exceeded, why = "cap_amount", f"The key may move up to {largest} {moved.currency} at once"
    else:
        most = call.caps.a_day(moved.kind).get(moved.currency)
        left = spending.reserve(tx, scope, spender, call.name, further, now, most)
        if left is None:
            call.reserved = True
            return None
        exceeded, why = _sum(moved), f"The key may move {left} {moved.currency} more today"
    refusal = refusals.above_cap(exceeded, f"{why}; this call moves {further.amount}.")
    if not call.caps.asks:
        return refusal
    refused = _approved(tx, asked, _Exceeded(exceeded, moved, refusal), approval_id, now)
    if refused is None:
        spending.reserve(tx, scope, spender, call.name, further, now, None)
        call.reserved = True
    return refused


def _approved(tx: Tx, asked: Asked, exceeded: _Exceeded, id: str, now: int) -> ApiError | None:
    """Return None if a person has approved this call; otherwise why it may not leave. id: for one that waits."""
    if asked.repeats:
        return refusals.needs_idempotency_key()
    scope, key, moved = asked.key.scope, asked.key, exceeded.moved
    found = spending.approval_for(tx, scope, key.id, asked.name)
    if found is None:
        wanted = Approval(
            id, key.id, asked.name, asked.mark, asked.request.method, asked.path, moved.kind, moved.amount,
            moved.currency, exceeded.cap, "pending", now,
        )  # fmt: skip
        spending.ask(tx, scope, wanted)
        return refusals.waits_for_approval(id)
    if found.mark != asked.mark or moved.currency != found.currency or moved.amount > found.amount:
        return refusals.another_call(found.id)
    if found.state == "pending":
        return refusals.waits_for_approval(found.id)
    if found.state != "approved":
        return exceeded.refusal
    spending.use(tx, scope, found.id)
    return None


def settle(tx: Tx, asked: Asked, call: Capped, answer: Answer | None, *, sent: bool) -> None:
    """Release what a call has reserved, if nothing was moved, or it had been moved before.

    A declined payment that was created all the same stays counted: with its client secret, which the refusal shows,
    a browser may confirm it with another card. answer: None if none came. sent: whether anything was sent.
    """
    if call.moved is None:
        return
    scope = asked.key.scope
    spender = spending.spender_of(tx, asked.key, call.caps.group)
    created = declined_payment(answer) if answer is not None and asked.path == "/v1/payment_intents" else None
    if created is not None and call.reserved:
        spending.count_object(tx, scope, spender, call.moved._replace(object=created), call.name)
        return
    replayed = answer is not None and header(answer, b"idempotent-replayed") == "true"
    refused = answer is not None and 400 <= answer.status < 500 and answer.status not in _UNDER_WAY
    if (not sent or refused) if call.reserved else (refused and replayed):
        spending.release(tx, scope, spender, call.name)
    elif answer is not None and answer.status < 300 and not replayed:
        created = object_of(answer)
        if created is not None and call.moved.kind == "charge":
            spending.count_object(tx, scope, spender, call.moved._replace(object=created), call.name)


def dry_run(asked: Asked, call: Capped) -> ApiError:
    """Return the answer to a call of a key whose writes are not sent: what would have been done."""
    moved = call.moved
    what = f" It would move {moved.amount} {moved.currency} ({moved.kind})." if moved is not None else ""
    grant = asked.operation.grant if asked.operation is not None and asked.operation.permission is not None else "none"
    return refusals.dry_run(f"{asked.request.method} {asked.request.path}", grant, what)
