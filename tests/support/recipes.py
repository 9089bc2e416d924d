"""How to make one of each kind of object through the API, and how to call each endpoint so that it has something to do.

The tables are keyed by object or by endpoint and know nothing of which resources a server has: tests
walk the server's catalogue and look up here what a call needs. What is not in a table gets a default.

    maker = Maker(api)
    maker.make("charge")                   # a fresh charge
    maker.plan(endpoint)                   # Planned(path, params) for any endpoint, with the objects it needs made
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from tests.support.api import Answer, Api
from tollkey.wire import Catalogue, Endpoint, Resource

Json = dict[str, Any]
CARD = {"number": "4242424242424242", "exp_month": 12, "exp_year": 2034, "cvc": "123"}
BANK = {
    "country": "US", "currency": "usd", "account_number": "000123456789", "routing_number": "110000000",
    "account_holder_name": "Jane Austen", "account_holder_type": "individual",
}  # fmt: skip
HOME = "https://example.com/"


class CannotMake(Exception):
    """The API refused to make something that a test needs."""


class Planned(NamedTuple):
    """One call that should succeed."""

    path: str
    params: Json


def shape(path: str) -> str:
    """A path without the names of its variables."""
    return re.sub(r"\{\w+\}", "{}", path)


def name_of(endpoint: Endpoint) -> str:
    """How the tables name an endpoint."""
    return f"{endpoint.method} {shape(endpoint.path)}"


class Maker:
    """Makes objects for one merchant."""

    def __init__(self, api: Api, headers: dict[str, str] | None = None) -> None:
        self.api, self.headers = api, headers
        self.catalogue: Catalogue = api.core.catalogue
        self.endpoints = {name_of(e): (r, e) for r in self.catalogue.resources for e in r.endpoints}
        self._shared: dict[str, Json] = {}
        self._count = 0
        self.held: dict[str, str] = {}  # what a plan leaves for its endpoint's body

    def next(self) -> int:
        """A number that this maker has not given yet."""
        self._count += 1
        return self._count

    def post(self, path: str, **params: Any) -> Answer:
        """A POST that must succeed."""
        answer = self.api.post(path, headers=self.headers, **params)
        if answer.status != 200:
            raise CannotMake(f"POST {path} {params}: {answer.status} {answer.get('error', {}).get('message')}")
        return answer

    def get(self, path: str, **params: Any) -> Answer:
        """A GET that must succeed."""
        answer = self.api.get(path, headers=self.headers, **params)
        if answer.status != 200:
            raise CannotMake(f"GET {path}: {answer.status} {answer.get('error', {}).get('message')}")
        return answer

    def make(self, object: str) -> Json:
        """A fresh object of that kind. Raises CannotMake."""
        maker = MAKERS.get(object)
        if maker is not None:
            return maker(self)
        path = self._collection(object)
        return self.post(path, **self.body(f"POST {path}"))

    def shared(self, object: str) -> Json:
        """An object of that kind that may have been used before. Raises CannotMake."""
        if object not in self._shared:
            self._shared[object] = self.make(object)
        return self._shared[object]

    def id(self, object: str) -> str:
        """The id of a shared object."""
        found: str = self.shared(object)["id"]
        return found

    def body(self, name: str) -> Json:
        """The parameters with which that endpoint succeeds."""
        body = BODIES.get(name)
        return dict(body(self)) if callable(body) else dict(body or {})

    def plan(self, endpoint: Endpoint, resource: Resource, fresh: bool = True) -> Planned:
        """A call of the endpoint that should succeed. Raises CannotMake.

        fresh: with objects of its own, so that the call may change or delete them.
        """
        name = name_of(endpoint)
        values = PLANS[name](self) if fresh and name in PLANS else self._values(endpoint, resource, fresh)
        path = endpoint.path
        for value in values:
            path = re.sub(r"\{\w+\}", value, path, count=1)
        return Planned(path, self.body(name))

    def _values(self, endpoint: Endpoint, resource: Resource, fresh: bool) -> list[str]:
        """What stands in the braces: the innermost object, and what it hangs on."""
        collections = [shape(part) for part in _collections(endpoint.path)]
        if not collections:
            return []
        make = self.make if fresh else self.shared
        made = make(self.object_of(collections[-1]))
        if len(collections) == 1:
            return [made["id"]]
        parent = self.object_of(collections[0])
        for field in (PARENT_FIELDS.get((made["object"], parent)), parent.rpartition(".")[2], "_parent"):
            if field and made.get(field):
                inner = made[field]
                return [inner if isinstance(inner, str) else inner["id"], made["id"]]
        raise CannotMake(f"{made['object']} does not say which {parent} it belongs to")

    def object_of(self, collection: str) -> str:
        """The kind of object that a collection's path holds."""
        collection = collection.replace("/test_helpers/", "/")
        if collection in COLLECTIONS:
            return COLLECTIONS[collection]
        for name in (
            f"GET {collection}/{{}}",
            f"POST {collection}/{{}}",
            f"DELETE {collection}/{{}}",
            f"POST {collection}",
        ):
            if name in self.endpoints:
                resource, endpoint = self.endpoints[name]
                return endpoint.object or resource.object
        raise CannotMake(f"nobody knows what {collection} holds")

    def _collection(self, object: str) -> str:
        resource = self.catalogue.by_object.get(object)
        for endpoint in resource.endpoints if resource else ():
            if endpoint.method == "POST" and "{" not in endpoint.path:
                return endpoint.path
        raise CannotMake(f"no endpoint makes a {object}")


def _collections(path: str) -> list[str]:
    return [path[: match.start()].rstrip("/") for match in re.finditer(r"\{\w+\}", path)]


Body = Json | Callable[[Maker], Json]

#: Collections whose name does not say what they hold.
COLLECTIONS = {
    "/v1/customers/{}/sources": "card",
    "/v1/customers/{}/cards": "card",
    "/v1/customers/{}/bank_accounts": "bank_account",
    "/v1/customers/{}/subscriptions": "subscription",
    "/v1/accounts/{}/external_accounts": "external_account",
    "/v1/accounts/{}/bank_accounts": "external_account",
    "/v1/accounts/{}/people": "person",
    "/v1/balance/history": "balance_transaction",
    "/v1/application_fees/{}/refunds": "fee_refund",
    "/v1/transfers/{}/reversals": "transfer_reversal",
    "/v1/charges/{}/refunds": "refund",
    "/v1/customers/{}/payment_methods": "payment_method",
    "/v1/customers": "customer",
    "/v1/test_clocks": "test_helpers.test_clock",
    "/v1/invoices/{}/lines": "line_item",
    "/v1/exchange_rates": "exchange_rate",
    "/v1/reporting/report_types": "reporting.report_type",
}

