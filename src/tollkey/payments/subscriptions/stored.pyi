"""The types of this room's stored objects, with their private fields."""

from typing import NotRequired, TypeAlias, TypedDict

from tollkey.payments.catalog.stored import DiscountEntry
from tollkey.payments.invoices.stored import OrderedLine
from tollkey.wire import api

class UsageRecord(TypedDict):
    """Usage reported by an integration. timestamp: UTC epoch seconds. quantity: units."""

    id: str
    timestamp: int
    quantity: int

class UsageRecordObject(TypedDict):
    """A usage record in the form of versions before 2025-03-31. timestamp: UTC epoch seconds."""

    id: str
    object: str
    livemode: bool
    quantity: int
    subscription_item: str
    timestamp: int

class StoredSubscriptionItem(api.SubscriptionItem):
    """An item of a subscription.

    plan: its price in the form of a plan. _currency: of its subscription, three-letter code. _usage: its usage records,
        in the order of the reports; absent before the first.
    """

    plan: api.Plan
    _currency: str
    _usage: NotRequired[list[UsageRecord]]

class BilledUsage(TypedDict):
    """Usage of a period that threshold invoices have billed.

    start: of the period, UTC epoch seconds. items: id of the item -> units.
    """

    start: int
    items: dict[str, int]

class PendingFields(TypedDict):
    """The fields that a pending update sets, besides the items. Times are UTC epoch seconds. trial_start: absent in
    older rows.
    """

    billing_cycle_anchor: int
    _period: list[int]
    trial_start: NotRequired[int | None]
    trial_end: int | None
    discounts: list[str]

class PendingUpdate(TypedDict):
    """An update that is applied when its invoice is paid.

    items: those after the update. invoice: the id of that invoice. params: its ``metadata`` and
        ``cancel_at_period_end`` as sent; absent in older rows.
    """

    items: list[StoredSubscriptionItem]
    fields: PendingFields
    invoice: str
    params: NotRequired[PendingParams]

class PendingParams(TypedDict):
    """Parameters that are applied with a pending update."""

    metadata: NotRequired[dict[str, str] | str]
    cancel_at_period_end: NotRequired[bool]

class StoredSubscription(api.Subscription):
    """A subscription.

    plan, quantity: those of its only item, for old integrations; null with several items or a metered one. _period: the
        latest start and the earliest end of its items' periods, UTC epoch seconds. _free_until_anchor: whether the time
        before its first anchor is not billed; absent in rows of earlier versions. _trial_notice: whether the event
        ``trial_will_end`` was emitted; absent before. _leave_prorates: whether its cancellation at ``cancel_at``
        credits unused time; absent before a ``cancel_at`` was set. _resuming: the id of the invoice whose payment
        resumes it; absent before the first resumption. _paused_until_paid: whether a failed payment of that invoice
        leaves it paused; absent as _resuming is. _billed: usage billed by threshold invoices; absent before the
        first. _pending: the pending update; absent or null without one. _ends_anyway: the ``cancel_at`` that the
        merchant set, which returns when the customer takes back a cancellation; absent unless the customer canceled
        before it.
    """

    plan: api.Plan | None
    quantity: int | None
    _period: list[int]
    _free_until_anchor: NotRequired[bool]
    _trial_notice: NotRequired[bool]
    _leave_prorates: NotRequired[bool]
    _resuming: NotRequired[str]
    _paused_until_paid: NotRequired[bool]
    _billed: NotRequired[BilledUsage]
    _pending: NotRequired[PendingUpdate | None]
    _ends_anyway: NotRequired[int]

Phase: TypeAlias = api.SubscriptionSchedulePhaseConfiguration

class StoredPhaseItem(api.SubscriptionScheduleConfigurationItem):
    """An item of a phase. plan: its price's id, under the name of older versions."""

    plan: str

class StoredDefaultSettings(api.SubscriptionSchedulesResourceDefaultSettings):
    """The settings that apply to all phases of a schedule. default_source: always null, for old integrations."""

    default_source: str | None

class StoredSchedule(api.SubscriptionSchedule):
    """A subscription schedule."""

class StoredQuote(api.Quote):
    """A quote.

    _items: its lines. _discounts: its discounts in the form of parameters; they are redeemed when it is accepted.
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
