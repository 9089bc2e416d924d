"""The names that the official client libraries give an endpoint: service, method and the order of ids."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from tollkey.dashboard.reference.parameters import schema_of
from tollkey.wire import Endpoint
from tollkey.wire.params import operation_name
from tollkey.wire.spec import operation_facts

#: Endpoints whose library methods do not follow their paths; examples call them by path.
_IRREGULAR = frozenset({
    "/v1/account", "/v1/accounts/{account}/bank_accounts", "/v1/charges/{charge}/refund",
    "/v1/charges/{charge}/dispute",
    "/v1/charges/{charge}/dispute/close", "/v1/balance/history", "/v1/balance/history/{id}",
    "/v1/credit_notes/preview/lines",
    "/v1/application_fees/{id}/refund", "/v1/payment_intents/{intent}/refresh",
    "/v1/payment_intents/{intent}/source_cancel",
    "/v1/apps/secrets/delete",
    "/v1/payment_records/report_payment", "/v1/setup_intents/{intent}/refresh",
    "/v1/setup_intents/{intent}/source_cancel",
})  # fmt: skip
#: Path segments that the libraries name differently: (service, segment) -> method.
_VERBS = {
    ("credit_notes", "void"): "void_credit_note", ("invoices", "finalize"): "finalize_invoice",
    ("invoices", "send"): "send_invoice",
    ("invoices", "void"): "void_invoice", ("quotes", "finalize"): "finalize_quote",
    ("subscriptions", "delete"): "cancel",
    ("settings", "create"): "update", ("balance_settings", "create"): "update", ("credit_grants", "void"): "void_grant",
}  # fmt: skip
_SERVICES = {"invoiceitems": "invoice_items"}
_OWN = frozenset({"apple_pay", "api_keys", "api_key_audit_entries", "stripecli"})


class Request(NamedTuple):
    """An example request, and its names in the libraries.

    services: for example ``("test_helpers", "test_clocks")``; empty if it is called by path. verb: ``create``,
        ``capture``.
    ids: the ids in the path, in order. params: nested.
    """

    method: str
    path: str
    params: dict[str, Any]
    services: tuple[str, ...] = ()
    verb: str = ""
    ids: tuple[str, ...] = ()


def named(endpoint: Endpoint, path: str, params: dict[str, Any], collections: frozenset[str]) -> Request:
    """Return the example request of an endpoint. path: with ids.

    collections: paths that can be listed; their last segment is not a method.
    """
    template, actual = endpoint.path.split("/")[2:], path.split("/")[2:]
    plain = Request(endpoint.method, path, params)
    if (endpoint.method, endpoint.path) == (
        "POST",
        "/v1/confirmation_tokens",
    ):  # the libraries create them without a request
        return plain
    if operation_name(endpoint.method, endpoint.path) not in operation_facts().roots:
        return plain  # of Tollkey, or older than the libraries
    if endpoint.path in _IRREGULAR or template[0] in _OWN or not endpoint.path.startswith("/v1/"):
        return plain
    braces = [part.startswith("{") for part in template]
    if not any(braces):
        listed = "limit" in schema_of(endpoint).fields
        verb = "create" if endpoint.method == "POST" else "list" if listed else "retrieve"
        if template[-1] == "search" or template[-1].startswith(("create_", "report_payment")):
            return _called(plain, template[:-1], template[-1], ())
        return _called(plain, template, verb, ()) if verb != "retrieve" or len(template) == 1 else plain
    first = braces.index(True)
    services, ids = tuple(template[:first]), tuple(value for value, is_id in zip(actual, braces, strict=True) if is_id)
    if not services or sum(braces) > 1:
        return plain
    if first == len(template) - 1:
        verb = {"GET": "retrieve", "POST": "update", "DELETE": "delete"}[endpoint.method]
        return _called(plain, services, verb, ids)
    if first == len(template) - 2 and endpoint.method == "POST" and endpoint.path not in collections:
        return _called(plain, services, template[-1], ids)
    return plain


def _called(request: Request, services: Iterable[str], verb: str, ids: tuple[str, ...]) -> Request:
    names = tuple(_SERVICES.get(name, name) for name in services)
    return request._replace(services=names, verb=_VERBS.get((names[-1], verb), verb), ids=ids)


def camel(text: str, upper: bool = False) -> str:
    """Convert ``payment_intents`` to ``paymentIntents`` or ``PaymentIntents``."""
    first, *rest = text.split("_")
    return (first.capitalize() if upper else first) + "".join(part.capitalize() for part in rest)


def singular(text: str) -> str:
    """Convert ``payment_intents`` to ``payment_intent``, ``entries`` to ``entry``."""
    if text.endswith("ies"):
        return text[:-3] + "y"
    return text.removesuffix("s") if not text.endswith("ss") else text