#: (object, what it hangs on) -> the field that names it, where it is not the parent's own name.
PARENT_FIELDS = {
    ("fee_refund", "application_fee"): "fee",
    ("bank_account", "account"): "account",
    ("line_item", "invoice"): "invoice",
}


def _attached(m: Maker) -> Json:
    made = m.post("/v1/payment_methods", type="card", card=CARD)
    return m.post(f"/v1/payment_methods/{made['id']}/attach", customer=m.post("/v1/customers")["id"])


def _customer_with_card(m: Maker) -> Json:
    pm = _attached(m)
    return m.post(
        f"/v1/customers/{pm['customer']}",
        email="jenny@example.com",
        invoice_settings={"default_payment_method": pm["id"]},
    )


def _customer_source(m: Maker, source: str) -> Json:
    customer = m.post("/v1/customers")["id"]
    return m.post(f"/v1/customers/{customer}/sources", source=source)


def _bank_account(m: Maker) -> Json:
    return _customer_source(m, "btok_us_verified")


def _charge(m: Maker, **params: Any) -> Json:
    return m.post("/v1/charges", **{"amount": 2000, "currency": "usd", "source": "tok_visa", **params})


def _disputed(m: Maker) -> Json:
    _charge(m, source="tok_createDispute")
    m.api.advance(1)
    return _first(m, "/v1/disputes")


def _first(m: Maker, path: str, **params: Any) -> Json:
    found = m.get(path, **params)["data"]
    if not found:
        raise CannotMake(f"GET {path} lists nothing")
    made: Json = found[0]
    return made


def _funded(m: Maker) -> Json:
    return _charge(m, amount=500_000, source="tok_bypassPending")


def _account(m: Maker, **more: Any) -> Json:
    return m.post("/v1/accounts", **{**m.body("POST /v1/accounts"), **more})


def _enabled_account(m: Maker, **more: Any) -> Json:
    return _account(
        m,
        **more,
        business_type="individual",
        business_profile={"mcc": "5734", "url": "https://accessible.stripe.com", "product_description": "Things"},
        external_account={"object": "bank_account", **{k: v for k,
        v in BANK.items() if not k.startswith("account_holder")}},
        individual={
            "first_name": "Jenny", "last_name": "Rosen", "email": "jenny@example.com", "phone": "0000000000",
            "id_number": "000000000",
            "ssn_last_4": "0000", "dob": {"day": 1, "month": 1, "year": 1901},
            "address": {"line1": "address_full_match", "city": "Colma", "state": "CA", "postal_code": "94080",
            "country": "US"},
        },
        **({"tos_acceptance": {"date": m.api.now, "ip": "8.8.8.8"}} if "type" not in more else {}),
    )  # fmt: skip


def _transfer(m: Maker, **more: Any) -> Json:
    _funded(m)
    return m.post("/v1/transfers", amount=1000, currency="usd", destination=_enabled_account(m)["id"], **more)


def _application_fee(m: Maker) -> Json:
    _charge(m, application_fee_amount=100, transfer_data={"destination": _enabled_account(m)["id"]})
    return _first(m, "/v1/application_fees")


def _in_account(path: str, **params: Any) -> Callable[[Maker], Json]:
    """Something that hangs on a connected account; it may not say so itself."""

    def make(m: Maker) -> Json:
        account = _account(m)["id"]
        made = (
            m.post(f"/v1/accounts/{account}/{path}", **params)
            if path != "capabilities"
            else _first(m, f"/v1/accounts/{account}/{path}")
        )
        return {**made, "_parent": account}

    return make


def _intent(m: Maker, **params: Any) -> Json:
    return m.post(
        "/v1/payment_intents", **{"amount": 2000, "currency": "usd", "payment_method_types": ["card"], **params}
    )


def paid_intent(m: Maker, **params: Any) -> Json:
    return _intent(m, payment_method="pm_card_visa", confirm=True, **params)


def _setup(m: Maker, **params: Any) -> Json:
    return m.post("/v1/setup_intents", **{"payment_method_types": ["card"], **params})


def _recurring(m: Maker, **more: Any) -> str:
    monthly = {
        "currency": "usd",
        "unit_amount": 1500,
        "recurring": {"interval": "month"},
        "product_data": {"name": "Gold"},
    }
    found: str = m.post("/v1/prices", **{**monthly, **more})["id"]
    return found


def _one_time(m: Maker) -> str:
    found: str = m.post("/v1/prices", currency="usd", unit_amount=2500, product_data={"name": "Hat"})["id"]
    return found


def _subscription(m: Maker, **more: Any) -> Json:
    return m.post("/v1/subscriptions", customer=_customer_with_card(m)["id"], items=[{"price": _recurring(m)}], **more)


def _draft(m: Maker, **more: Any) -> Json:
    customer = _customer_with_card(m)["id"]
    m.post("/v1/invoiceitems", customer=customer, amount=1200, currency="usd")
    return m.post(
        "/v1/invoices", customer=customer, pending_invoice_items_behavior="include", auto_advance=False, **more
    )


def open_invoice(m: Maker, **more: Any) -> Json:
    return m.post(f"/v1/invoices/{_draft(m, **more)['id']}/finalize")


def paid_invoice(m: Maker) -> Json:
    return m.post(f"/v1/invoices/{open_invoice(m)['id']}/pay")


def _quote(m: Maker, final: bool = False) -> Json:
    made = m.post(
        "/v1/quotes", customer=_customer_with_card(m)["id"], line_items=[{"price": _recurring(m), "quantity": 1}]
    )
    return m.post(f"/v1/quotes/{made['id']}/finalize") if final else made


def _checkout(m: Maker, **more: Any) -> Json:
    return m.post(
        "/v1/checkout/sessions",
        mode="payment",
        success_url=HOME,
        line_items=[{"price": _one_time(m), "quantity": 1}],
        **more,
    )


def _line_item(m: Maker) -> Json:
    invoice = _draft(m)
    return {**_first(m, f"/v1/invoices/{invoice['id']}/lines"), "invoice": invoice["id"]}


def _discounted(m: Maker) -> str:
    coupon = m.post("/v1/coupons", percent_off=25, duration="forever")["id"]
    found: str = m.post("/v1/customers", coupon=coupon)["id"]
    return found


def _schedule(m: Maker) -> Json:
    return m.post("/v1/subscription_schedules", from_subscription=_subscription(m)["id"])


def _event(m: Maker) -> Json:
    m.post("/v1/customers")
    return _first(m, "/v1/events")


def _heard_event(m: Maker) -> list[str]:
    """An event that an enabled webhook endpoint hears of."""
    m.post("/v1/webhook_endpoints", url="https://example.com/hook", enabled_events=["*"])
    return [_event(m)["id"]]


def _tax_id(m: Maker) -> Json:
    customer = m.post("/v1/customers")["id"]
    return m.post(f"/v1/customers/{customer}/tax_ids", type="eu_vat", value="DE123456789")


