"""Who is named on a document: the business with its address and tax ids, and its customer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tollkey.payments.documents.printed import Party
from tollkey.payments.shared import fields, receipt_links
from tollkey.wire import Call, languages
from tollkey.wire.languages import Language
from tollkey.wire.objects import value_at

if TYPE_CHECKING:
    from tollkey.wire import api

#: Countries whose addresses have the postal code behind the town; in all others it stands before the town.
_CODE_LAST = frozenset({"AU", "CA", "GB", "IE", "IN", "NZ", "US"})


def language_of(call: Call, customer: str | None, *wanted: str | None) -> Language:
    """Return the language of a page: one of those wanted, else what its customer prefers, else the browser's.

    customer: its id, if one is known.
    """
    found = call.objects.find("customer", customer) if customer else None
    return languages.choose(call, *wanted, *((found and found.get("preferred_locales")) or ()))


def seller(call: Call, language: Language, tax_ids: Sequence[str] | None = None) -> Party:
    """Return the business of this account.

    tax_ids: ids of those that the document names; None for the account's ``default_account_tax_ids``.
    """
    account = fields.acting_account(call) or {}
    address = value_at(account, "company.address") or value_at(account, "business_profile.support_address") or {}
    if not address.get("line1"):
        address = value_at(account, "business_profile.support_address") or address
    named = tax_ids if tax_ids is not None else value_at(account, "settings.invoices.default_account_tax_ids") or ()
    found = [call.objects.find("tax_id", id) for id in named]
    contact = (value_at(account, "business_profile.support_phone"), value_at(account, "business_profile.support_email"))
    return Party(
        "",
        (
            receipt_links.business_name(call),
            *address_lines(address, language),
            *(str(text) for text in contact if text),
            *(tax_id_line(one["type"], one["value"]) for one in found if one is not None),
        ),
    )


def buyer(invoice: api.Invoice, language: Language) -> Party:
    """Return the customer of an invoice, as they were when it was finalized."""
    texts = (invoice["customer_name"], *address_lines(invoice["customer_address"] or {}, language))
    reached = (invoice["customer_email"], invoice["customer_phone"])
    ids = [tax_id_line(one["type"], one["value"] or "") for one in invoice["customer_tax_ids"] or ()]
    return Party(language.say("Bill to"), (*_some(texts), *_some(reached), *ids))


def recipient(shipping: Mapping[str, Any] | None, language: Language) -> list[Party]:
    """Return to whom goods are sent, if to anybody. shipping: name, phone and address."""
    if not shipping:
        return []
    lines = (shipping.get("name"), *address_lines(shipping.get("address") or {}, language), shipping.get("phone"))
    return [Party(language.say("Ship to"), tuple(_some(lines)))]


def _some(texts: Iterable[str | None]) -> list[str]:
    return [text for text in texts if text]


def tax_id_line(type: str, value: str) -> str:
    """Return a tax id with the name of its kind: ``eu_vat`` is "EU VAT"."""
    return f"{type.replace('_', ' ').upper()} {value}"


def address_lines(address: Mapping[str, Any], language: Language) -> tuple[str, ...]:
    """Return an address as lines in the order of its country, which is named in the reader's language."""
    code = str(address.get("country") or "").upper()
    town, region, postal = (str(address.get(name) or "") for name in ("city", "state", "postal_code"))
    if code in _CODE_LAST:
        place = " ".join(part for part in (f"{town}," if town and region else town, region, postal) if part)
    else:
        place = ", ".join(part for part in (f"{postal} {town}".strip(), region) if part)
    lines = (address.get("line1"), address.get("line2"), place, language.country(code) if code else "")
    return tuple(str(line) for line in lines if line)
