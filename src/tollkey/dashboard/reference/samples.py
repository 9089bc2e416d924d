"""Sample requests for an endpoint, and sample objects, generated at run time from the specification."""

from __future__ import annotations

from typing import Any

from tollkey.dashboard.reference.parameters import record_of, schema_of, words_of
from tollkey.db import Ids
from tollkey.wire import Endpoint, Resource
from tollkey.wire.metadata import Metadata
from tollkey.wire.params import Array, Boolean, Email, Integer, Map, Moment, Number, OneOf, Param, Timestamp, Unset, Url
from tollkey.wire.resource import Catalogue, path_names
from tollkey.wire.rfc3339 import written
from tollkey.wire.spec import NULLABLE, REQUIRED, object_facts
from tollkey.wire.versions import LATEST

_WHEN = 1_767_225_600  # 2026-01-01

#: Realistic parameters for endpoints whose required parameters alone are a poor example.
USUAL: dict[str, dict[str, Any]] = {
    "POST /v1/customers": {"name": "Jenny Rosen", "email": "jenny@example.com"},
    "POST /v1/customers/{}": {"metadata": {"order_id": "6735"}},
    "POST /v1/payment_intents": {"amount": 2000, "currency": "usd", "payment_method": "pm_card_visa", "confirm": True,
                                 "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"}},
    "POST /v1/payment_intents/{}": {"metadata": {"order_id": "6735"}},
    "POST /v1/payment_intents/{}/confirm": {"payment_method": "pm_card_visa"},
    "POST /v1/payment_intents/{}/capture": {"amount_to_capture": 750},
    "POST /v1/charges": {"amount": 1099, "currency": "usd", "source": "tok_visa"},
    "POST /v1/charges/{}": {"metadata": {"order_id": "6735"}},
    "POST /v1/refunds": {"charge": "ch_", "amount": 500, "reason": "requested_by_customer"},
    "POST /v1/setup_intents": {"payment_method": "pm_card_visa", "allowed_payment_method_types": ["card"]},
    "POST /v1/payment_records/report_payment": {
        "amount_requested": {"value": 1000, "currency": "usd"}, "initiated_at": 1767225600,
        "payment_method_details": {"type": "custom", "custom": {"display_name": "Wallet"}}},
    "POST /v1/payment_methods": {"type": "card", "card": {"token": "tok_visa"}},
    "POST /v1/payment_methods/{}/attach": {"customer": "cus_"},
    "POST /v1/disputes/{}": {"evidence": {"uncategorized_text": "The parcel was signed for on 4 March."},
    "submit": True},
    "POST /v1/products": {"name": "Gold plan"},
    "POST /v1/prices": {"currency": "usd", "unit_amount": 1000, "recurring": {"interval": "month"},
    "product_data": {"name": "Gold plan"}},
    "POST /v1/coupons": {"duration": "once", "percent_off": 25.5},
    "POST /v1/invoices": {"customer": "cus_"},
    "POST /v1/invoiceitems": {"customer": "cus_", "amount": 1099, "currency": "usd"},
    "POST /v1/subscriptions": {"customer": "cus_", "items": [{"price": "price_"}]},
    "POST /v1/checkout/sessions": {"mode": "payment", "success_url": "https://example.com/success",
                                   "line_items": [{"price": "price_", "quantity": 2}]},
    "POST /v1/accounts": {"type": "custom", "country": "US", "email": "jenny@example.com",
                          "capabilities": {"card_payments": {"requested": True}, "transfers": {"requested": True}}},
    "POST /v1/payouts": {"amount": 1100, "currency": "usd"},
    "POST /v1/topups": {"amount": 2000, "currency": "usd", "description": "Top-up for week of May 31"},
    "POST /v1/transfers": {"amount": 400, "currency": "usd", "destination": "acct_"},
    "POST /v1/webhook_endpoints": {"url": "https://example.com/webhook", "enabled_events": ["charge.succeeded",
    "charge.failed"]},
    "POST /v1/webhook_endpoints/{}": {"url": "https://example.com/new_webhook"},
    "POST /v1/api_keys": {"type": "restricted", "name": "Dispute monitor", "permissions": ["dispute_read"]},
    "POST /v1/api_keys/{}/roll": {"expires_in": "in_24_hours"},
    "POST /v1/test_helpers/test_clocks": {"frozen_time": _WHEN},
    "POST /v1/test_helpers/test_clocks/{}/advance": {"frozen_time": _WHEN + 30 * 86400},
    "POST /v1/account_sessions": {"account": "acct_", "components": {"payments": {"enabled": True}}},
    "POST /v1/billing/alerts": {"alert_type": "usage_threshold", "title": "API requests",
                                "usage_threshold": {"gte": 10_000, "meter": "mtr_", "recurrence": "one_time"}},
    "POST /v1/billing/meter_event_adjustments": {"type": "cancel", "event_name": "api_requests",
                                                 "cancel": {"identifier": "request_6735"}},
    "POST /v1/customer_sessions": {"customer": "cus_", "components": {"buy_button": {"enabled": True}}},
    "GET /v1/billing/meters/{}/event_summaries": {"customer": "cus_", "start_time": _WHEN, "end_time": _WHEN + 86400},
    "GET /v1/elements/sessions": {
        "type": "deferred_intent", "deferred_intent": {"mode": "payment", "amount": 2000, "currency": "usd"}},
    "GET /v1/charges/search": {"query": "amount>999 AND metadata['order_id']:'6735'"},
    "GET /v1/customers/search": {"query": "name:'Jenny Rosen' AND metadata['order_id']:'6735'"},
    "GET /v1/invoices/search": {"query": "total>999 AND metadata['order_id']:'6735'"},
    "GET /v1/payment_intents/search": {"query": "status:'succeeded' AND metadata['order_id']:'6735'"},
    "GET /v1/prices/search": {"query": "active:'true' AND metadata['order_id']:'6735'"},
    "GET /v1/products/search": {"query": "active:'true' AND metadata['order_id']:'6735'"},
    "GET /v1/subscriptions/search": {"query": "status:'active' AND metadata['order_id']:'6735'"},
    "GET /v1/credit_notes/preview": {"invoice": "in_", "amount": 500},
    "GET /v1/credit_notes/preview/lines": {"invoice": "in_", "amount": 500},
    "POST /v1/credit_notes": {"invoice": "in_", "amount": 500},
    "POST /v1/ephemeral_keys": {"customer": "cus_"},
    "POST /v1/identity/verification_sessions": {"type": "document"},
    "POST /v1/invoices/{}/add_lines": {"lines": [{"amount": 1099, "description": "Setup"}]},
    "POST /v1/issuing/cards": {"cardholder": "ich_", "currency": "usd", "type": "virtual"},
    "POST /v1/plans": {"amount": 1200, "currency": "usd", "interval": "month", "product": "prod_"},
    "POST /v1/promotion_codes": {"promotion": {"type": "coupon", "coupon": "25OFF"}, "code": "SUMMER"},
    "GET /v1/radar/value_list_items": {"value_list": "rsl_", "limit": 3},
    "GET /v1/setup_attempts": {"setup_intent": "seti_", "limit": 3},
    "POST /v1/shipping_rates": {"display_name": "Ground shipping", "type": "fixed_amount",
                                 "fixed_amount": {"amount": 500, "currency": "usd"}},
    "POST /v1/sources": {"type": "card", "token": "tok_visa"},
    "GET /v1/subscription_items": {"subscription": "sub_", "limit": 3},
    "POST /v1/subscription_schedules": {"customer": "cus_", "start_date": "now",
                                         "phases": [{"items": [{"price": "price_", "quantity": 1}]}]},
    "POST /v1/tax/registrations": {"country": "US", "active_from": "now",
                                    "country_options": {"us": {"type": "state_sales_tax", "state": "CA"}}},
    "POST /v1/billing_portal/configurations": {"features": {"invoice_history": {"enabled": True}}},
    "POST /v1/billing_portal/sessions": {"customer": "cus_", "return_url": "https://example.com/account"},
    "POST /v1/payment_links": {"line_items": [{"price": "price_", "quantity": 1}]},
    "POST /v1/terminal/locations": {"display_name": "HQ", "address": {"line1": "1 Main Street", "city": "San Francisco",
    "state": "CA",
                                                                   "postal_code": "94111", "country": "US"}},
    "GET /v1/billing/credit_balance_summary": {"customer": "cus_", "filter": {"type": "applicability_scope",
                                               "applicability_scope": {"price_type": "metered"}}},
    "POST /v1/billing/credit_grants": {"customer": "cus_", "category": "paid",
    "applicability_config": {"scope": {"price_type": "metered"}},
                                       "amount": {"type": "monetary", "monetary": {"value": 1000, "currency": "usd"}}},
    "POST /v1/tokens": {"card": {"number": "4242424242424242", "exp_month": 5, "exp_year": 2030, "cvc": "314"}},
}  # fmt: skip