def _cash(m: Maker) -> Json:
    customer = m.post("/v1/customers")["id"]
    return m.post(f"/v1/customers/{customer}/balance_transactions", amount=-500, currency="usd")


def _cash_movement(m: Maker) -> Json:
    customer = m.post("/v1/customers")["id"]
    m.post(f"/v1/test_helpers/customers/{customer}/fund_cash_balance", amount=100, currency="usd")
    return _first(m, f"/v1/customers/{customer}/cash_balance_transactions")


def _upload(m: Maker) -> Json:
    boundary = "part"
    lines = [
        f"--{boundary}", 'Content-Disposition: form-data; name="purpose"', "", "dispute_evidence",
        f"--{boundary}", 'Content-Disposition: form-data; name="file"; filename="a.png"', "Content-Type: image/png", "",
        "\x89PNG\r\n\x1a\n", f"--{boundary}--", "",
    ]  # fmt: skip
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}", **(m.headers or {})}
    answer = m.api.send("POST", "/v1/files", headers=headers, body="\r\n".join(lines).encode("latin-1"))
    if answer.status != 200:
        raise CannotMake(f"POST /v1/files: {answer.status} {answer.body!r}")
    return answer


def _issued(m: Maker) -> Json:
    """A card that is issued and may spend."""
    m.post("/v1/test_helpers/issuing/fund_balance", amount=100_000, currency="usd")
    return m.post("/v1/issuing/cards", **m.body("POST /v1/issuing/cards"))


def _authorized(m: Maker, **more: Any) -> Json:
    return m.post("/v1/test_helpers/issuing/authorizations", card=_issued(m)["id"], amount=500, **more)


def _asked(m: Maker) -> str:
    """An authorization that waits for its answer."""
    path = f"/v1/issuing/cards/{_issued(m)['id']}/test/authorizations"
    found: str = m.post(path, **m.body("POST /v1/issuing/cards/{}/test/authorizations"))["id"]
    return found


def _in_person(m: Maker) -> str:
    """An intent that a card reader can take."""
    found: str = m.post("/v1/payment_intents", amount=500, currency="usd", payment_method_types=["card_present"])["id"]
    return found


def _busy_reader(m: Maker) -> str:
    """A reader that waits for a card."""
    id: str = m.post("/v1/terminal/readers", registration_code="simulated-wpe")["id"]
    m.post(f"/v1/terminal/readers/{id}/process_payment_intent", payment_intent=_in_person(m))
    return id


def _issuing_dispute(m: Maker) -> Json:
    spent = m.make("issuing.transaction")["id"]
    evidence = {"reason": "fraudulent", "fraudulent": {"explanation": "Stolen"}}
    return m.post("/v1/issuing/disputes", transaction=spent, evidence=evidence)


def _metered(m: Maker) -> str:
    """An item whose use is counted by records, as plans were metered before meters."""
    plan = m.post(
        "/v1/plans", amount=10, currency="usd", interval="month", usage_type="metered", product={"name": "Calls"}
    )["id"]
    made = m.post("/v1/subscriptions", customer=_customer_with_card(m)["id"], items=[{"plan": plan}])
    found: str = made["items"]["data"][0]["id"]
    return found


def _product_feature(m: Maker, product: str | None = None) -> Json:
    product = product or m.make("product")["id"]
    made = m.post(f"/v1/products/{product}/features", entitlement_feature=m.make("entitlements.feature")["id"])
    return {**made, "_parent": product}


def _entitled(m: Maker) -> Json:
    """What a customer may use who is subscribed to a product with a feature."""
    product = m.make("product")["id"]
    _product_feature(m, product)
    price = m.post("/v1/prices", currency="usd", unit_amount=1500, recurring={"interval": "month"}, product=product)[
        "id"
    ]
    customer = _customer_with_card(m)["id"]
    m.post("/v1/subscriptions", customer=customer, items=[{"price": price}])
    return {**_first(m, "/v1/entitlements/active_entitlements", customer=customer), "_customer": customer}


def _reported(m: Maker, **more: Any) -> Json:
    """A payment of another processor."""
    return m.post("/v1/payment_records/report_payment", **m.body("POST /v1/payment_records/report_payment"), **more)


#: What cannot be made by one POST to its collection.
MAKERS: dict[str, Callable[[Maker], Json]] = {
    "application_fee": _application_fee,
    "balance_transaction": lambda m: {**m.get(f"/v1/balance_transactions/{_charge(m)['balance_transaction']}")},
    "bank_account": _bank_account,
    "capability": _in_account("capabilities"),
    "card": lambda m: _customer_source(m, "tok_visa"),
    "credit_note": lambda m: m.post("/v1/credit_notes", invoice=open_invoice(m)["id"], amount=100),
    "customer_balance_transaction": _cash,
    "dispute": _disputed,
    "event": _event,
    "external_account": _in_account(
        "external_accounts",
        external_account={
            "object": "bank_account",
            **{k: v for k, v in BANK.items() if not k.startswith("account_holder")},
        },
    ),
    "fee_refund": lambda m: m.post(f"/v1/application_fees/{_application_fee(m)['id']}/refunds", amount=10),
    "file": _upload,
    "product_feature": _product_feature,
    "payment_record": lambda m: _reported(m),
    "payment_attempt_record": lambda m: m.get(
        f"/v1/payment_attempt_records/{_reported(m)['latest_payment_attempt_record']}"
    ),
    "entitlements.active_entitlement": _entitled,
    "billing.credit_balance_transaction": lambda m: (
        m.make("billing.credit_grant"),
        _first(m, "/v1/billing/credit_balance_transactions"),
    )[1],
    "identity.verification_report": lambda m: _verified(m),
    "invoice": _draft,
    "invoice_payment": lambda m: _first(m, "/v1/invoice_payments", invoice=open_invoice(m)["id"]),
    "country_spec": lambda m: {"id": "US"},
    "exchange_rate": lambda m: {"id": "usd"},
    "climate.product": lambda m: {"id": "climsku_frontier_offtake_portfolio_2027"},
    "climate.supplier": lambda m: {"id": "climsup_heirloom"},
    "reporting.report_type": lambda m: {"id": "balance.summary.1"},
    "issuing.authorization": _authorized,
    "issuing.card": _issued,
    "issuing.dispute": _issuing_dispute,
    "issuing.transaction": lambda m: m.post(
        "/v1/test_helpers/issuing/transactions/create_force_capture", card=_issued(m)["id"], amount=500, currency="usd"
    ),
    "line_item": _line_item,
    "mandate": lambda m: {"id": _mandate(m), "object": "mandate"},
    "payment_method": _attached,
    "payment_intent": _intent,
    "payout": lambda m: (_funded(m), m.post("/v1/payouts", amount=100, currency="usd"))[1],
    "person": _in_account("persons", first_name="Jane", last_name="Diaz"),
    "quote": _quote,
    "radar.early_fraud_warning": lambda m: (_charge(m, source=_token(m, "4000000000005423")), _warning(m))[1],
    "refund": lambda m: m.post("/v1/refunds", charge=_charge(m)["id"], amount=100),
    "review": lambda m: (_charge(m, source="tok_riskLevelElevated"), m.api.advance(1), _first(m, "/v1/reviews"))[2],
    "setup_intent": _setup,
    "subscription": _subscription,
    "subscription_schedule": _schedule,
    "tax_id": _tax_id,
    "customer_cash_balance_transaction": lambda m: _cash_movement(m),
    "cash_balance": lambda m: {"id": m.id("customer")},
    "test_helpers.test_clock": lambda m: m.post("/v1/test_helpers/test_clocks", frozen_time=m.api.now),
    "transfer": _transfer,
    "transfer_reversal": lambda m: m.post(f"/v1/transfers/{_transfer(m)['id']}/reversals", amount=10),
    "checkout.session": _checkout,
    "subscription_item": lambda m: _subscription(m)["items"]["data"][0],
    "radar.value_list_item": lambda m: m.post(
        "/v1/radar/value_list_items", value_list=m.make("radar.value_list")["id"], value="1.2.3.4"
    ),
    "discount": lambda m: {"id": "x", "object": "discount"},
}


