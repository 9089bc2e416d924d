"""Steps that several tests of charges share."""

from __future__ import annotations

from tests.support.api import Answer, Api


def charge(api: Api, source: str = "tok_visa", **more):
    return api.post("/v1/charges", **{"amount": 2000, "currency": "usd", "source": source, **more})


def charged(api: Api, source: str = "tok_visa", amount: int = 1000) -> Answer:
    return api.ok("post", "/v1/charges", amount=amount, currency="usd", source=source)
