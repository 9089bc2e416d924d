"""The objects of Tax as they are stored, with their private fields, and the shapes that its rules work on."""

from collections.abc import Sequence
from typing import NotRequired, TypeAlias, TypedDict

from tollkey.payments.intents.stored import StoredPaymentIntent
from tollkey.wire import api

#: ``customer_details`` of a calculation.
CustomerDetails: TypeAlias = api.TaxProductResourceCustomerDetails
#: ``shipping_cost`` of a calculation.
ShippingCost: TypeAlias = api.TaxProductResourceTaxCalculationShippingCost
#: ``tax_breakdown`` of a line, and of a calculation.
LineBreakdown: TypeAlias = api.TaxProductResourceLineItemTaxBreakdown
Breakdown: TypeAlias = api.TaxProductResourceTaxBreakdown
#: What a payment recorded in Tax, or why it could not.
Attempt: TypeAlias = api.TaxProductResourceTaxAssociationTransactionAttempts

class StoredCalculation(api.TaxCalculation):
    """A tax calculation.

    _lines: its line items.
    _payment: the id of the payment intent that used it; absent until one has.
    """

    _lines: list[api.TaxCalculationLineItem]
    _payment: NotRequired[str]

class StoredTaxTransaction(api.TaxTransaction):
    """A tax transaction.

    _lines: its line items.
    _reversed: it was reversed in full; absent until then.
    """

    _lines: list[api.TaxTransactionLineItem]
    _reversed: NotRequired[bool]

class StoredTaxSettings(api.TaxSettings):
    """The tax settings of an account. id: the account's, which the API leaves out."""

    id: str

class StoredTaxRate(api.TaxRate):
    """A tax rate.

    _automatic: country, state, per cent and whether prices include it, of one that automatic tax made; absent for
        others.
    """

    _automatic: NotRequired[str]

class TaxedIntent(StoredPaymentIntent):
    """A payment intent.

    _tax_attempts: what its payment and its refunds recorded in Tax; absent until its payment succeeds, and without a
        calculation.
    """

    _tax_attempts: NotRequired[list[Attempt]]

class TypeOfTaxId(TypedDict):
    """What decides about reverse charge: the type of a tax id of a customer."""

    type: str

class TaxedPart(TypedDict):
    """A line or the shipping cost of a calculation or a transaction: amounts in minor units of its currency."""

    amount: int
    amount_tax: int
    tax_behavior: str
    tax_code: str

class Share(TypedDict):
    """What a part gives of a reversal: minor units, zero or negative."""

    amount: int
    amount_tax: int

class ReversedLine(Share):
    """A line of a reversal as it was asked for."""

    original_line_item: str
    reference: str
    quantity: NotRequired[int]
    metadata: NotRequired[dict[str, str] | None]

class ReversedParts(TypedDict):
    """What a reversal takes back of a transaction."""

    line_items: Sequence[ReversedLine]
    shipping_cost: Share | None

class RatedLine(api.Item):
    """A line of a quote or of a Checkout session.

    _rates: the ids of the tax rates that it was given.
    """

    _rates: list[str]

class DeliveryCost(TypedDict):
    """``shipping_cost`` of an invoice or of a Checkout session, in minor units."""

    amount_subtotal: int
    amount_tax: int
    amount_total: int
    shipping_rate: NotRequired[str | None]