def _token(m: Maker, number: str) -> str:
    found: str = m.post("/v1/tokens", card={**CARD, "number": number})["id"]
    return found


def _warning(m: Maker) -> Json:
    m.api.advance(1)
    return _first(m, "/v1/radar/early_fraud_warnings")


def _mandate(m: Maker) -> str:
    done = _setup(
        m, payment_method="pm_card_visa", confirm=True, usage="off_session",
        mandate_data={"customer_acceptance": {"type": "online", "online": {"ip_address": "1.2.3.4",
        "user_agent": "x"}}},
    )  # fmt: skip
    if not done.get("mandate"):
        raise CannotMake("the setup intent has no mandate")
    found: str = done["mandate"]
    return found


def _verified(m: Maker) -> Json:
    made = m.make("identity.verification_session")
    m.api.post(re.sub(r"^https?://[^/]+", "", made["url"]), key=None, outcome="verified")
    m.api.advance(60)
    return _first(m, "/v1/identity/verification_reports", verification_session=made["id"])


META = {"metadata": {"order": "6735"}}

#: Parameters of endpoints; what is not here is sent without any.
BODIES: dict[str, Body] = {
    "POST /v1/accounts": lambda m: {
        "type": "custom", "country": "US", "email": f"a{m.next()}@example.com",
        "capabilities": {"card_payments": {"requested": True}, "transfers": {"requested": True}},
    },
    "POST /v1/accounts/{}": META,
    "POST /v1/accounts/{}/reject": {"reason": "fraud"},
    "POST /v1/accounts/{}/capabilities/{}": {"requested": True},
    "POST /v1/accounts/{}/persons": {"first_name": "Jane"},
    "POST /v1/accounts/{}/people": {"first_name": "Jane"},
    "POST /v1/accounts/{}/persons/{}": {"last_name": "Rosen"},
    "POST /v1/accounts/{}/people/{}": {"last_name": "Rosen"},
    "POST /v1/accounts/{}/external_accounts": {"external_account": "btok_us_verified"},
    "POST /v1/accounts/{}/bank_accounts": {"external_account": "btok_us_verified"},
    "POST /v1/accounts/{}/external_accounts/{}": META,
    "POST /v1/accounts/{}/bank_accounts/{}": META,
    "POST /v1/account_links": lambda m: {
        "account": m.id("account"), "refresh_url": HOME, "return_url": HOME, "type": "account_onboarding"},
    "POST /v1/account_sessions": lambda m: {"account": m.id("account"), "components": {"payments": {"enabled": True}}},
    "POST /v1/api_keys": {"type": "restricted", "permissions": ["customer_read"], "name": "For a test"},
    "POST /v1/api_keys/{}": {"name": "Renamed"},
    "POST /v1/application_fees/{}/refunds": {"amount": 5},
    "POST /v1/application_fees/{}/refunds/{}": META,
    "POST /v1/apple_pay/domains": lambda m: {"domain_name": f"shop{m.next()}.example.com"},
    "POST /v1/apps/secrets": lambda m: {"name": f"key_{m.next()}", "payload": "hush", "scope": {"type": "account"}},
    "GET /v1/apps/secrets": {"scope": {"type": "account"}},
    "GET /v1/apps/secrets/find": lambda m: {"name": m.make("apps.secret")["name"], "scope": {"type": "account"}},
    "POST /v1/apps/secrets/delete": lambda m: {"name": m.make("apps.secret")["name"], "scope": {"type": "account"}},
    "POST /v1/billing/alerts": lambda m: {
        "alert_type": "usage_threshold", "title": "Much",
        "usage_threshold": {"gte": 100, "meter": m.make("billing.meter")["id"], "recurrence": "one_time"}},
    "POST /v1/billing/credit_grants": lambda m: {
        "customer": m.id("customer"), "amount": {"type": "monetary", "monetary": {"value": 500, "currency": "usd"}},
        "applicability_config": {"scope": {"price_type": "metered"}}},
    "POST /v1/billing/credit_grants/{}": META,
    "GET /v1/billing/credit_balance_summary": lambda m: {
        "customer": m.make("billing.credit_grant")["customer"],
        "filter": {"type": "applicability_scope", "applicability_scope": {"price_type": "metered"}}},
    "POST /v1/billing/meter_event_adjustments": lambda m: {
        "event_name": m.shared("billing.meter")["event_name"], "type": "cancel",
        "cancel": {"identifier": _meter_event(m)}},
    "POST /v1/billing/meter_events": lambda m: {
        "event_name": m.shared("billing.meter")["event_name"], "identifier": f"id{m.next()}",
        "payload": {"stripe_customer_id": m.id("customer"), "value": "5"}},
    "POST /v1/billing/meters": lambda m: {
        "display_name": "Calls", "event_name": f"calls_{m.next()}", "default_aggregation": {"formula": "sum"},
        "customer_mapping": {"type": "by_id", "event_payload_key": "stripe_customer_id"},
        "value_settings": {"event_payload_key": "value"}},
    "POST /v1/billing/meters/{}": {"display_name": "More calls"},
    "GET /v1/billing/meters/{}/event_summaries": lambda m: {
        "customer": m.id("customer"), "start_time": m.api.now - m.api.now % 60 - 3600,
        "end_time": m.api.now - m.api.now % 60},
    "POST /v1/billing_portal/sessions": lambda m: {"customer": m.id("customer"), "return_url": HOME},
    "POST /v1/billing_portal/configurations": {"features": {"invoice_history": {"enabled": True}}},
    "POST /v1/charges": {"amount": 2000, "currency": "usd", "source": "tok_visa"},
    "POST /v1/charges/{}": META,
    "POST /v1/checkout/sessions": lambda m: {
        "mode": "payment", "success_url": HOME, "line_items": [{"price": _one_time(m), "quantity": 1}]},
    "POST /v1/confirmation_tokens": {"payment_method": "pm_card_visa"},
    "POST /v1/test_helpers/confirmation_tokens": {"payment_method": "pm_card_visa"},
    "POST /v1/coupons": {"percent_off": 25, "duration": "once"},
    "POST /v1/coupons/{}": META,
    "POST /v1/climate/orders": lambda m: (
        _funded(m), {"product": "climsku_frontier_offtake_portfolio_2027", "metric_tons": "0.01"})[1],
    "POST /v1/climate/orders/{}": META,
    "POST /v1/credit_notes": lambda m: {"invoice": open_invoice(m)["id"], "amount": 100},
    "POST /v1/credit_notes/{}": META,
    "GET /v1/credit_notes/preview": lambda m: {"invoice": open_invoice(m)["id"], "amount": 100},
    "GET /v1/credit_notes/preview/lines": lambda m: {"invoice": open_invoice(m)["id"], "amount": 100},
    "POST /v1/customer_sessions": lambda m: {"customer": m.id("customer"),
    "components": {"pricing_table": {"enabled": True}}},
    "POST /v1/customers": {"email": "jenny@example.com", "name": "Jenny"},
    "POST /v1/customers/{}": META,
    "POST /v1/customers/{}/balance_transactions": {"amount": -500, "currency": "usd"},
    "POST /v1/customers/{}/balance_transactions/{}": META,
    "POST /v1/customers/{}/cash_balance": {"settings": {"reconciliation_mode": "manual"}},
    "POST /v1/customers/{}/funding_instructions": {
        "bank_transfer": {"type": "eu_bank_transfer", "eu_bank_transfer": {"country": "DE"}}, "currency": "eur",
        "funding_type": "bank_transfer"},
    "POST /v1/test_helpers/customers/{}/fund_cash_balance": {"amount": 100, "currency": "usd"},
    "POST /v1/customers/{}/sources": {"source": "tok_visa"},
    "POST /v1/customers/{}/cards": {"source": "tok_visa"},
    "POST /v1/customers/{}/bank_accounts": {"source": "btok_us_verified"},
    "POST /v1/customers/{}/sources/{}": META,
    "POST /v1/customers/{}/cards/{}": META,
    "POST /v1/customers/{}/bank_accounts/{}": META,
    "POST /v1/customers/{}/sources/{}/verify": {"amounts": [32, 45]},
    "POST /v1/customers/{}/bank_accounts/{}/verify": {"amounts": [32, 45]},
    "POST /v1/customers/{}/subscriptions": lambda m: {"items": [{"price": _recurring(m)}]},
    "POST /v1/customers/{}/subscriptions/{}": META,
    "POST /v1/customers/{}/tax_ids": {"type": "eu_vat", "value": "DE123456789"},
    "GET /v1/customers/search": {"query": "email:'jenny@example.com'"},
    "GET /v1/charges/search": {"query": "amount>100"},
    "GET /v1/payment_intents/search": {"query": "status:'succeeded'"},
    "GET /v1/prices/search": {"query": "active:'true'"},
    "GET /v1/products/search": {"query": "active:'true'"},
    "GET /v1/invoices/search": {"query": "status:'open'"},
    "GET /v1/subscriptions/search": {"query": "status:'active'"},
    "POST /v1/disputes/{}": META,
    "POST /v1/charges/{}/dispute": META,
    "POST /v1/ephemeral_keys": lambda m: {"customer": m.id("customer")},
    "POST /v1/file_links": lambda m: {"file": m.id("file")},
    "POST /v1/file_links/{}": META,
    "POST /v1/identity/verification_sessions": {"type": "document"},
    "POST /v1/identity/verification_sessions/{}": META,
    "POST /v1/invoiceitems": lambda m: {"customer": m.id("customer"), "amount": 1200, "currency": "usd"},
    "POST /v1/invoiceitems/{}": META,
    "POST /v1/invoices": lambda m: {"customer": m.id("customer")},
    "POST /v1/invoices/{}": META,
    "POST /v1/invoices/create_preview": lambda m: {"customer": _subscription(m)["customer"]},
    "GET /v1/invoices/upcoming": lambda m: {"customer": _subscription(m)["customer"]},
    "GET /v1/invoices/upcoming/lines": lambda m: {"customer": _subscription(m)["customer"]},
    "POST /v1/invoices/{}/add_lines": {"lines": [{"amount": 100, "description": "More"}]},
    "POST /v1/invoices/{}/lines/{}": {"description": "Changed"},
    "POST /v1/invoices/{}/remove_lines": lambda m: {"lines": [{"id": m.held.get("line") or m.id("line_item"),
    "behavior": "delete"}]},
    "POST /v1/invoices/{}/update_lines": lambda m: {"lines": [{"id": m.held.get("line") or m.id("line_item"),
    "description": "Changed"}]},
    "POST /v1/invoices/{}/attach_payment": lambda m: {"payment_intent": paid_intent(m)["id"]},
    "POST /v1/issuing/authorizations/{}": META,
    "POST /v1/issuing/cardholders": {
        "name": "Jenny Rosen", "type": "individual", "email": "jenny@example.com", "phone_number": "+18008675309",
        "individual": {"first_name": "Jenny", "last_name": "Rosen", "dob": {"day": 1, "month": 11, "year": 1981},
                       "card_issuing": {"user_terms_acceptance": {"date": 1_767_225_000, "ip": "8.8.8.8"}}},
        "billing": {"address": {"line1": "1 Main Street", "city": "Colma", "state": "CA", "postal_code": "94111",
        "country": "US"}}},
    "POST /v1/issuing/cardholders/{}": META,
    "POST /v1/issuing/cards": lambda m: {
        "cardholder": m.id("issuing.cardholder"), "currency": "usd", "type": "virtual", "status": "active"},
    "POST /v1/issuing/cards/{}": META,
    "POST /v1/issuing/disputes": lambda m: {
        "transaction": m.make("issuing.transaction")["id"],
        "evidence": {"reason": "fraudulent", "fraudulent": {"explanation": "Stolen"}}},
    "POST /v1/issuing/disputes/{}": META,
    "POST /v1/issuing/transactions/{}": META,
    "POST /v1/issuing/cards/{}/test/authorizations": {"held_amount": 100, "authorization_method": "online"},
    "POST /v1/test_helpers/issuing/authorizations": lambda m: {"card": _issued(m)["id"], "amount": 500},
    "POST /v1/test_helpers/issuing/authorizations/{}/increment": {"increment_amount": 100},
    "POST /v1/test_helpers/issuing/authorizations/{}/finalize_amount": {"final_amount": 400},
    "POST /v1/test_helpers/issuing/fund_balance": {"amount": 1000, "currency": "usd"},
    "POST /v1/test_helpers/issuing/transactions/create_force_capture": lambda m: {
        "card": _issued(m)["id"], "amount": 500, "currency": "usd"},
    "POST /v1/test_helpers/issuing/transactions/create_unlinked_refund": lambda m: {
        "card": _issued(m)["id"], "amount": 500, "currency": "usd"},
    "POST /v1/payment_intents": {"amount": 2000, "currency": "usd", "payment_method_types": ["card"]},
    "POST /v1/payment_intents/{}": META,
    "POST /v1/payment_intents/{}/confirm": {"payment_method": "pm_card_visa"},
    "POST /v1/payment_intents/{}/increment_authorization": {"amount": 3000},
    "POST /v1/payment_intents/{}/verify_microdeposits": {"amounts": [32, 45]},
    "POST /v1/payment_links": lambda m: {"line_items": [{"price": _one_time(m), "quantity": 1}]},
    "POST /v1/payment_links/{}": META,
    "POST /v1/payment_method_configurations": {"name": "Mine"},
    "POST /v1/payment_method_configurations/{}": {"name": "Ours"},
    "POST /v1/payment_method_domains": lambda m: {"domain_name": f"shop{m.next()}.example.com"},
    "POST /v1/payment_method_domains/{}": {"enabled": False},
    "POST /v1/payment_methods": {"type": "card", "card": CARD},
    "POST /v1/payment_methods/{}": META,
    "POST /v1/payment_methods/{}/attach": lambda m: {"customer": m.id("customer")},
    "GET /v1/payment_methods": lambda m: {"customer": m.id("customer"), "type": "card"},
    "POST /v1/payouts": lambda m: (_funded(m), {"amount": 100, "currency": "usd"})[1],
    "POST /v1/payouts/{}": META,
    "POST /v1/plans": {"amount": 1000, "currency": "usd", "interval": "month", "product": {"name": "Gold"}},
    "POST /v1/plans/{}": META,
    "POST /v1/prices": {"currency": "usd", "unit_amount": 1000, "product_data": {"name": "Gold"}},
    "POST /v1/prices/{}": META,
    "POST /v1/payment_records/report_payment": lambda m: {
        "amount_requested": {"value": 1000, "currency": "usd"}, "initiated_at": m.api.now,
        "payment_method_details": {"type": "custom", "custom": {"display_name": "Wallet"}}},
    "POST /v1/payment_records/{}/report_payment_attempt": lambda m: {"initiated_at": m.api.now},
    "POST /v1/payment_records/{}/report_payment_attempt_canceled": lambda m: {"canceled_at": m.api.now},
    "POST /v1/payment_records/{}/report_payment_attempt_failed": lambda m: {"failed_at": m.api.now},
    "POST /v1/payment_records/{}/report_payment_attempt_guaranteed": lambda m: {"guaranteed_at": m.api.now},
    "POST /v1/payment_records/{}/report_payment_attempt_informational": {"description": "Hat"},
    "POST /v1/payment_records/{}/report_refund": lambda m: {
        "outcome": "refunded", "refunded": {"refunded_at": m.api.now},
        "processor_details": {"type": "custom", "custom": {"refund_reference": "r1"}}},
    "GET /v1/payment_attempt_records": lambda m: {"payment_record": m.make("payment_record")["id"]},
    "POST /v1/products": {"name": "Gold"},
    "POST /v1/products/{}/features": lambda m: {"entitlement_feature": m.make("entitlements.feature")["id"]},
    "POST /v1/entitlements/features": lambda m: {"name": "Chat", "lookup_key": f"chat_{m.next()}"},
    "POST /v1/entitlements/features/{}": META,
    "GET /v1/entitlements/active_entitlements": lambda m: {
        "customer": m.make("entitlements.active_entitlement")["_customer"]},
    "POST /v1/products/{}": META,
    "POST /v1/promotion_codes": lambda m: {"promotion": {"type": "coupon", "coupon": m.id("coupon")}},
    "POST /v1/promotion_codes/{}": META,
    "POST /v1/quotes": lambda m: {"customer": m.id("customer"), "line_items": [{"price": _recurring(m),
    "quantity": 1}]},
    "POST /v1/quotes/{}": META,
    "POST /v1/radar/value_lists": lambda m: {"alias": f"list_{m.next()}", "name": "Bad ones",
    "item_type": "ip_address"},
    "POST /v1/radar/value_lists/{}": META,
    "POST /v1/radar/value_list_items": lambda m: {"value_list": m.make("radar.value_list")["id"], "value": "1.2.3.4"},
    "GET /v1/radar/value_list_items": lambda m: {"value_list": m.id("radar.value_list")},
    "POST /v1/refunds": lambda m: {"charge": _charge(m)["id"]},
    "POST /v1/refunds/{}": META,
    "POST /v1/charges/{}/refunds/{}": META,
    "POST /v1/reporting/report_runs": {
        "report_type": "balance.summary.1", "parameters": {"interval_start": 1_764_547_200,
        "interval_end": 1_767_139_200}},
    "POST /v1/setup_intents": {"payment_method_types": ["card"]},
    "POST /v1/setup_intents/{}": META,
    "POST /v1/setup_intents/{}/confirm": {"payment_method": "pm_card_visa"},
    "POST /v1/setup_intents/{}/verify_microdeposits": {"amounts": [32, 45]},
    "GET /v1/setup_attempts": lambda m: {"setup_intent": m.id("setup_intent")},
    "POST /v1/shipping_rates": {
        "display_name": "Ground", "type": "fixed_amount", "fixed_amount": {"amount": 500, "currency": "usd"}},
    "POST /v1/shipping_rates/{}": META,
    "POST /v1/sources": {"type": "ach_credit_transfer", "currency": "usd", "owner": {"email": "jenny@example.com"}},
    "POST /v1/sources/{}": META,
    "POST /v1/sources/{}/verify": {"values": ["32", "45"]},
    "POST /v1/stripecli/key_permissions": {"endpoints": ["GET /v1/customers"]},
    "POST /v1/subscriptions": lambda m: {"customer": _customer_with_card(m)["id"], "items": [{"price": _recurring(m)}]},
    "POST /v1/subscriptions/{}": META,
    "POST /v1/subscriptions/{}/migrate": {"billing_mode": {"type": "flexible"}},
    "POST /v1/subscriptions/{}/resume": {"billing_cycle_anchor": "now"},
    "POST /v1/subscription_items": lambda m: {"subscription": _subscription(m)["id"], "price": _recurring(m)},
    "POST /v1/subscription_items/{}": META,
    "POST /v1/subscription_items/{}/usage_records": lambda m: {"quantity": 5, "timestamp": m.api.now},
    "GET /v1/subscription_items": lambda m: {"subscription": _subscription(m)["id"]},
    "POST /v1/subscription_schedules": lambda m: {"from_subscription": _subscription(m)["id"]},
    "POST /v1/subscription_schedules/{}": META,
    "GET /v1/tax/associations/find": lambda m: {"payment_intent": _with_tax(m)},
    "POST /v1/tax/calculations": {
        "currency": "usd", "line_items": [{"amount": 1000, "reference": "L1"}],
        "customer_details": {"address": {"country": "US", "postal_code": "98109", "state": "WA"},
        "address_source": "shipping"}},
    "POST /v1/tax/registrations": {
        "active_from": "now", "country": "US", "country_options": {"us": {"state": "WA", "type": "state_sales_tax"}}},
    "POST /v1/tax/registrations/{}": {"expires_at": "now"},
    "POST /v1/tax/settings": {"defaults": {"tax_code": "txcd_10000000"}},
    "POST /v1/tax/transactions/create_from_calculation": lambda m: {
        "calculation": m.make("tax.calculation")["id"], "reference": f"order_{m.next()}"},
    "POST /v1/tax/transactions/create_reversal": lambda m: {
        "mode": "full", "original_transaction": m.make("tax.transaction")["id"], "reference": f"order_{m.next()}"},
    "POST /v1/tax_ids": {"type": "eu_vat", "value": "DE123456789"},
    "POST /v1/tax_rates": {"display_name": "VAT", "percentage": 19, "inclusive": False},
    "POST /v1/tax_rates/{}": META,
    "POST /v1/payment_pages/{}/confirm": {"payment_method": "pm_card_visa"},
    "POST /v1/terminal/configurations": {"name": "Tips"},
    "POST /v1/terminal/configurations/{}": {"name": "More tips"},
    "POST /v1/terminal/locations": {"display_name": "Shop", "address": {
        "line1": "1 Main St", "city": "San Francisco", "state": "CA", "country": "US", "postal_code": "94111"}},
    "POST /v1/terminal/locations/{}": META,
    "POST /v1/terminal/readers": {"registration_code": "simulated-wpe"},
    "POST /v1/terminal/readers/{}": META,
    "POST /v1/terminal/readers/{}/process_payment_intent": lambda m: {"payment_intent": _in_person(m)},
    "POST /v1/test_helpers/test_clocks": lambda m: {"frozen_time": m.api.now},
    "POST /v1/test_helpers/test_clocks/{}/advance": lambda m: {"frozen_time": m.api.now + 3600},
    "POST /v1/tokens": {"card": CARD},
    "POST /v1/topups": {"amount": 1000, "currency": "usd", "description": "More", "source": "btok_us_verified"},
    "POST /v1/topups/{}": META,
    "POST /v1/transfers": lambda m: (
        _funded(m), {"amount": 1000, "currency": "usd", "destination": _enabled_account(m)["id"]})[1],
    "POST /v1/transfers/{}": META,
    "POST /v1/transfers/{}/reversals": {"amount": 10},
    "POST /v1/transfers/{}/reversals/{}": META,
    "POST /v1/webhook_endpoints": {"url": "https://example.com/hook", "enabled_events": ["*"]},
    "POST /v1/webhook_endpoints/{}": META,
    "POST /v1/credit_notes/{}/void": {},
    "POST /v1/quotes/{}/finalize": {},
}  # fmt: skip


