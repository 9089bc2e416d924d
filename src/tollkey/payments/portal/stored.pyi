"""Sessions of the customer portal as they are stored, with their private fields."""

from typing import NotRequired

from tollkey.wire import api

class StoredPortalSession(api.BillingPortalSession):
    """A session of the customer portal.

    _flow_done: the task that it was made for is done; absent until then. _wrong_codes: how many wrong promotion codes
        were typed; absent before the first.
    """

    _flow_done: NotRequired[bool]
    _wrong_codes: NotRequired[int]
