"""What this room stores, with its private fields."""

from typing import NotRequired

from tollkey.wire import api

class StoredInvoice(api.Invoice):
    """An invoice.

    _credits: the billing credits that were used up for it: id of the line -> [id of the credit balance transaction,
        minor units] each; absent when there were none. _payment_intent: the id of the PaymentIntent that collects it;
        absent before it is finalized. _exhausted: whether the last attempt to collect it has failed; absent before.
    """

    _credits: NotRequired[dict[str, list[tuple[str, int]]]]
    _payment_intent: NotRequired[str | None]
    _exhausted: NotRequired[bool]

class StoredInvoiceItem(api.Invoiceitem):
    """An invoice item.

    _pending: whether it waits for an invoice. _subscription, _subscription_item: the ids of the subscription, and of
        its item, that it is of; null for none. _credited: the lines that it credits; absent or null unless it is the
        credit of a proration. _off: what discounts took of those lines: [id of the discount, minor units] each; absent
        or null unless its discounts are itemized.
    """

    _pending: bool
    _subscription: NotRequired[str | None]
    _subscription_item: NotRequired[str | None]
    _credited: NotRequired[api.BillingBillResourceInvoicingLinesCommonCreditedItems | None]
    _off: NotRequired[list[tuple[str, int]] | None]
