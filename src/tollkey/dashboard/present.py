"""Presentation of objects: labels of fields, amounts with their currency, times, links for ids."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple
from urllib.parse import quote

from tollkey.payments.facts import money
from tollkey.wire import Json, Resource
from tollkey.wire.objects import value_at
from tollkey.wire.resource import Catalogue

Kind = Literal["text", "money", "time", "badge", "link", "boolean", "none", "code"]
_AMOUNTS = frozenset(
    {"amount", "net", "fee", "balance", "subtotal", "total", "tax", "unit_amount", "starting_balance", "ending_balance"}
)
_TIMES = ("_at", "_on", "_start", "_end", "_date", "_time", "_until", "_after")
_MOMENTS = frozenset({"created", "due_by", "date", "start", "end", "billing_cycle_anchor", "next_payment_attempt"})
_BADGES = frozenset({"status", "type", "reason", "outcome", "payment_status", "tax_exempt", "state"})
_LATER = ("metadata", "livemode", "object")
_SECRET = ("client_secret", "secret")

#: Statuses by the tone of their badge.
_GOOD = frozenset(
    {
        "succeeded",
        "paid",
        "active",
        "available",
        "enabled",
        "complete",
        "won",
        "verified",
        "open",
        "ready",
        "posted",
        "accepted",
        "processed",
    }
)
_BAD = frozenset(
    {
        "failed",
        "canceled",
        "lost",
        "disabled",
        "void",
        "uncollectible",
        "incomplete_expired",
        "expired",
        "past_due",
        "unpaid",
        "rejected",
        "needs_response",
        "warning_needs_response",
        "internal_failure",
        "errored",
        "blocked",
    }
)
_WRITTEN = {
    "id": "ID", "url": "URL", "doc url": "Doc URL", "cvc check": "CVC check", "ip": "IP address",
    "three d secure": "3-D Secure",
    "request three d secure": "Request 3-D Secure", "iban": "IBAN", "bic": "BIC", "mcc": "MCC",
    "invoice pdf": "Invoice PDF",
    "hosted invoice url": "Hosted invoice URL", "receipt url": "Receipt URL", "return url": "Return URL",
    "success url": "Success URL",
    "cancel url": "Cancel URL", "acss debit": "ACSS debit", "sepa debit": "SEPA debit",
    "us bank account": "US bank account",
}  # fmt: skip
_LIKE_MONEY = frozenset({"amount_decimal"})


class Value(NamedTuple):
    """One value for a template.

    tone: of a badge: good, bad, busy or plain. url: of a link, without account and mode. seconds: of a time, UTC epoch.
    """

    kind: Kind
    text: str
    tone: str = ""
    url: str = ""
    seconds: int | None = None


class Field(NamedTuple):
    """A field in an object's details. depth: of nesting, 0 for the object's own fields."""

    name: str
    label: str
    value: Value
    depth: int = 0


NONE = Value("none", "—")


def label_of(name: str) -> str:
    """The label of a field or value: "Amount capturable" for ``amount_capturable``."""
    text = name.rpartition(".")[2].replace("_", " ").strip()
    return _WRITTEN.get(text, text[:1].upper() + text[1:])


def tone(status: str) -> str:
    """The tone of a status's badge: good, bad, busy or plain."""
    return (
        "good"
        if status in _GOOD
        else "bad"
        if status in _BAD
        else "busy"
        if status.startswith(("requires_", "pending", "process", "trial", "in_tr", "under", "adv"))
        else "plain"
    )


def is_amount(name: str, value: object) -> bool:
    """Whether a field holds an amount of money in minor units."""
    last = name.rpartition(".")[2]
    if type(value) is not int or last in _LIKE_MONEY:
        return False
    return (
        last in _AMOUNTS
        or last.startswith("amount")
        or last.endswith(("_amount", "_balance"))
        or last in ("application_fee",)
    )


def is_time(name: str, value: object) -> bool:
    """Whether a field holds a time in UTC epoch seconds."""
    last = name.rpartition(".")[2]
    return type(value) is int and value > 100_000_000 and (last in _MOMENTS or last.endswith(_TIMES))


