"""Recovery of an expired session: an address that opens a new one like it for thirty days."""

from __future__ import annotations

from tests.payments.checkout.steps import fill, path_of, post, session
from tests.support.api import Api

DAY = 86_400


def test_an_expired_session_is_taken_up_again(api: Api) -> None:
    made = session(api, after_expiration={"recovery": {"enabled": True, "allow_promotion_codes": True}})
    recovery = api.ok("POST", f"/v1/checkout/sessions/{made['id']}/expire")["after_expiration"]["recovery"]
    assert recovery["expires_at"] == api.now + 30 * DAY
    path = recovery["url"].partition("8420")[2]
    assert b"Continue your order" in api.send("GET", path, key=None).body
    onwards = post(api, path).headers["location"].partition("8420")[2]
    new = api.get("/v1/checkout/sessions")["data"][0]
    assert (new["recovered_from"], new["allow_promotion_codes"], path_of(new)) == (made["id"], True, onwards)
    assert fill(api, onwards).status == 303
