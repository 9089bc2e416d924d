"""What a call moves: the payments and refunds whose amounts caps count.

A key with caps may call what is listed here, and what moves no money (``HARMLESS``); everything else that writes is
refused, since nobody could tell how much it moves.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any, Final, NamedTuple
from urllib.parse import unquote

from tollkey.wire import invalid

#: ``(path)`` -> the object there, asked of the upstream account for the same connected account; None if there is none.
Look = Callable[[str], Awaitable[dict[str, Any] | None]]
Given = list[tuple[str, str]]

#: Beginnings of the paths of operations that move no money.
HARMLESS: Final = re.compile(
    r"/v1/(?:"
    r"customers(?:/search|/[^/]+)?(?:/(?:sources|cards|bank_accounts|tax_ids|payment_methods)(?:/[^/]+){0,2})?"
    r"|products(?:/.*)?|prices(?:/.*)?|plans(?:/.*)?|payment_methods(?:/.*)?|setup_intents(?:/.*)?"
    r"|tokens|files|file_links(?:/.*)?|customer_sessions|ephemeral_keys(?:/.*)?|webhook_endpoints(?:/.*)?"
    r"|payment_intents/[^/]+/(?:cancel|verify_microdeposits)|charges/[^/]+|refunds/[^/]+(?:/cancel)?"
    r"|disputes/[^/]+|reviews/[^/]+/approve|radar/value_list.*"
    r"|reporting/report_runs|invoices/create_preview|tax/calculations"
    r")"
)
_CUSTOMER: Final = re.compile(r"/v1/customers(?:/[^/]+)?")
#: Parameters of customers that are no money: others are credit, discounts, and the subscription that customers were
#: created with in earlier API versions (``account_balance``, ``balance``, ``coupon``, ``plan``).
_NO_MONEY: Final = frozenset(
    ("address", "bank_account", "business_name", "card", "default_bank_account", "default_card", "default_source",
     "description", "email", "expand", "individual_name", "invoice_prefix", "invoice_settings", "metadata", "name",
     "next_invoice_sequence", "payment_method", "phone", "preferred_locales", "shipping", "source", "tax",
     "tax_exempt", "tax_id_data", "test_clock", "validate")
)  # fmt: skip
_ACCOUNTS: Final = frozenset(("destination", "on_behalf_of", "account"))
_DIGITS = re.compile(r"[0-9]{1,12}")


class Movement(NamedTuple):
    """What a call moves. kind: ``charge`` or ``refund``. amount: in minor units. object: what is already counted."""

    kind: str
    amount: int
    currency: str
    object: str = ""


class Uncountable(Exception):
    """Nobody can tell how much a call moves."""


def single(given: Given, name: str) -> str | None:
    """Return the value of a parameter, None if it was not sent. Raises ApiError 400 if it was sent twice, or as a list
    or hash, of which servers read different parts.
    """
    if any(sent.startswith(f"{name}[") for sent, _ in given):
        raise invalid(f"The parameter {name} must be one value.", name)
    values = [value for sent, value in given if sent == name]
    if len(values) > 1:
        raise invalid(f"The parameter {name} was sent twice.", name)
    return values[0] if values else None


def _amount(given: Given, name: str = "amount") -> int | None:
    text = single(given, name)
    if text is None or text == "":
        return None
    if not _DIGITS.fullmatch(text):
        raise invalid(f"Invalid integer: {text[:40]}", name)
    return int(text)


async def _created(given: Given, path: str, look: Look) -> Movement:
    amount, currency = _amount(given), single(given, "currency")
    if amount is None or not currency:
        raise invalid("Missing required param: amount and currency.", "amount")
    return Movement("charge", amount, currency.lower())


async def _existing(given: Given, path: str, look: Look) -> Movement:
    """A payment that exists: confirmed, captured, or given another amount.

    One that is captured in parts counts as a whole with its first part: the parts are not told apart from one another.
    """
    found = await _found(path.rpartition("/")[0] if path.count("/") > 3 else path, look)
    named = [_amount(given, name) for name in ("amount", "amount_to_capture", "amount_to_confirm")]
    if single(given, "final_capture") not in (None, "true"):
        named.append(int(found["amount"]))
    return Movement(
        "charge",
        max((amount for amount in named if amount is not None), default=int(found["amount"])),
        (single(given, "currency") or str(found["currency"])).lower(),
        str(found["id"]),
    )


async def _refund(given: Given, path: str, look: Look) -> Movement:
    charge = path.split("/")[3] if path.startswith("/v1/charges/") else single(given, "charge")
    intent = single(given, "payment_intent")
    if charge and intent:
        raise invalid("Only one of charge and payment_intent can be sent by a key with caps.", "payment_intent")
    if not charge and intent:
        found = await _found(f"/v1/payment_intents/{_id(intent)}", look)
        latest = found.get("latest_charge")
        charge = latest if isinstance(latest, str) else ""
    if not charge:
        raise Uncountable
    found = await _found(f"/v1/charges/{_id(charge)}", look)
    amount = _amount(given)
    left = int(found["amount"]) - int(found.get("amount_refunded") or 0)
    return Movement("refund", left if amount is None else amount, str(found["currency"]).lower())


def _id(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_]{1,80}", text):
        raise invalid("Invalid id.", "id")
    return text


async def _found(path: str, look: Look) -> dict[str, Any]:
    """Raises Uncountable for an object that is not there, or has no amount."""
    found = await look(path)
    if found is None or not isinstance(found.get("amount"), int) or not isinstance(found.get("currency"), str):
        raise Uncountable
    return found


_MOVES: Final[tuple[tuple[re.Pattern[str], Callable[[Given, str, Look], Awaitable[Movement]]], ...]] = tuple(
    (re.compile(pattern), read)
    for pattern, read in (
        (r"/v1/charges", _created),
        (r"/v1/payment_intents", _created),
        (r"/v1/payment_intents/[^/]+", _existing),
        (r"/v1/(?:payment_intents|charges)/[^/]+/(?:confirm|capture|increment_authorization)", _existing),
        (r"/v1/refunds", _refund),
        (r"/v1/charges/[^/]+/refunds?", _refund),
    )
)


async def movement(method: str, path: str, given: Given, look: Look) -> Movement | None:
    """Return what a call moves, None if it moves no money.

    given: names and values of its parameters. Raises Uncountable; ApiError for parameters that cannot be read.
    """
    if method in ("GET", "HEAD") or (method == "DELETE" and HARMLESS.fullmatch(path)):
        return None
    if method != "POST":
        raise Uncountable
    for pattern, read in _MOVES:
        if pattern.fullmatch(path):
            return await read(given, path, look)
    if _CUSTOMER.fullmatch(path) and not _NO_MONEY.issuperset(name.partition("[")[0] for name, _ in given):
        raise Uncountable
    if HARMLESS.fullmatch(path):
        return None
    raise Uncountable


def named_accounts(path: str, given: Given) -> set[str]:
    """Return the accounts that a call is about: in its path, where money goes or comes from, those acted on behalf of.

    A charge takes an account as its ``source``, so any parameter may name one.
    """
    names = [(name.rpartition("[")[2].removesuffix("]"), value) for name, value in given]
    in_path = {part for part in unquote(path).split("/") if part.startswith("acct_")}
    by_id = {value.strip() for name, value in given if value.strip().startswith("acct_") and _names_objects(name)}
    return in_path | by_id | {value for name, value in names if name in _ACCOUNTS and value}


def _names_objects(name: str) -> bool:
    return name.partition("[")[0] not in ("metadata", "description")
