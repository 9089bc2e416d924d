"""What this room stores, with its private fields."""

from typing import NotRequired, TypeAlias, TypedDict

from tollkey.payments.catalog.stored import DiscountEntry
from tollkey.payments.invoices.stored import OrderedLine
from tollkey.wire import api

class UsageRecord(TypedDict):
    """Usage that an integration has reported. timestamp: UTC epoch seconds. quantity: units."""

    id: str
    timestamp: int
    quantity: int

class UsageRecordObject(TypedDict):
    """A usage record as versions before 2025-03-31 answer it."""

    id: str
    object: str
    livemode: bool
    quantity: int
    subscription_item: str
    timestamp: int

class StoredSubscriptionItem(api.SubscriptionItem):
    """An item of a subscription.

    plan: its price as the plan that it is, too. _currency: that of its subscription, three-letter code. _usage: what
        was reported for it, in the order of the reports; absent before the first.
    """

    plan: api.Plan
    _currency: str
    _usage: NotRequired[list[UsageRecord]]

class BilledUsage(TypedDict):
    """Usage that invoices of thresholds have billed in a period already.

    start: of the period, UTC epoch seconds. items: id of the item -> units.
    """

    start: int
    items: dict[str, int]

class PendingFields(TypedDict):
    """What a pending update sets besides the items. Times are UTC epoch seconds. trial_start: absent in older rows."""

    billing_cycle_anchor: int
    _period: list[int]
    trial_start: NotRequired[int | None]
    trial_end: int | None
    discounts: list[str]

class PendingUpdate(TypedDict):
    """An update that waits for its payment.

    items: those that it brings. invoice: the id of what is to be paid. params: its ``metadata`` and
        ``cancel_at_period_end`` as they were sent, if they were; absent in older rows.
    """

    items: list[StoredSubscriptionItem]
    fields: PendingFields
    invoice: str
    params: NotRequired[PendingParams]

class PendingParams(TypedDict):
    """What was sent with a pending update and is applied with it."""

    metadata: NotRequired[dict[str, str] | str]
    cancel_at_period_end: NotRequired[bool]

class StoredSubscription(api.Subscription):
    """A subscription.

    plan, quantity: those of its only item, which old integrations read; null when it has several, or a metered one.
    _period: the latest start and the earliest end of its items' periods, UTC epoch seconds. _free_until_anchor: whether
    the time before its first anchor is not billed; absent in rows of earlier versions. _trial_notice: whether the
    notice that its trial ends was given; absent when it was not. _leave_prorates: whether its end at ``cancel_at``
    credits unused time; absent before a ``cancel_at`` was set. _resuming: the id of the invoice whose payment resumes
    it; absent when it never was resumed. _billed: what thresholds have billed in advance; absent before the first.
    _pending: the update that waits for its payment; absent or null when none does.
    """

    plan: api.Plan | None
    quantity: int | None
    _period: list[int]
    _free_until_anchor: NotRequired[bool]
    _trial_notice: NotRequired[bool]
    _leave_prorates: NotRequired[bool]
    _resuming: NotRequired[str]
    _billed: NotRequired[BilledUsage]
    _pending: NotRequired[PendingUpdate | None]

Phase: TypeAlias = api.SubscriptionSchedulePhaseConfiguration

class StoredPhaseItem(api.SubscriptionScheduleConfigurationItem):
    """An item of a phase. plan: its price's id, as versions before plans became prices name it."""

    plan: str

class StoredDefaultSettings(api.SubscriptionSchedulesResourceDefaultSettings):
    """What the phases of a schedule have in common. default_source: always null, for old integrations."""

    default_source: str | None

class StoredSchedule(api.SubscriptionSchedule):
    """A subscription schedule."""

class StoredQuote(api.Quote):
    """A quote.

    _items: its lines. _discounts: the discounts that were asked for, as parameters name them; they are redeemed when it
        is accepted.
    """

    _items: list[OrderedLine]
    _discounts: list[DiscountEntry]

class StoredEntitlement(api.EntitlementsActiveEntitlement):
    """An active entitlement. _customer: the id of the customer who has it."""

    _customer: str

class StoredProductFeature(api.ProductFeature):
    """A feature of a product. _product, _feature: the ids of both."""

    _product: str
    _feature: str
