"""Live mode: what each endpoint and job may do in live mode, and which provider it needs.

In test mode everything is simulated, in live mode nothing: what would move money, verify a person or activate
something is done by a provider or refused. Every endpoint that writes and every job declares a ``Live``; the catalogue
refuses those without.

    records()                 it only stores data; live mode needs no provider
    needs(PAYOUTS)            refused in live mode without a provider of payouts
    asks(CHARGES, "it is confirmed")   the handler calls ``call.require(CHARGES)`` in the case that needs it
    only_in_test()            available in test mode only
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tollkey.wire.errors import ApiError

if TYPE_CHECKING:
    from tollkey.wire.call import Call

_TEST_ONLY = "This method is only available in test mode. Try using your test keys instead."


@dataclass(frozen=True)
class Capability:
    """Something that needs a provider in live mode.

    name: as in settings and docs, for example ``payouts``.
    does: what cannot be done without a provider; completes the sentence "it cannot …".
    status, code, message: of the error, where Stripe has an error of its own for it.
    """

    name: str
    does: str
    status: int = 400
    code: str | None = None
    message: str = ""

    def refusal(self) -> ApiError:
        """Return the error for a live mode call without a provider."""
        text = self.message or (
            f"Live mode on this server has no provider for {self.name},"
            f" so it cannot {self.does}. Nothing was done. Use your test keys"
            " to try it, with test data."
        )
        return ApiError(self.status, code=self.code, message=text)


@dataclass(frozen=True)
class Live:
    """What an endpoint or a job may do in live mode.

    capability: what it needs a provider for; None when it only stores data.
    when: the case that needs the provider; empty for every case, and then it is checked before the handler runs.
    test_only: refused in live mode even with a provider. message: of that error. note: a sentence for the docs.
    """

    capability: Capability | None = None
    when: str = ""
    test_only: bool = False
    message: str = ""
    note: str = ""

    def admit(self, call: Call) -> None:
        """Raise ApiError when the endpoint or job is not available in the call's mode."""
        if not call.livemode:
            return
        if self.test_only:
            raise ApiError(400, message=self.message or _TEST_ONLY)
        if self.capability is not None and not self.when:
            call.require(self.capability)

    def admits(self, call: Call) -> bool:
        """Return whether ``admit`` would not raise."""
        try:
            self.admit(call)
        except ApiError:
            return False
        return True


def records(note: str = "") -> Live:
    """Declare that it only stores data, so that live mode needs no provider.

    note: a sentence for the docs, where that is not obvious.
    """
    return Live(note=note)


def needs(capability: Capability, note: str = "") -> Live:
    """Declare that it is refused in live mode without a provider of that capability. note: a sentence for the docs."""
    return Live(capability, note=note)


def asks(capability: Capability, when: str) -> Live:
    """Declare that its handler calls ``call.require`` in one case.

    when: that case; completes the sentence "it needs a provider when …".
    """
    return Live(capability, when)


def only_in_test(message: str = "") -> Live:
    """Declare that it is available in test mode only. message: of the error, where Stripe has its own text."""
    return Live(test_only=True, message=message)
