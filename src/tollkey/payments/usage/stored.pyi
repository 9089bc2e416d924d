"""What this room stores, with its private fields."""

from tollkey.wire import api

class StoredAlert(api.BillingAlert):
    """An alert on a meter.

    _customer: id of the only customer it is for; empty for everybody. _since: from when usage counts, UTC epoch
        seconds.
    """

    _customer: str
    _since: int

class StoredCreditGrant(api.BillingCreditGrant):
    """A credit grant.

    _left: what of it is not used up yet, in minor units.
    """

    _left: int

class StoredCreditTransaction(api.BillingCreditBalanceTransaction):
    """A change of a customer's credits.

    _customer: id of the customer whose grant it is.
    """

    _customer: str
