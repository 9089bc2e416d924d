"""What this room stores, with its private fields."""

from typing import NotRequired

from tollkey.wire import api

class StoredInvoice(api.Invoice):
    """An invoice.

    _credits: the billing credits that were used up for it: id of the line -> [id of the credit balance transaction,
        minor units] each; absent when there were none.
    """

    _credits: NotRequired[dict[str, list[tuple[str, int]]]]