def _meter_event(m: Maker) -> str:
    found: str = m.post("/v1/billing/meter_events", **m.body("POST /v1/billing/meter_events"))["identifier"]
    return found


def _key(m: Maker) -> str:
    found: str = m.make("api_key")["id"]
    return found


def _rolled(m: Maker) -> list[str]:
    id = _key(m)
    m.post(f"/v1/api_keys/{id}/roll", expires_in="in_24_hours")
    return [id]


def _held_card(m: Maker) -> list[str]:
    return [_charge(m, capture=False)["id"]]


#: What stands in the braces, where the object has to be in a state of its own.
PLANS: dict[str, Callable[[Maker], list[str]]] = {
    "POST /v1/payment_records/{}/report_payment_attempt": lambda m: [
        _reported(m, outcome="failed", failed={"failed_at": m.api.now})["id"]
    ],
    "POST /v1/payment_records/{}/report_refund": lambda m: [
        _reported(m, outcome="guaranteed", guaranteed={"guaranteed_at": m.api.now})["id"]
    ],
    "POST /v1/api_keys/{}/cancel_expiry": _rolled,
    "POST /v1/events/{}/retry": _heard_event,
    "DELETE /v1/accounts/{}/bank_accounts/{}": lambda m: _second_bank_account(m),
    "DELETE /v1/accounts/{}/external_accounts/{}": lambda m: _second_bank_account(m),
    "POST /v1/accounts/{}/login_links": lambda m: [_express(m)],
    "POST /v1/billing/alerts/{}/activate": lambda m: [_after(m, "billing.alert", "/v1/billing/alerts/{}/deactivate")],
    "POST /v1/billing/meters/{}/reactivate": lambda m: [_after(m, "billing.meter", "/v1/billing/meters/{}/deactivate")],
    "POST /v1/charges/{}/capture": _held_card,
    "GET /v1/charges/{}/dispute": lambda m: [_disputed(m)["charge"]],
    "POST /v1/charges/{}/dispute": lambda m: [_disputed(m)["charge"]],
    "POST /v1/charges/{}/dispute/close": lambda m: [_disputed(m)["charge"]],
    "POST /v1/charges/{}/refund": lambda m: [_charge(m)["id"]],
    "DELETE /v1/customers/{}/discount": lambda m: [_discounted(m)],
    "GET /v1/customers/{}/discount": lambda m: [_discounted(m)],
    "DELETE /v1/subscriptions/{}/discount": lambda m: _discounted_subscription(m)[1:],
    "POST /v1/customers/{}/bank_accounts/{}/verify": lambda m: _unverified(m),
    "POST /v1/customers/{}/sources/{}/verify": lambda m: _unverified(m),
    "POST /v1/invoices/{}/attach_payment": lambda m: [open_invoice(m)["id"]],
    "POST /v1/invoices/{}/mark_uncollectible": lambda m: [open_invoice(m)["id"]],
    "POST /v1/invoices/{}/pay": lambda m: [open_invoice(m)["id"]],
    "POST /v1/invoices/{}/remove_lines": lambda m: _invoice_of_line(m),
    "POST /v1/invoices/{}/update_lines": lambda m: _invoice_of_line(m),
    "DELETE /v1/subscription_items/{}": lambda m: [_second_item(m)],
    "GET /v1/customers/{}/subscriptions/{}/discount": lambda m: _discounted_subscription(m),
    "DELETE /v1/customers/{}/subscriptions/{}/discount": lambda m: _discounted_subscription(m),
    "POST /v1/invoices/{}/send": lambda m: [open_invoice(m, collection_method="send_invoice", days_until_due=30)["id"]],
    "POST /v1/invoices/{}/void": lambda m: [open_invoice(m)["id"]],
    "POST /v1/invoice_rendering_templates/{}/unarchive": lambda m: [
        _after(m, "invoice_rendering_template", "/v1/invoice_rendering_templates/{}/archive")
    ],
    "POST /v1/issuing/authorizations/{}/approve": lambda m: [_asked(m)],
    "POST /v1/issuing/authorizations/{}/decline": lambda m: [_asked(m)],
    "POST /v1/test_helpers/terminal/readers/{}/present_payment_method": lambda m: [_busy_reader(m)],
    "POST /v1/payment_intents/{}/capture": lambda m: [paid_intent(m, capture_method="manual")["id"]],
    "POST /v1/payment_intents/{}/increment_authorization": lambda m: [_growing(m)],
    "POST /v1/payment_intents/{}/verify_microdeposits": lambda m: [microdeposit(m, "payment")],
    "POST /v1/setup_intents/{}/verify_microdeposits": lambda m: [microdeposit(m, "setup")],
    "POST /v1/payment_intents/{}/apply_customer_balance": lambda m: [_transfer_intent(m)],
    "POST /v1/payment_methods/{}/attach": lambda m: [m.post("/v1/payment_methods", type="card", card=CARD)["id"]],
    "POST /v1/payouts/{}/cancel": lambda m: [m.make("payout")["id"]],
    "POST /v1/payouts/{}/reverse": lambda m: [_arrived(m)],
    "GET /v1/quotes/{}/pdf": lambda m: [_quote(m, final=True)["id"]],
    "POST /v1/subscription_items/{}/usage_records": lambda m: [_metered(m)],
    "POST /v1/quotes/{}/accept": lambda m: [_quote(m, final=True)["id"]],
    "POST /v1/refunds/{}/cancel": lambda m: [_waiting_refund(m)],
    "POST /v1/customers/{}/subscriptions": lambda m: [_customer_with_card(m)["id"]],
    "POST /v1/subscriptions/{}/resume": lambda m: [_paused(m)],
    "POST /v1/topups/{}/cancel": lambda m: [m.make("topup")["id"]],
    "POST /v1/test_helpers/refunds/{}/expire": lambda m: [_waiting_refund(m)],
}


