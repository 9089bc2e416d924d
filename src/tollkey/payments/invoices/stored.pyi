"""The types of this room's stored objects, with their private fields."""

from typing import NotRequired, TypeAlias, TypedDict

from tollkey.wire import api

LineParent: TypeAlias = api.BillingBillResourceInvoicingLinesParentsInvoiceLineItemParent
Pricing: TypeAlias = api.BillingBillResourceInvoicingPricingPricing
TaxEntry: TypeAlias = api.BillingBillResourceInvoicingTaxesTax
CreditedItems: TypeAlias = api.BillingBillResourceInvoicingLinesCommonCreditedItems

class LineSecrets(TypedDict):
    """The private fields of a line, which its invoice stores.

    rates: ids of the line's own tax rates. off: the discounts of the credited amount, as pairs of discount id and minor
        units; null for other lines. taxes: its manual tax amounts; null or absent without any.
    """

    rates: list[str]
    off: list[tuple[str, int]] | None
    taxes: NotRequired[list[TaxEntry] | None]

class TransferWish(TypedDict):
    """``transfer_data`` of an invoice or its subscription. amount: minor units. amount_percent: of the total."""

    destination: str
    amount: NotRequired[int | None]
    amount_percent: NotRequired[float | None]

class StoredInvoice(api.Invoice):
    """An invoice.

    _lines: the private fields of its lines, by their ids. _credits: the billing credits applied to it: id of the line
        -> pairs of credit balance transaction id and minor units; absent without any. _days: the days until it is due;
        null if not set. _payment_intent: id of its PaymentIntent; absent before there is one. _transfer_data,
        _application_fee (minor units), _application_fee_percent: settings for its PaymentIntent; absent if not set.
        _out_of_band: whether it was paid out of band; absent until it is paid. _exhausted: whether the last automatic
        attempt to collect it has failed; absent before. _looked: the number of checks for a payment method; absent
        before the first.
    """

    _lines: NotRequired[dict[str, LineSecrets]]
    _credits: NotRequired[dict[str, list[tuple[str, int]]]]
    _days: NotRequired[int | None]
    _payment_intent: NotRequired[str]
    _transfer_data: NotRequired[TransferWish | None]
    _application_fee: NotRequired[int | None]
    _application_fee_percent: NotRequired[float | None]
    _out_of_band: NotRequired[bool]
    _exhausted: NotRequired[bool]
    _looked: NotRequired[int]

class StoredLine(api.LineItem):
    """A line before the totals of its invoice are computed, which moves the private fields to ``_lines`` of the
    invoice.

    _rates: ids of its own tax rates. _off: the discounts of a proration's amount, as pairs of discount id and minor
        units; null or absent for other lines. _taxes: its manual tax amounts;
        null or absent without any.
    """

    _rates: NotRequired[list[str]]
    _off: NotRequired[list[tuple[str, int]] | None]
    _taxes: NotRequired[list[TaxEntry] | None]

class StoredInvoiceItem(api.Invoiceitem):
    """An invoice item.

    _pending: whether it is not on an invoice yet. _subscription, _subscription_item: ids of what it belongs to; null or
        absent without. _credited: the lines that it credits; null or absent unless it is the credit of a proration.
        _off: the discounts of a proration's amount, as pairs of discount id and minor units; null or absent unless its
        discounts are itemized. _within: the discounts already subtracted from the amount; null or absent for all but
        debits.
    """

    _pending: bool
    _subscription: NotRequired[str | None]
    _subscription_item: NotRequired[str | None]
    _credited: NotRequired[CreditedItems | None]
    _off: NotRequired[list[tuple[str, int]] | None]
    _within: NotRequired[list[tuple[str, int]] | None]

class OrderedLine(api.Item):
    """A line of a quote or of a Checkout Session. _rates: ids of the tax rates that apply to it."""

    _rates: list[str]

class OlderTax(TypedDict):
    """A tax in the form of versions before 2025-03-31. amount, taxable_amount: minor units."""

    amount: int
    inclusive: bool
    tax_rate: str | None
    taxability_reason: str | None
    taxable_amount: int | None
