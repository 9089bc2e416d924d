"""Steps that several tests of payments share."""

from __future__ import annotations

from typing import Any

from tests.support.api import Api


def told(api: Api, path: str, **params: Any) -> tuple[str | None, str]:
    """What a POST with a mistake is told: the parameter and the sentence."""
    answer = api.post(path, **params)
    assert answer.status == 400
    return answer.error.get("param"), answer.error["message"]


def monthly(api: Api, **more: Any) -> str:
    recurring = more.pop("recurring", {"interval": "month"})
    return str(
        api.ok(
            "POST",
            "/v1/prices",
            currency="usd",
            unit_amount=1000,
            product_data={"name": "Gold"},
            recurring=recurring,
            **more,
        )["id"]
    )
