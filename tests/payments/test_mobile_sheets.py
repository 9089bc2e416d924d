"""A payment sheet of a phone from opening to payment: the calls of the three mobile SDKs, in their order.

Sources: the network tests of stripe-ios and stripe-android, and the request classes of both; stripe-react-native calls
the SDK of the phone that it runs on.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.payments.methods.apps import ANDROID, IOS, REACT_NATIVE, Shop
from tests.support.api import Answer, Api
from tests.support.recipes import CARD

BACK = "shop-app://stripe-redirect"
SDKS = pytest.mark.parametrize("headers", [IOS, ANDROID, REACT_NATIVE], ids=["ios", "android", "react-native"])
ENABLED = {
    "payment_method_redisplay": "enabled",
    "payment_method_remove": "enabled",
    "payment_method_save": "enabled",
    "payment_method_set_as_default": "enabled",
}
#: What the SDKs say about themselves with whatever they create or confirm.
SAID = {
    "payment_user_agent": "stripe-ios/25.0.0; variant.paymentsheet; PaymentSheet",
    "client_attribution_metadata": {
        "client_session_id": "7d1c", "elements_session_config_id": "91aa", "merchant_integration_source": "elements",
        "merchant_integration_subtype": "mobile", "merchant_integration_version": "stripe-ios/25.0.0",
        "payment_intent_creation_flow": "standard", "payment_method_selection_flow": "automatic",
    },
    "guid": "12", "muid": "34", "sid": "56",
}  # fmt: skip
TYPED = {
    "type": "card", "card": CARD, "allow_redisplay": "always",
    "billing_details": {"address": {"country": "US", "postal_code": "12345"}}, **SAID,
}  # fmt: skip
ONLINE = {"mandate_data": {"customer_acceptance": {"type": "online", "online": {"infer_from_client": True}}}}


@pytest.fixture
def shop(api: Api) -> Shop:
    return Shop(api)


class Phone:
    """An app with its publishable key. headers: those of its SDK."""

    def __init__(self, shop: Shop, headers: dict[str, str]) -> None:
        self.shop, self.api, self.headers = shop, shop.api, headers

    def intent(self, kind: str = "payment_intent", **more: Any) -> Answer:
        """An intent that the shop's server makes for the sheet."""
        amount = {"amount": 5099, "currency": "usd"} if kind == "payment_intent" else {}
        return self.api.ok(
            "POST", f"/v1/{kind}s", customer=self.shop.customer, automatic_payment_methods={"enabled": True},
            metadata={"order": "7"}, **amount, **more,
        )  # fmt: skip

    def opens(self, intent: Answer | None = None, **more: Any) -> Answer:
        """The first call of a sheet; without an intent, one that will be made later."""
        params: dict[str, Any] = {"external_payment_methods": ["external_paypal"], "mobile_app_id": "com.shop", **more}
        if intent is None:
            named = self.api.get("/v1/payment_method_configurations")["data"][0]["id"]
            params |= {"type": "deferred_intent", "payment_sheet_config": {"payment_method_layout": "automatic"}}
            params["deferred_intent"] = {
                "mode": "payment", "amount": 5099, "currency": "usd", "capture_method": "automatic",
                "payment_method_configuration": {"id": named},
            }  # fmt: skip
        else:
            expand = [f"payment_method_preference.{intent['object']}.payment_method"]
            params |= {"type": intent["object"], "client_secret": intent["client_secret"], "expand": expand}
        answer = self.shop.asked(self.headers, **params)
        assert answer.status == 200, answer
        return answer

    def confirms(self, intent: Answer, **sent: Any) -> Answer:
        """The confirmation, with everything that an SDK adds."""
        said = {name: SAID[name] for name in ("client_attribution_metadata", "payment_user_agent")}
        return self.api.post(
            f"/v1/{intent['object']}s/{intent['id']}/confirm", key=self.api.pk, headers=self.headers,
            client_secret=intent["client_secret"], return_url=BACK, use_stripe_sdk=True, expand=["payment_method"],
            **said, **sent,
        )  # fmt: skip

    def looks(self, intent: Answer) -> Answer:
        """The intent, as the sheet asks for it when the customer comes back."""
        return self.api.ok(
            "GET", f"/v1/{intent['object']}s/{intent['id']}", key=self.api.pk, headers=self.headers,
            client_secret=intent["client_secret"], expand=["payment_method"],
        )  # fmt: skip

    def sent(self, method: str, path: str, key: str, **params: Any) -> Answer:
        """A call with an ephemeral key."""
        call = self.api.get if method == "GET" else self.api.post
        return call(path, key=key, headers=self.headers, **params)