class Presenter:
    """Presents objects. catalogue: the resources whose ids become links."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    def address(self, id: str) -> str:
        """The path of an object's page, or "" when no resource has ids like this."""
        resource = self._catalogue.of_id(id)
        if resource is None or not resource.title or not id.isascii() or "/" in id:
            return ""
        if resource.object == "event":
            return f"/events/{id}"
        if resource.object == "webhook_endpoint":
            return f"/webhooks/{id}"
        return (
            f"/objects/{resource.object}/{id}"
            if resource.stored
            else f"/apikeys/{id}"
            if resource.object == "api_key"
            else ""
        )

    def label(self, name: str) -> str:
        """The label of a column or filter."""
        return label_of(name)

    def is_amount_column(self, column: str) -> bool:
        """Whether a column contains amounts of money, which are right-aligned."""
        return is_amount(column, 0)

    def value(self, name: str, value: Any, currency: str | None) -> Value:
        """Present a value of an object. name: of its field. currency: of the object, for its amounts."""
        last = name.rpartition(".")[2]
        if value is None or value == "":
            return NONE
        if last in _SECRET or last.endswith("_secret"):
            return Value("text", "hidden")
        if isinstance(value, bool):
            return Value("boolean", "Yes" if value else "No")
        if currency and is_amount(name, value):
            return Value("money", f"{money(value, currency)} {currency.upper()}")
        if is_time(name, value):
            return Value("time", "", seconds=value)
        if isinstance(value, dict | list):
            return Value("text", f"{len(value)} entries" if len(value) != 1 else "1 entry")
        text = str(value)
        if last in _BADGES and isinstance(value, str) and len(text) < 40:
            return Value(
                "badge", label_of(text), tone(text) if last in ("status", "state", "payment_status") else "plain"
            )
        address = self.address(text) if isinstance(value, str) and "_" in text and last != "id" else ""
        if address:
            return Value("link", text, url=address)
        return Value("code" if last in ("id", "fingerprint") else "text", text)

    def cell(self, resource: Resource, item: Json, column: str) -> Value:
        """Present the cell of a list. column: a field name, with dots for nested fields."""
        found = value_at(item, column)
        if column == "id":
            id = str(found)  # the ids of coupons and plans are chosen by callers and have no prefix
            return Value("link", id, url=self.address(id) or f"/objects/{resource.object}/{quote(id, safe='')}")
        return self.value(column, found, _currency(item))

    def fields(self, item: Json) -> list[Field]:
        """The fields of an object: first its own, then those of nested objects."""
        return list(self._walk(item, "", 0, _currency(item)))

    def _walk(self, item: Mapping[str, Any], prefix: str, depth: int, currency: str | None) -> Iterator[Field]:
        plain = [
            name
            for name in item
            if not isinstance(item[name], dict | list) and name not in _LATER and not name.startswith("_")
        ]
        for name in plain:
            if item[name] is not None or depth == 0:
                yield Field(prefix + name, label_of(name), self.value(name, item[name], currency), depth)
        if depth >= 3:
            return
        for name, inner in item.items():
            if name in _LATER or name.startswith("_"):
                continue
            if isinstance(inner, dict) and inner:
                within = list(self._walk(inner, f"{prefix}{name}.", depth + 1, inner.get("currency") or currency))
                if within:
                    yield Field(prefix + name, label_of(name), Value("text", ""), depth)
                    yield from within
            elif isinstance(inner, list) and inner:
                yield from self._list(prefix + name, name, inner, depth, currency)

    def _list(self, full: str, name: str, inner: list[Any], depth: int, currency: str | None) -> Iterator[Field]:
        if not isinstance(inner[0], dict | list):
            yield Field(full, label_of(name), Value("text", ", ".join(str(one) for one in inner[:50])), depth)
            return
        for place, one in enumerate(inner[:20]):
            yield Field(f"{full}.{place}", f"{label_of(name)} {place + 1}", Value("text", ""), depth)
            if isinstance(one, dict):
                yield from self._walk(one, f"{full}.{place}.", depth + 1, one.get("currency") or currency)


def _currency(item: Mapping[str, Any]) -> str | None:
    found = item.get("currency") or item.get("default_currency")
    return found if isinstance(found, str) else None
