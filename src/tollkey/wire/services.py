"""What handlers need besides storage."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tollkey.keys.attempts import Attempts
    from tollkey.keys.authority import Authority
    from tollkey.settings import Settings
    from tollkey.wire.call import Call
    from tollkey.wire.guesses import GuessLimiter


@dataclass
class Services:
    """The services of one server, built once by the composition root.

    authority: creates and verifies keys, with the keyring. settings: of the server.
    attempts: counts refused keys and sign-ins.
    external_account: ``(call, account, value, param)`` -> a bank account or card for payouts, not yet stored.
    external_status: ``(value, status)`` sets the status of such a bank account or card, by its table.
    test_clock_limit: customers allowed on one test clock; None for the documented number.
    guess_limiter: limits guessing of keys, secrets and tokens; None when disabled.
    wake: notifies the webhook sender of new deliveries; None until it runs.
    """

    authority: Authority
    settings: Settings
    attempts: Attempts
    external_account: Callable[[Call, Any, Any, str], Any]
    external_status: Callable[[Any, str], None]
    test_clock_limit: int | None = None
    guess_limiter: GuessLimiter | None = None
    wake: Callable[[], None] | None = None