#: What the models of both SDKs need of an answer, and of what kind it has to be.
READ: dict[str, type | tuple[type, ...]] = {
    "session_id": str, "config_id": str, "payment_method_preference": dict, "payment_method_specs": list,
    "unactivated_payment_method_types": list, "ordered_payment_method_types_and_wallets": list, "flags": dict,
    "card_brand_choice": dict, "merchant_country": str, "apple_pay_preference": str, "google_pay_preference": str,
    "link_settings": (dict, type(None)), "external_payment_method_data": (list, type(None)),
    "custom_payment_method_data": (list, type(None)), "experiments_data": (dict, type(None)),
    "merchant_logo_url": (str, type(None)), "passive_captcha": (dict, type(None)), "customer": (dict, type(None)),
}  # fmt: skip


@SDKS
@pytest.mark.parametrize("kind", ["payment_intent", "setup_intent", "deferred"])
def test_what_a_sheet_reads_at_its_start_is_there(shop: Shop, headers: dict[str, str], kind: str) -> None:
    phone = Phone(shop, headers)
    found = phone.opens(None if kind == "deferred" else phone.intent(kind))
    assert {name: type(found[name]) for name in READ if not isinstance(found.get(name, ...), READ[name])} == {}
    preference = found["payment_method_preference"]
    assert (preference["object"], preference["country_code"]) == ("payment_method_preference", "US")
    assert preference["ordered_payment_method_types"][0] == "card"
    assert found["apple_pay_preference"] == found["google_pay_preference"] == "disabled"
    if kind != "deferred":
        assert preference[kind]["status"] == "requires_payment_method"
        assert "metadata" not in preference[kind]


@SDKS
def test_a_new_card_pays_and_is_offered_the_next_time(shop: Shop, headers: dict[str, str]) -> None:
    phone, secret = Phone(shop, headers), shop.session(**ENABLED)
    first = phone.intent()
    assert phone.opens(first, customer_session_client_secret=secret)["customer"]["payment_methods"] == []
    assert phone.api.get("/edge-internal/card-metadata", key=phone.api.pk, headers=headers, bin_prefix="424242")["data"]
    paid = phone.confirms(
        first, payment_method_data=TYPED, setup_future_usage="off_session", set_as_default_payment_method=True, **ONLINE
    )
    assert (paid.status, paid["status"], paid["payment_method"]["card"]["last4"]) == (200, "succeeded", "4242")
    saved = paid["payment_method"]["id"]
    second = phone.intent()
    customer = phone.opens(second, customer_session_client_secret=secret)["customer"]
    assert [one["id"] for one in customer["payment_methods"]] == [customer["default_payment_method"]] == [saved]
    again = phone.confirms(second, payment_method=saved, **ONLINE)
    assert (again["status"], again["payment_method"]["id"]) == ("succeeded", saved)


@SDKS
def test_a_saved_card_is_chosen_changed_made_the_default_and_removed(shop: Shop, headers: dict[str, str]) -> None:
    phone, (first, second) = Phone(shop, headers), (shop.card(), shop.card("pm_card_mastercard"))
    secret = shop.session(**ENABLED)
    customer = phone.opens(phone.intent(), customer_session_client_secret=secret)["customer"]
    key = customer["customer_session"]["api_key"]
    changed = phone.sent("POST", f"/v1/payment_methods/{first}", key, card={"exp_month": 3, "exp_year": 2041})
    assert (changed.status, changed["card"]["exp_year"]) == (200, 2041)
    default = f"/v1/elements/customers/{shop.customer}/set_default_payment_method"
    assert phone.sent("POST", default, key, payment_method=second)["id"] == shop.customer
    listed = phone.sent("GET", "/v1/payment_methods", key, customer=shop.customer, type="card")["data"]
    wanted = next(one for one in listed if one["id"] == first)["card"]["fingerprint"]
    for one in listed:
        if one["card"]["fingerprint"] == wanted:
            path = f"/v1/elements/payment_methods/{one['id']}/detach"
            assert phone.sent("POST", path, key, customer_session_client_secret=secret).status == 200
    customer = phone.opens(None, customer_session_client_secret=secret)["customer"]
    assert [one["id"] for one in customer["payment_methods"]] == [customer["default_payment_method"]] == [second]


