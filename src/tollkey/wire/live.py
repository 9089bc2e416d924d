"""Live mode: what each endpoint and each background job may do there, and which provider it asks for.

In test mode everything is simulated. In live mode nothing is: what would move money, verify somebody or make something
active is done by a provider or refused. Every endpoint that writes and every kind of scheduled work carries a ``Live``
beside its handler, and the catalogue refuses one without.

    records()                 it only keeps what it was told; live mode needs nobody for it
    needs(PAYOUTS)            refused in live mode unless there is a provider of payouts
    asks(CHARGES, "it is confirmed")   the handler calls ``call.require(CHARGES)`` on the way that needs it
    only_in_test()             test mode only, by its nature
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
    """Something that only a provider can really do.

    name: how settings and docs call it, for example ``payouts``. does: what cannot be done without, to go on after
        "cannot".
    status, code, message: of the error, where the real system has one of its own.
    """

    name: str
    does: str
    status: int = 400
    code: str | None = None
    message: str = ""

    def refusal(self) -> ApiError:
        """The error of a live call without a provider."""
        text = self.message or (
            f"Live mode on this server has no provider for {self.name},"
            f" so it cannot {self.does}. Nothing was done. Use your test keys"
            " to try it, with test data."
        )
        return ApiError(self.status, code=self.code, message=text)


@dataclass(frozen=True)
class Live:
    """What an endpoint or a kind of work does in live mode.

    capability: what it asks a provider for; None when it keeps records only.
    when: in which case it asks; empty when always, and then it is refused before its handler runs.
    test_only: refused in live mode, provider or not. message: what that refusal says. note: a sentence for the docs.
    """

    capability: Capability | None = None
    when: str = ""
    test_only: bool = False
    message: str = ""
    note: str = ""

    def admit(self, call: Call) -> None:
        """Raise ApiError when this cannot be done in the call's mode at all."""
        if not call.livemode:
            return
        if self.test_only:
            raise ApiError(400, message=self.message or _TEST_ONLY)
        if self.capability is not None and not self.when:
            call.require(self.capability)

    def admits(self, call: Call) -> bool:
        """Whether this can be done in the call's mode."""
        try:
            self.admit(call)
        except ApiError:
            return False
        return True


def records(note: str = "") -> Live:
    """It keeps what it is told and claims nothing, so live mode needs no provider for it.

    note: for the docs, if that is not plain.
    """
    return Live(note=note)


def needs(capability: Capability, note: str = "") -> Live:
    """It is refused in live mode unless there is a provider of that capability."""
    return Live(capability, note=note)


def asks(capability: Capability, when: str) -> Live:
    """Its handler asks, with ``call.require``, in one case. when: that case, to go on after "when"."""
    return Live(capability, when)


def only_in_test(message: str = "") -> Live:
    """It exists in test mode only. message: what a live call is told, if the real system has words of its own."""
    return Live(test_only=True, message=message)
