"""Each try of a SetupIntent is written down once, with how it ended."""

from __future__ import annotations

from tests.support.api import Api

SETUP = {"allowed_payment_method_types": ["card"], "confirm": True, "return_url": "https://shop.example"}


def attempts(api: Api, intent: str) -> list[tuple[str, bool]]:
    """Status of each attempt, newest first, and whether it has an error."""
    found = api.get("/v1/setup_attempts", setup_intent=intent)["data"]
    return [(one["status"], one["setup_error"] is not None) for one in found]


def test_a_refused_try_and_the_next_one_are_two_attempts(api: Api) -> None:
    refused = api.post("/v1/setup_intents", payment_method="pm_card_chargeDeclined", **SETUP)
    intent = refused.error["setup_intent"]["id"]
    assert attempts(api, intent) == [("failed", True)]
    api.ok("POST", f"/v1/setup_intents/{intent}/confirm", payment_method="pm_card_visa", return_url="https://a.example")
    assert attempts(api, intent) == [("succeeded", False), ("failed", True)]


def test_a_challenge_and_its_answer_are_one_attempt(api: Api) -> None:
    intent = api.ok("POST", "/v1/setup_intents", payment_method="pm_card_authenticationRequired", **SETUP)
    assert attempts(api, intent["id"]) == [("requires_action", False)]
    page = intent["next_action"]["redirect_to_url"]["url"].removeprefix(api.core.setup.base_url)
    api.send("POST", f"{page}/complete", key=None)
    assert attempts(api, intent["id"]) == [("succeeded", False)]
    made = api.get("/v1/setup_attempts", setup_intent=intent["id"])["data"][0]
    assert made["payment_method_details"]["card"]["three_d_secure"]["result"] == "authenticated"
    assert api.get(f"/v1/setup_intents/{intent['id']}")["latest_attempt"] == made["id"]


def test_an_intent_that_was_never_confirmed_has_no_attempt(api: Api) -> None:
    intent = api.ok("POST", "/v1/setup_intents", allowed_payment_method_types=["card"])
    assert (intent["latest_attempt"], attempts(api, intent["id"])) == (None, [])