@SDKS
def test_an_app_with_an_ephemeral_key_lists_attaches_pays_and_removes(shop: Shop, headers: dict[str, str]) -> None:
    phone, key = Phone(shop, headers), shop.legacy_key()
    method = phone.api.ok("POST", "/v1/payment_methods", key=phone.api.pk, headers=headers, **TYPED)["id"]
    assert phone.sent("POST", f"/v1/payment_methods/{method}/attach", key, customer=shop.customer).status == 200
    intent = phone.intent()
    found = phone.opens(intent, legacy_customer_ephemeral_key=key)
    assert [one["id"] for one in found["legacy_customer"]["payment_methods"]] == [method]
    assert phone.sent("GET", f"/v1/customers/{shop.customer}", key)["email"] == "jenny@example.com"
    for kind, ids in (("card", [method]), ("us_bank_account", []), ("sepa_debit", [])):
        listed = phone.sent("GET", "/v1/payment_methods", key, customer=shop.customer, type=kind, limit=100)
        assert [one["id"] for one in listed["data"]] == ids
    assert phone.confirms(intent, payment_method=method)["status"] == "succeeded"
    assert phone.sent("POST", f"/v1/payment_methods/{method}/detach", key)["customer"] is None
    assert phone.confirms(phone.intent(), payment_method=method).status == 400


@SDKS
def test_a_card_is_set_up(shop: Shop, headers: dict[str, str]) -> None:
    phone, secret = Phone(shop, headers), shop.session("customer_sheet", payment_method_remove="enabled")
    intent = phone.intent("setup_intent")
    phone.opens(intent, customer_session_client_secret=secret)
    done = phone.confirms(intent, payment_method_data=TYPED, **ONLINE)
    assert (done.status, done["status"]) == (200, "succeeded")
    customer = phone.opens(intent, customer_session_client_secret=secret)["customer"]
    assert [one["id"] for one in customer["payment_methods"]] == [done["payment_method"]["id"]]


@SDKS
@pytest.mark.parametrize("by", ["payment method", "confirmation token"])
def test_the_server_makes_the_intent_after_the_customer_has_chosen(
    shop: Shop, headers: dict[str, str], by: str
) -> None:
    phone = Phone(shop, headers)
    phone.opens(None)
    if by == "payment method":
        made = phone.api.ok("POST", "/v1/payment_methods", key=phone.api.pk, headers=headers, **TYPED)
        named: dict[str, Any] = {"payment_method": made["id"]}
    else:
        context = {"mode": "payment", "currency": "usd", "customer": shop.customer, "payment_method_types": ["card"]}
        made = phone.api.ok(
            "POST", "/v1/confirmation_tokens", key=phone.api.pk, headers=headers, payment_method_data=TYPED,
            return_url=BACK, client_context=context, **ONLINE, **SAID,
        )  # fmt: skip
        named = {"confirmation_token": made["id"]}
    paid = phone.intent(confirm=True, return_url=BACK, **named)
    assert phone.looks(paid)["status"] == "succeeded"


@SDKS
def test_a_declined_card_leaves_the_sheet_open(shop: Shop, headers: dict[str, str]) -> None:
    phone = Phone(shop, headers)
    intent = phone.intent()
    wrong = {**TYPED, "card": {**CARD, "number": "4000000000009995"}}
    refused = phone.confirms(intent, payment_method_data=wrong)
    assert (refused.status, refused.error["code"], refused.error["decline_code"]) == (
        402,
        "card_declined",
        "insufficient_funds",
    )
    assert phone.looks(intent)["last_payment_error"]["decline_code"] == "insufficient_funds"
    assert phone.confirms(intent, payment_method_data=TYPED)["status"] == "succeeded"


