"""What this room stores, with its private fields."""

from typing import NotRequired, TypeAlias, TypedDict

from tollkey.wire import api

LineParent: TypeAlias = api.BillingBillResourceInvoicingLinesParentsInvoiceLineItemParent
Pricing: TypeAlias = api.BillingBillResourceInvoicingPricingPricing
TaxEntry: TypeAlias = api.BillingBillResourceInvoicingTaxesTax
CreditedItems: TypeAlias = api.BillingBillResourceInvoicingLinesCommonCreditedItems

class LineSecrets(TypedDict):
    """What an invoice keeps of a line and does not show.

    rates: ids of the line's own tax rates. off: what discounts had taken of an amount that the line credits, as
        [id of the discount, minor units] each; null for other lines.
    """

    rates: list[str]
    off: list[tuple[str, int]] | None

class TransferWish(TypedDict):
    """``transfer_data`` as an invoice or its subscription has it. amount: minor units. amount_percent: of the total."""

    destination: str
    amount: NotRequired[int | None]
    amount_percent: NotRequired[float | None]

class StoredInvoice(api.Invoice):
    """An invoice.

    _lines: what is not shown of its lines, by their ids. _credits: the billing credits that were used up for it: id of
        the line -> [id of the credit balance transaction, minor units] each; absent when there were none.
    _days: the days until it is due; null when nobody gave any. _payment_intent: id of the PaymentIntent that pays it;
        absent until there is one. _transfer_data, _application_fee (minor units), _application_fee_percent: what its
        PaymentIntent takes over; absent when nothing was said. _out_of_band: whether it was paid elsewhere; absent
        until it is paid. _exhausted: whether the last automatic attempt to collect it has failed; absent before.
        _looked: how often a payment method was looked for; absent before the first time.
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
    """A line, as it is until its invoice is added up: then ``_lines`` of the invoice keeps the private fields.

    _rates: ids of its own tax rates. _off: what discounts take of a proration's amount, as [id of the discount, minor
        units] each; null or absent for other lines.
    """

    _rates: NotRequired[list[str]]
    _off: NotRequired[list[tuple[str, int]] | None]

class StoredInvoiceItem(api.Invoiceitem):
    """An invoice item.

    _pending: whether it waits for an invoice. _subscription, _subscription_item: ids of what it is for; null or absent
        for none. _credited: the lines that it credits; null or absent unless it is the credit of a proration.
    _off: what discounts take of a proration's amount, as [id of the discount, minor units] each; null or absent unless
        its discounts are itemized. _within: what they have taken, when the amount is what remained; null or absent for
        all but debits.
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
    """A tax as versions before 2025-03-31 show it. amount, taxable_amount: minor units."""

    amount: int
    inclusive: bool
    tax_rate: str | None
    taxability_reason: str | None
    taxable_amount: int | None
