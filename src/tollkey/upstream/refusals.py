"""Errors of calls that are passed on to an upstream account, in the wire's form. The texts are ours."""

from __future__ import annotations

from typing import Any

from tollkey.keys import Key
from tollkey.wire import ApiError


def _ours(status: int, code: str, message: str, **more: Any) -> ApiError:
    """Return an error whose code only this server has. more: further arguments of ``ApiError``."""
    kind = "api_error" if status >= 500 else "invalid_request_error"
    return ApiError(status, kind, code, message, documented=False, **more)


def publishable(key: Key) -> ApiError:
    """Return the 403 for a publishable key: those of the upstream account are no secret, and open its own host."""
    return _ours(
        403,
        "secret_key_required",
        f"The calls of this account are passed on to an upstream account, which the publishable key"
        f" '{key.redacted}' does not open. Use the publishable key of the upstream account in browsers and apps.",
    )


def not_sent(why: str) -> ApiError:
    """Return the 503 for an upstream account that could not be reached: nothing was sent."""
    return _ours(
        503,
        "upstream_unreachable",
        f"The upstream API cannot be reached ({why}). Nothing was sent to it; try again shortly.",
        retry=True,
        headers={"Retry-After": "1"},
    )


def unknown(repeatable: bool) -> ApiError:
    """Return the 504 for a call that was sent, and got no answer. repeatable: whether it can be repeated safely."""
    ending = "send it again with the same idempotency key." if repeatable else "look it up before you send it again."
    return _ours(
        504,
        "upstream_outcome_unknown",
        f"The upstream API got this request but its answer did not arrive. Whether anything was done is not known;"
        f" {ending}",
        retry=repeatable,
    )


def nothing_changed() -> ApiError:
    """Return the 504 for a read without an answer."""
    return _ours(
        504,
        "upstream_timeout",
        "The upstream API did not answer in time. Nothing was changed; try again.",
        retry=True,
    )


def credential() -> ApiError:
    """Return the 502 for an upstream account that refuses the key stored here: not the caller's fault, so no 401."""
    return _ours(
        502,
        "upstream_key_refused",
        "The upstream API refuses the key that this server has for it. Nothing was done. An administrator has to store"
        " a valid key: tollkey live connect.",
        retry=False,
    )


def too_long(most: int) -> ApiError:
    """Return the 502 for an answer that is longer than this server passes back. most: bytes."""
    return _ours(
        502,
        "upstream_answer_too_long",
        f"The upstream API's answer is longer than {most} bytes, which is more than this server passes back.",
        retry=False,
    )


def loop() -> ApiError:
    """Return the 508 for a call that has come through as many gateways as are allowed (RFC 5842, section 7.2)."""
    return _ours(
        508,
        "upstream_loop",
        "The call has come through too many gateways: accounts may be connected in a circle. Nothing was sent.",
        retry=False,
    )


def card_data(param: str) -> ApiError:
    """Return the 400 for a card number. param: where it was sent."""
    return ApiError(
        400,
        message="Card numbers are not passed on by this server. Create a token or a PaymentMethod in the browser or"
        " app, with the publishable key of the upstream account, and send its id.",
        param=param,
    )


def sealed_away() -> ApiError:
    """Return the 503 for a stored key that cannot be unsealed."""
    return _ours(
        503,
        "upstream_key_unavailable",
        "The key of the upstream account cannot be unsealed. Nothing was sent.",
    )


def above_cap(cap: str, message: str) -> ApiError:
    """Return the 403 for a call above a cap of its key. cap: its name in the metadata."""
    return _ours(403, "cap_exceeded", f"{message} Nothing was sent.", cap=cap)


def uncountable() -> ApiError:
    """Return the 403 for a key with caps and a call whose amount is not known before it is made."""
    return _ours(
        403,
        "cap_not_countable",
        "The key has caps, and how much this call moves is not known before it is made. Keys with caps may"
        " create, confirm and capture payments, refund them, and do what moves no money. Nothing was sent.",
    )


def unreadable_caps(problem: Exception) -> ApiError:
    """Return the 403 for a key whose caps cannot be read."""
    return _ours(403, "cap_unreadable", f"{problem} Nothing was sent.")


def caps_only_upstream() -> ApiError:
    """Return the 403 for a key with caps whose calls are not passed on: nothing here would count them."""
    return _ours(
        403,
        "cap_not_countable",
        "The key has caps, which are for calls to an upstream account, and this account has none.",
    )


def not_for_capped_keys() -> ApiError:
    """Return the 403 for a key with caps that would change keys: it could make one without."""
    return _ours(403, "cap_not_countable", "A key with caps may not create or change keys.")


def needs_idempotency_key() -> ApiError:
    """Return the 400 for a call above a cap that could not be repeated once it is approved."""
    return ApiError(
        400,
        "idempotency_error",
        "approval_needs_idempotency_key",
        "This call is above a cap of its key and has to be approved. Send it with an Idempotency-Key, and again with"
        " the same one once it is. Nothing was sent.",
        documented=False,
    )


def waits_for_approval(id: str) -> ApiError:
    """Return the 403 for a call that waits for a person. id: of the approval."""
    return _ours(
        403,
        "approval_required",
        f"This call is above a cap of its key and waits for approval ({id}). Nothing was sent. Send it again"
        " with the same Idempotency-Key once it is approved.",
        retry=False,
        approval=id,
    )


def another_call(id: str) -> ApiError:
    """Return the 400 for an idempotency key whose approval is for another call, or for less. id: of the approval."""
    return ApiError(
        400,
        "idempotency_error",
        message=f"The approval {id} is for a call with other parameters, or that moved less. Use another"
        " Idempotency-Key for this one.",
    )


def dry_run(call: str, grant: str, what: str) -> ApiError:
    """Return the answer to a write of a key in dry run. grant: the permission that it needed."""
    return _ours(
        403,
        "dry_run",
        f"Dry run: {call} ({grant}) would have been sent.{what} Nothing was sent.",
        retry=False,
    )
