"""Live mode without a provider: nothing is charged."""

from __future__ import annotations

from tollkey.db import Ids
from tollkey.payments.processors.protocol import Authorization, Verdict
from tollkey.payments.shared import providers


class Unconfigured:
    """Refuses every live charge with the real text (reference section 1.2)."""

    def check(self) -> None:
        """Raise ApiError 402 ``testmode_charges_only``."""
        raise providers.CHARGES.refusal()

    def authorize(self, request: Authorization, ids: Ids) -> Verdict:
        """Raise ApiError like ``check``."""
        self.check()
        raise AssertionError("a live charge without a provider")