def operation(endpoint: Endpoint) -> str:
    """Return the key of an endpoint in the tables of this module: ``POST /v1/customers/{}``."""
    path = endpoint.path
    for name in path_names(path):
        path = path.replace("{" + name + "}", "{}")
    return f"{endpoint.method} {path}"


class Samples:
    """Sample values for one catalogue, always the same.

    catalogue: its id prefixes are used in ids.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    def id(self, object: str) -> str:
        """Return an id of that type of object."""
        resource = self._catalogue.by_object.get(object)
        ids = Ids.seeded(sum(object.encode()) + 7)
        return ids.new(resource.prefix) if resource is not None and resource.prefix else object.rpartition(".")[2]

    def _of_prefix(self, prefix: str) -> str:
        resource = self._catalogue.by_prefix.get(prefix)
        return self.id(resource.object) if resource is not None else Ids.seeded(sum(prefix.encode())).new(prefix)

    def path(self, resource: Resource, endpoint: Endpoint) -> str:
        """Return the endpoint's path with sample ids."""
        path = endpoint.path
        for name in path_names(path):
            path = path.replace("{" + name + "}", self._path_id(resource, endpoint, name), 1)
        return path

    def _path_id(self, resource: Resource, endpoint: Endpoint, name: str) -> str:
        if name == "intent":
            return self.id("payment_intent" if "payment_intents" in endpoint.path else "setup_intent")
        if name in self._catalogue.by_object:
            return self.id(name)
        before = endpoint.path.partition("/{" + name + "}")[0].rpartition("/")[2].removesuffix("s")
        found = next((o for o in self._catalogue.by_object if o == before or o.endswith("." + before)), resource.object)
        return self.id(found)

    def params(self, endpoint: Endpoint) -> dict[str, Any]:
        """Return sample parameters of the endpoint: realistic ones, or the required ones."""
        usual = USUAL.get(operation(endpoint))
        if usual is not None:
            filled: dict[str, Any] = self._fill(usual)
            return filled
        schema = schema_of(endpoint)
        required = {name: self._value(name, schema.fields[name]) for name in schema.required}
        return {**required, "limit": 3} if endpoint.method == "GET" and "limit" in schema.fields else required

    def _fill(self, value: Any) -> Any:
        """Replace id prefixes by sample ids."""
        if isinstance(value, dict):
            return {name: self._fill(inner) for name, inner in value.items()}
        if isinstance(value, list):
            return [self._fill(inner) for inner in value]
        return self._of_prefix(value[:-1]) if isinstance(value, str) and value.endswith("_") else value

    def _value(self, name: str, node: Param) -> Any:
        if isinstance(node, Unset):
            return self._value(name, node.inner)
        if isinstance(node, OneOf):
            return self._value(name, node.options[0])
        if isinstance(node, Array):
            return [self._value(name.removesuffix("s"), node.item)]
        record, _ = record_of(node)
        if record is not None:
            return {inner: self._value(inner, record.fields[inner]) for inner in record.required}
        words = words_of(node)
        return words[0] if words else self._simple(name, node)

    def _simple(self, name: str, node: Param) -> Any:
        if isinstance(node, Boolean):
            return True
        if isinstance(node, Timestamp):
            return _WHEN
        if isinstance(node, Moment):
            return written(_WHEN)
        if isinstance(node, Integer | Number):
            return 1000 if "amount" in name else 1
        if isinstance(node, Email):
            return "jenny@example.com"
        if isinstance(node, Url) or name.endswith("url"):
            return "https://example.com/" + name.removesuffix("_url")
        if isinstance(node, Metadata | Map):
            return {"order_id": "6735"}
        if name in self._catalogue.by_object:
            return self.id(name)
        return _WORDS.get(name, name.replace("_", " ").capitalize())

    # -- answers

    def answer(self, resource: Resource, endpoint: Endpoint, params: dict[str, Any]) -> dict[str, Any]:
        """Return a sample of the endpoint's response."""
        object = endpoint.object or resource.object
        if endpoint.method == "DELETE":
            return {"id": self.id(object), "object": object, "deleted": True}
        value = self.object(object, params if endpoint.method == "POST" else {})
        if endpoint.method == "GET" and "limit" in schema_of(endpoint).fields:
            return {"object": "list", "data": [value], "has_more": False, "url": endpoint.path}
        return value

    def object(self, object: str, given: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return a sample object with all required properties."""
        number = object_facts().roots.get(object)
        if number is None:
            return {"id": self.id(object), "object": object, "created": _WHEN, "livemode": False, **(given or {})}
        value = self._filled(number, object, 0)
        for name, said in (given or {}).items():
            if name in value and not isinstance(said, dict | list):
                value[name] = said
        return value

    def _filled(self, row: int, object: str, depth: int) -> dict[str, Any]:
        kind, *rest = object_facts().row(row)
        made: dict[str, Any] = {}
        if kind != "o":
            return made
        for name, (inner, flags) in rest[0].items():
            if name == "id":
                made[name] = self.id(object)
            elif flags & NULLABLE and name not in ("currency", "status"):
                made[name] = None
            elif flags & REQUIRED or name == "metadata":
                made[name] = self._property(name, inner, depth)
        return made

    def _property(self, name: str, row: int, depth: int) -> Any:
        kind, *rest = object_facts().row(row)
        if kind in ("?",):
            return self._property(name, rest[0], depth)
        if kind == "x":
            return self.id(rest[0][0])
        if kind == "r":
            return self._filled(object_facts().roots[rest[0]], rest[0], depth + 1) if depth < 2 else {}
        if kind == "o":
            return self._filled(row, name, depth + 1) if depth < 2 else {}
        if kind == "e":
            return _BEST.get(name) if _BEST.get(name) in rest[0] else rest[0][0]
        simple: dict[str, Any] = {
            "i": 2000 if "amount" in name else 0,
            "t": _WHEN,
            "n": 0,
            "d": "0",
            "b": name not in _FALSE,
            "a": [],
            "m": {},
        }
        return simple[kind] if kind in simple else _WORDS.get(name, "…")


_FALSE = frozenset({"livemode", "delinquent", "refunded", "disputed", "has_more", "deleted"})
_BEST = {"status": "succeeded", "capture_method": "automatic_async", "confirmation_method": "automatic"}
_WORDS = {
    "currency": "usd", "country": "US", "name": "Jenny Rosen", "email": "jenny@example.com",
    "description": "Order 6735",
    "url": "/v1/…", "api_version": LATEST, "type": "card", "last4": "4242", "client_secret": "…",
}  # fmt: skip
