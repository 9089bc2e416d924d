"""Sessions of the customer portal as stored, with their private fields."""

from typing import NotRequired

from tollkey.wire import api

class StoredPortalSession(api.BillingPortalSession):
    """A session of the customer portal.

    _flow_done: whether its flow was completed; absent before. _wrong_codes: the number of wrong promotion codes
        entered; absent before the first.
    """

    _flow_done: NotRequired[bool]
    _wrong_codes: NotRequired[int]
