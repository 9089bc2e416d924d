"""What a server gives to the handlers of its resources, besides storage."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tollkey.keys import Attempts, Authority
    from tollkey.settings import Settings
    from tollkey.wire._guesses import GuessLimiter
    from tollkey.wire.call import Call


@dataclass
class Services:
    """The services of one server. The composition root makes them once.

    authority: makes and checks keys; its keyring digests and seals. settings: of the server. attempts: counts refused
        keys and sign-ins.
    external_account: ``(call, account, value, param)`` -> a bank account or card for payouts, not stored yet.
    test_clock_limit: how many customers one test clock may have; None means the documented number.
    guess_limiter: slows down who guesses keys, secrets or tokens; None when it is switched off.
    wake: tells the deliverer of webhooks that there is something to send; None until there is one.
    """

    authority: Authority
    settings: Settings
    attempts: Attempts
    external_account: Callable[[Call, Any, Any, str], Any]
    test_clock_limit: int | None = None
    guess_limiter: GuessLimiter | None = None
    wake: Callable[[], None] | None = None