@SDKS
@pytest.mark.parametrize("kind", ["payment_intent", "setup_intent"])
@pytest.mark.parametrize("outcome", ["complete", "fail"])
def test_3d_secure_2_falls_back_to_its_page(shop: Shop, headers: dict[str, str], kind: str, outcome: str) -> None:
    phone = Phone(shop, headers)
    intent = phone.intent(kind)
    asked = phone.confirms(
        intent, payment_method_data={**TYPED, "card": {**CARD, "number": "4000000000003220"}}, **ONLINE
    )
    action = asked["next_action"]["use_stripe_sdk"]
    assert (asked["status"], action["type"]) == ("requires_action", "stripe_3ds2_fingerprint")
    assert action["directory_server_encryption"]["certificate"]
    begun = phone.api.post(
        "/v1/3ds2/authenticate", key=phone.api.pk, headers=headers, source=action["three_d_secure_2_source"],
        app='{"sdkMaxTimeout": "05"}', fallback_return_url=BACK,
    )  # fmt: skip
    assert (begun["state"], begun["ares"], begun["error"]) == ("challenge_required", None, None)
    page = begun["fallback_redirect_url"].removeprefix(phone.api.core.setup.base_url)
    told = phone.api.send("POST", f"{page}/{outcome}", key=None)
    assert (told.status, told.headers["location"].startswith(BACK)) == (303, True)
    wanted = "succeeded" if outcome == "complete" else "requires_payment_method"
    assert phone.looks(intent)["status"] == wanted


@SDKS
def test_a_payment_method_that_redirects_comes_back_to_the_app(shop: Shop, headers: dict[str, str]) -> None:
    phone = Phone(shop, headers)
    intent = phone.api.ok(
        "POST", "/v1/payment_intents", amount=5099, currency="eur", automatic_payment_methods={"enabled": True}
    )
    assert "bancontact" in phone.opens(intent)["payment_method_preference"]["ordered_payment_method_types"]
    data = {"type": "bancontact", "billing_details": {"name": "Jenny Rosen"}, **SAID}
    asked = phone.confirms(intent, payment_method_data=data)
    assert (asked["status"], asked["next_action"]["type"]) == ("requires_action", "redirect_to_url")
    page = asked["next_action"]["redirect_to_url"]["url"].removeprefix(phone.api.core.setup.base_url)
    told = phone.api.send("POST", f"{page}/complete", key=None)
    assert told.headers["location"].startswith(BACK)
    assert phone.looks(intent)["status"] == "succeeded"


@SDKS
def test_leaving_the_challenge_makes_the_sheet_usable_again(shop: Shop, headers: dict[str, str]) -> None:
    phone = Phone(shop, headers)
    intent = phone.intent()
    phone.confirms(intent, payment_method_data={**TYPED, "card": {**CARD, "number": "4000000000003220"}})
    left = phone.api.post(
        f"/v1/payment_intents/{intent['id']}/source_cancel", key=phone.api.pk, headers=headers, source="src_1",
        client_secret=intent["client_secret"],
    )  # fmt: skip
    assert (left.status, left["status"]) == (200, "requires_payment_method")
    assert phone.confirms(intent, payment_method_data=TYPED)["status"] == "succeeded"


@SDKS
def test_what_another_customer_has_saved_pays_for_nobody_else(shop: Shop, headers: dict[str, str]) -> None:
    phone, other = Phone(shop, headers), Shop(shop.api)
    theirs = other.card()
    for sent in ({"payment_method": theirs}, {"payment_method": theirs, "setup_future_usage": "off_session"}):
        refused = phone.confirms(phone.intent(), **sent)
        assert (refused.status, "4242" in refused.body.decode()) == (400, False)


#: Calls of the SDKs that this server does not answer: bank accounts are not linked, Link and Radar do not exist, and
#: wallets are not offered.
REFUSED = (
    ("POST", "/v1/tokens", {"pk_token": "x", "pk_token_transaction_id": "Simulated Identifier"}, 400),
    ("POST", "/v1/radar/session", {}, 404),
    ("POST", "/v1/consumers/mobile/sessions/lookup", {"email_address": "jenny@example.com"}, 404),
    ("POST", "/v1/consumers/accounts/sign_up", {"email_address": "jenny@example.com"}, 404),
    ("POST", "/v1/payment_intents/pi_1/link_account_sessions", {"client_secret": "pi_1_secret_2"}, 404),
    ("POST", "/v1/connections/link_account_sessions_for_deferred_payment", {}, 404),
    ("GET", "/v1/elements/wallet-config", {}, 404),
)


@pytest.mark.parametrize(("method", "path", "sent", "status"), REFUSED, ids=[path for _, path, _, _ in REFUSED])
def test_what_is_not_offered_is_refused(api: Api, method: str, path: str, sent: dict[str, str], status: int) -> None:
    call = api.get if method == "GET" else api.post
    answer = call(path, key=api.pk, headers=IOS, **sent)
    assert (answer.status, answer.error["type"]) == (status, "invalid_request_error")
