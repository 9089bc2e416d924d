"""The requests that a processor gets: made of what is stored alone."""

from __future__ import annotations

import pytest

from tests.support.api import Api
from tests.support.processor import connected
from tollkey.db import Tx
from tollkey.payments.processors.network import Authorize, Capture, Refund


def test_a_request_has_its_token_and_a_later_one_has_the_authorization_without_it(api: Api) -> None:
    with connected(api) as live:
        held = live.pay(900, capture_method="manual", payment_method=live.method("nt_secret"))
        live.post(f"/v1/payment_intents/{held['id']}/capture", amount_to_capture=300)
        live.post("/v1/refunds", payment_intent=held["id"], amount=100)
        asked, taken, back = live.network.requests
        assert isinstance(asked, Authorize)
        assert isinstance(taken, Capture)
        assert isinstance(back, Refund)
        assert (asked.method.token, asked.capture, asked.amount, asked.object) == ("nt_secret", False, 900, held["id"])
        assert (taken.amount, taken.original.reference, taken.data) == (300, asked.reference, {"rrn": asked.reference})
        assert (taken.original.method.token, taken.original.trace) == ("", asked.trace)
        assert (back.amount, back.original.reference) == (100, asked.reference)
        assert len({asked.reference, taken.reference, back.reference}) == 3


def test_the_token_is_stored_sealed_and_shown_to_nobody(api: Api) -> None:
    with connected(api) as live:
        method = live.method("nt_very_secret")
        assert b"nt_very_secret" not in live.get(f"/v1/payment_methods/{method}").body
        row = api.core.database.read(lambda tx: api.core.setup.tables.of["payment_method"].get(tx, live.scope, method))
        assert row is not None
        assert b"nt_very_secret" not in (row.private or b"") + row.body


def test_what_cannot_be_made_any_more_is_withdrawn(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    async def nothing(references: object) -> bool:
        return False

    def spoil(tx: Tx) -> None:
        call = api.core.call(tx, live.scope)
        method = call.objects.get("payment_method", waiting["payment_method"])
        method["_token"] = "AAAA"
        call.objects.save(method)

    with connected(api) as live:
        with monkeypatch.context() as patched:
            patched.setattr(api.world.server.sender, "settle", nothing)
            waiting = live.pay()
        assert waiting["status"] == "processing"
        api.core.database.write(spoil)
        live.recover(1)
        after = live.get(f"/v1/payment_intents/{waiting['id']}")
        assert (after["status"], live.said()) == ("requires_payment_method", [])


def test_the_token_is_in_no_request_log(api: Api) -> None:
    with connected(api) as live:
        live.method("nt_very_secret_token")
        live.post("/v1/payment_methods", type="card", card={"token": "nt_very_secret_token", "cvc": "1"})
        api.world.write_logs()
        rows = api.core.logs.read(lambda tx: tx.execute("SELECT * FROM request_logs WHERE account = ?", (api.account,)))
        assert rows
        assert "nt_very_secret_token" not in repr(rows)
