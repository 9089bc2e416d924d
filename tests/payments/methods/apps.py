"""A shop's server and its app, as the mobile SDKs call the API."""

from __future__ import annotations

from typing import Any

from tests.support.api import Answer, Api

VERSION = {"Stripe-Version": "2020-08-27"}
#: What the SDK for iOS says about itself with every request.
IOS = {
    "Stripe-Version": "2020-08-27",
    "X-Stripe-User-Agent": '{"lang":"objective-c","bindings_version":"25.0.0","type":"iPhone16,1","os_version":"18.0"}',
    "Stripe-Livemode": "false",
}
#: The same of the SDK for Android.
ANDROID = {
    "Stripe-Version": "2020-03-02",
    "User-Agent": "Stripe/v1 AndroidBindings/21.20.0",
    "X-Stripe-User-Agent": '{"os.name":"android","os.version":"34","bindings.version":"21.20.0","lang":"kotlin"}',
    "Accept-Charset": "UTF-8",
}
#: React Native calls the one of the phone, and names itself beside it.
REACT_NATIVE = {
    **ANDROID,
    "X-Stripe-User-Agent": '{"os.name":"android","lang":"kotlin","application":{"name":"stripe-react-native/0.50.0"}}',
}
DEFERRED = {"type": "deferred_intent", "deferred_intent": {"mode": "payment", "amount": 500, "currency": "usd"}}


class Shop:
    """A customer of a merchant, and what the merchant's server and app ask of the API for it.

    secret: of the customer session made last.
    """

    def __init__(self, api: Api) -> None:
        self.api = api
        self.customer: str = api.ok("POST", "/v1/customers", email="jenny@example.com", metadata={"a": "b"})["id"]
        self.secret = ""

    def card(self, name: str = "pm_card_visa", *, allow_redisplay: str = "always") -> str:
        """The id of a card that the customer has saved."""
        id: str = self.api.ok("POST", f"/v1/payment_methods/{name}/attach", customer=self.customer)["id"]
        self.api.ok("POST", f"/v1/payment_methods/{id}", allow_redisplay=allow_redisplay)
        return id

    def session(self, component: str = "mobile_payment_element", *, by: str = "", **features: Any) -> str:
        """The client secret of a customer session. by: the key of the server, the merchant's own by default."""
        components = {component: {"enabled": True, **({"features": features} if features else {})}}
        made = self.api.ok(
            "POST", "/v1/customer_sessions", key=by or self.api.sk, customer=self.customer, components=components
        )
        self.secret = made["client_secret"]
        return self.secret

    def asked(self, headers: dict[str, str] = IOS, **params: Any) -> Answer:
        """What the app asks for before it shows its sheet; by default before there is an intent."""
        sent = {"locale": "en-US", "mobile_session_id": "0f0c", **({} if "type" in params else DEFERRED), **params}
        return self.api.get("/v1/elements/sessions", key=self.api.pk, headers=headers, **sent)

    def claimed(self, component: str = "mobile_payment_element", **features: Any) -> Answer:
        """The same with a customer session that has these features."""
        answer = self.asked(customer_session_client_secret=self.session(component, **features))
        assert answer.status == 200, answer
        return answer

    def key(self, component: str = "mobile_payment_element", *, by: str = "", **features: Any) -> str:
        """The key of a claimed session."""
        secret = self.session(component, by=by, **features)
        found: str = self.asked(customer_session_client_secret=secret)["customer"]["customer_session"]["api_key"]
        return found

    def legacy_key(self) -> str:
        """An ephemeral key that the server made."""
        made = self.api.ok("POST", "/v1/ephemeral_keys", customer=self.customer, headers=VERSION)
        return str(made["secret"])