def _express(m: Maker) -> str:
    """An Express account whose person has been through the onboarding page."""
    account = _account(m, type="express")["id"]
    link = m.post("/v1/account_links", account=account, refresh_url=HOME, return_url=HOME, type="account_onboarding")[
        "url"
    ]
    page = re.sub(r"^https?://[^/]+", "", link)
    m.api.post(f"{page}/submit", key=None)
    found: str = account
    return found


def _second_bank_account(m: Maker) -> list[str]:
    made = m.make("external_account")
    account = made["_parent"]
    second = {
        "object": "bank_account",
        "country": "US",
        "currency": "usd",
        "account_number": "000111111116",
        "routing_number": "110000000",
    }
    return [account, m.post(f"/v1/accounts/{account}/external_accounts", external_account=second)["id"]]


def _invoice_of_line(m: Maker) -> list[str]:
    line = _line_item(m)
    m.held["line"] = line["id"]
    return [line["invoice"]]


def _second_item(m: Maker) -> str:
    found: str = m.post("/v1/subscription_items", subscription=_subscription(m)["id"], price=_recurring(m))["id"]
    return found


def _discounted_subscription(m: Maker) -> list[str]:
    made = _subscription(m, discounts=[{"coupon": m.post("/v1/coupons", percent_off=25, duration="forever")["id"]}])
    return [made["customer"], made["id"]]


