"""Tax rates by location, and the computation of tax from them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from tollkey.payments.shared import rounding
from tollkey.payments.tax import kinds
from tollkey.wire import Call
from tollkey.wire.objects import value_at

if TYPE_CHECKING:
    from tollkey.payments.tax.stored import (
        Breakdown,
        LineBreakdown,
        Share,
        TaxedPart,
        TypeOfTaxId,
    )
    from tollkey.wire import api

#: Standard rates of VAT or GST in per cent, 2025.
_STANDARD = {
    "AT": "20", "BE": "21", "BG": "20", "CY": "19", "CZ": "21", "DE": "19", "DK": "25", "EE": "24", "ES": "21",
    "FI": "25.5", "FR": "20",
    "GR": "24", "HR": "25", "HU": "27", "IE": "23", "IT": "22", "LT": "21", "LU": "17", "LV": "21", "MT": "18",
    "NL": "21", "PL": "23",
    "PT": "23", "RO": "21", "SE": "25", "SI": "22", "SK": "23", "GB": "20", "NO": "25", "CH": "8.1", "AU": "10",
    "NZ": "15", "SG": "9",
    "JP": "10", "CA": "5", "IN": "18", "ZA": "15", "AE": "5",
}  # fmt: skip
#: State sales tax in per cent, without county and city taxes.
_STATES = {
    "CA": "7.25", "NY": "4", "TX": "6.25", "WA": "6.5", "FL": "6", "IL": "6.25", "PA": "6", "OH": "5.75", "GA": "4",
    "NC": "4.75",
    "MI": "6", "NJ": "6.625", "VA": "4.3", "MA": "6.25", "AZ": "5.6", "TN": "7", "IN": "7", "MD": "6", "MO": "4.225",
    "WI": "5",
    "CO": "2.9", "MN": "6.875", "SC": "6", "AL": "4", "LA": "5", "KY": "6", "CT": "6.35", "UT": "4.85", "NV": "6.85",
    "IA": "6",
    "AR": "6.5", "MS": "7", "KS": "6.5", "NM": "4.875", "NE": "5.5", "ID": "6", "WV": "6", "HI": "4", "ME": "5.5",
    "RI": "7",
    "SD": "4.2", "ND": "5", "VT": "6", "WY": "4", "OK": "4.5", "DC": "6",
}  # fmt: skip
#: US states by the first three digits of a postal code: each begins at its number.
_ZIPS = (
    (5, "NY"), (6, "PR"), (10, "MA"), (28, "RI"), (30, "NH"), (39, "ME"), (50, "VT"), (55, "MA"), (56, "VT"),
    (60, "CT"), (70, "NJ"),
    (100, "NY"), (150, "PA"), (197, "DE"), (200, "DC"), (201, "VA"), (202, "DC"), (206, "MD"), (220, "VA"), (247, "WV"),
    (270, "NC"),
    (290, "SC"), (300, "GA"), (320, "FL"), (350, "AL"), (370, "TN"), (386, "MS"), (398, "GA"), (400, "KY"), (430, "OH"),
    (460, "IN"),
    (480, "MI"), (500, "IA"), (530, "WI"), (550, "MN"), (570, "SD"), (580, "ND"), (590, "MT"), (600, "IL"), (630, "MO"),
    (660, "KS"),
    (680, "NE"), (700, "LA"), (716, "AR"), (730, "OK"), (733, "TX"), (734, "OK"), (750, "TX"), (800, "CO"), (820, "WY"),
    (832, "ID"),
    (840, "UT"), (850, "AZ"), (870, "NM"), (885, "TX"), (889, "NV"), (900, "CA"), (967, "HI"), (970, "OR"), (980, "WA"),
    (995, "AK"),
)  # fmt: skip
_GST = frozenset({"AU", "NZ", "SG", "CA", "IN"})
#: The member states of the European Union.
EU = frozenset(_STANDARD) - {"GB", "NO", "CH", "AU", "NZ", "SG", "JP", "CA", "IN", "ZA", "AE"}
#: Registrations in one EU country for the sales to all of them.
_ONE_STOP = ("oss_union", "oss_non_union", "ioss")
_NONTAXABLE = "txcd_00000000"


class Place(NamedTuple):
    """A location for tax.

    percent: the tax rate there, as decimal text. registered: whether the account collects tax there.
    """

    country: str
    state: str | None
    percent: str
    registered: bool

    @property
    def kind(self) -> str:
        """Return the ``tax_type`` of the location."""
        if self.country == "US":
            return "sales_tax"
        return "jct" if self.country == "JP" else "gst" if self.country in _GST else "vat"


def state_of(postal_code: str | None) -> str | None:
    """Return the US state of a postal code, or None for an invalid one."""
    digits = (postal_code or "")[:5]
    if len(digits) != 5 or not digits.isdecimal():
        return None
    place = bisect_right(_ZIPS, (int(digits[:3]), "~")) - 1
    return _ZIPS[place][1] if place >= 0 else None


def located(where: Mapping[str, Any] | None) -> bool:
    """Return whether an address determines a location.

    It needs a country, in the US also a postal code, in Canada a postal code or a province.
    """
    if where is None:
        return False
    country = (where.get("country") or "").upper()
    if len(country) != 2:
        return False
    if country == "US":
        return state_of(where.get("postal_code")) is not None
    return country != "CA" or bool(where.get("postal_code") or where.get("state"))


def registration_status(registration: api.TaxRegistration, now: int) -> Literal["scheduled", "active", "expired"]:
    """Return ``scheduled``, ``active`` or ``expired``. now: UTC epoch seconds."""
    if now < registration["active_from"]:
        return "scheduled"
    return "expired" if registration["expires_at"] is not None and now >= registration["expires_at"] else "active"


def percent_at(call: Call, where: api.Address) -> Place:
    """Return the tax rate at an address, and whether the account is registered there."""
    country = (where["country"] or "").upper()
    state = where.get("state") if country in ("US", "CA") else None
    if country == "US" and not state:
        state = state_of(where.get("postal_code"))
    percent = _STATES.get(state or "", "0") if country == "US" else _STANDARD.get(country, "0")
    for one in call.objects.query(kinds.REGISTRATION, limit=100):
        if registration_status(one, call.now) == "active" and _covers(one, country, state):
            return Place(country, state, percent, True)
    return Place(country, state, percent, False)


def _covers(registration: api.TaxRegistration, country: str, state: str | None) -> bool:
    """Return whether a registration is for the tax on sales to a place: in the US its state's sales tax.

    That for the One Stop Shop of an EU country is for all of them.
    """
    options = value_at(registration, f"country_options.{registration['country'].lower()}") or {}
    if registration["country"] != country:
        return options.get("type") in _ONE_STOP and country in EU
    return country != "US" or (options.get("state") == state and options.get("type") == "state_sales_tax")


def reverses(place: Place, origin: str | None, tax_ids: Iterable[TypeOfTaxId]) -> bool:
    """Return whether the customer owes the tax (reverse charge).

    It does if it is a business with a VAT number of another EU country than the seller's, or of the UK.
    origin: the seller's country. tax_ids: with ``type``.
    """
    wanted = "eu_vat" if place.country in EU else "gb_vat" if place.country == "GB" else None
    return (
        place.registered and place.country != (origin or "").upper() and any(one["type"] == wanted for one in tax_ids)
    )


def reason_of(place: Place | None, code: str, override: str) -> str:
    """Return ``taxability_reason``: why tax is or is not collected. override: ``taxability_override``."""
    if override == "customer_exempt":
        return "customer_exempt"
    if override == "reverse_charge":
        return "reverse_charge"
    if code == _NONTAXABLE:
        return "product_exempt"
    if place is None or not place.registered:
        return "not_collecting"
    return "standard_rated" if Decimal(place.percent) else "not_subject_to_tax"


def taxed(amount: int, behaviour: str, place: Place | None, code: str, override: str) -> int:
    """Return the tax on an amount, in minor units, rounded half up; included in the amount if ``behaviour`` is
    inclusive.
    """
    if reason_of(place, code, override) != "standard_rated" or place is None:
        return 0
    percent = Decimal(place.percent)
    exclusive = behaviour == "exclusive"
    return rounding.exclusive_tax(amount, percent) if exclusive else rounding.inclusive_tax(amount, percent, percent)


def breakdown(
    amount: int, tax: int, behaviour: str, place: Place | None, code: str, override: str
) -> list[LineBreakdown]:
    """Return ``tax_breakdown`` of a line.

    amount, tax: minor units. behaviour: ``inclusive`` or ``exclusive``. code: the tax code. override: see
        ``reason_of``.
    """
    if place is None:
        return []
    reason = reason_of(place, code, override)
    level = "state" if place.state else "country"
    collected = reason == "standard_rated"
    return [
        {
            "amount": tax,
            "jurisdiction": {
                "country": place.country, "display_name": place.state or place.country, "level": level,
                "state": place.state,
            },
            "sourcing": "destination",
            "tax_rate_details": {
                "display_name": place.kind.replace("_", " ").title() if place.country == "US" else place.kind.upper(),
                "percentage_decimal": place.percent, "tax_type": place.kind,
            } if collected else None,
            "taxability_reason": reason,
            "taxable_amount": (amount - tax if behaviour == "inclusive" else amount) if collected else 0,
        }
    ]  # fmt: skip


def summary(parts: Sequence[TaxedPart], place: Place | None, override: str) -> list[Breakdown]:
    """Return ``tax_breakdown`` of a calculation: that of its lines, summed by behavior and reason."""
    sums: dict[tuple[bool, str], list[int]] = {}
    for part in parts:
        reason = reason_of(place, part["tax_code"], override)
        inclusive = part["tax_behavior"] == "inclusive"
        row = sums.setdefault((inclusive, reason), [0, 0])
        row[0] += part["amount_tax"]
        if reason == "standard_rated":
            row[1] += part["amount"] - (part["amount_tax"] if inclusive else 0)
    return [
        {
            "amount": amount, "inclusive": inclusive, "taxability_reason": reason, "taxable_amount": taxable,
            "tax_rate_details": {
                "country": place.country if place else None, "flat_amount": None,
                "state": place.state if place else None,
                "percentage_decimal": place.percent if place and reason == "standard_rated" else "0.0",
                "rate_type": "percentage" if place and reason == "standard_rated" else None,
                "tax_type": place.kind if place and reason == "standard_rated" else None,
            },
        }
        for (inclusive, reason), (amount, taxable) in sums.items()
    ]  # fmt: skip


def spread(parts: Sequence[TaxedPart], flat: int) -> list[Share]:
    """Return the ``amount`` and ``amount_tax`` of each line for a flat reversal, in proportion to the lines' totals.

    flat: minor units, with its sign. The parts add up to it exactly.
    """
    costs = [part["amount"] + (part["amount_tax"] if part["tax_behavior"] == "exclusive" else 0) for part in parts]
    total, reached, given = sum(costs), 0, 0
    shares: list[Share] = []
    for part, cost in zip(parts, costs, strict=True):
        reached += cost
        share = rounding.proportion(flat, reached, total) - given if total else 0
        given += share
        tax = rounding.proportion(share, part["amount_tax"], cost)
        shares.append({"amount": share - (tax if part["tax_behavior"] == "exclusive" else 0), "amount_tax": tax})
    return shares
