"""Steps that several tests of balance share."""

from __future__ import annotations

from typing import Any

from tests.support.api import Answer, Api
from tests.support.connected import acting


def payouts(api: Api, account: Answer) -> list[dict[str, Any]]:
    return list(api.get("/v1/payouts", headers=acting(account))["data"])