def _after(m: Maker, object: str, path: str) -> str:
    id: str = m.make(object)["id"]
    m.post(path.replace("{}", id))
    return id


def _with_tax(m: Maker) -> str:
    """An intent that names a tax calculation."""
    hooks = {"inputs": {"tax": {"calculation": m.make("tax.calculation")["id"]}}}
    found: str = _intent(m, hooks=hooks)["id"]
    return found


def _unverified(m: Maker) -> list[str]:
    token = m.post("/v1/tokens", bank_account=BANK)["id"]
    made = _customer_source(m, token)
    return [made["customer"], made["id"]]


def _growing(m: Maker) -> str:
    options = {"card": {"request_incremental_authorization": "if_available"}}
    found: str = paid_intent(m, capture_method="manual", payment_method_options=options)["id"]
    return found


def microdeposit(m: Maker, kind: str) -> str:
    method = {
        "type": "us_bank_account", "billing_details": {"name": "Jenny"},
        "us_bank_account": {"account_holder_type": "individual", "account_number": "000123456789",
        "routing_number": "110000000"},
    }  # fmt: skip
    make = _intent if kind == "payment" else _setup
    accepted = {"customer_acceptance": {"type": "online", "online": {"ip_address": "1.2.3.4", "user_agent": "x"}}}
    made = make(
        m, payment_method_types=["us_bank_account"], payment_method_data=method, confirm=True, mandate_data=accepted,
        payment_method_options={"us_bank_account": {"verification_method": "microdeposits"}},
    )  # fmt: skip
    found: str = made["id"]
    return found


def _transfer_intent(m: Maker) -> str:
    made = _intent(
        m, customer=m.id("customer"), payment_method_types=["customer_balance"],
        payment_method_data={"type": "customer_balance"},
        payment_method_options={"customer_balance": {"funding_type": "bank_transfer",
        "bank_transfer": {"type": "us_bank_transfer"}}},
        confirm=True,
    )  # fmt: skip
    found: str = made["id"]
    return found


def _arrived(m: Maker) -> str:
    made = m.make("payout")
    m.api.advance(7 * 86400)
    found: str = made["id"]
    return found


def _waiting_refund(m: Maker) -> str:
    """A refund that has not reached its card yet: only those can be cancelled."""
    found: str = m.post("/v1/refunds", charge=_charge(m, source=_token(m, "4000000000007726"))["id"])["id"]
    return found


def _paused(m: Maker) -> str:
    customer = m.post("/v1/customers")["id"]
    made = m.post(
        "/v1/subscriptions", customer=customer, items=[{"price": _recurring(m)}], trial_period_days=1,
        trial_settings={"end_behavior": {"missing_payment_method": "pause"}},
    )  # fmt: skip
    m.api.advance(3 * 86400)
    pm = m.post("/v1/payment_methods", type="card", card=CARD)["id"]
    m.post(f"/v1/payment_methods/{pm}/attach", customer=customer)
    m.post(f"/v1/customers/{customer}", invoice_settings={"default_payment_method": pm})
    found: str = made["id"]
    return found
