"""Creating a subscription: its items, its first period, its first invoice, and the resulting status."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Literal, cast

from tollkey.ledger import Money
from tollkey.payments.catalog import pricing, redemption
from tollkey.payments.customers import balance
from tollkey.payments.invoices import payments
from tollkey.payments.shared import clock, fields
from tollkey.payments.shared import currency as shared_currency
from tollkey.payments.subscriptions import currencies, jobs, kinds, setups, states
from tollkey.payments.subscriptions.billing import (
    added_lines,
    apply_pause_behavior,
    collect_now,
    create_draft_invoice,
)
from tollkey.payments.subscriptions.discounts import discounts_of
from tollkey.payments.subscriptions.entitlement_rules import refresh as entitle
from tollkey.payments.subscriptions.first_periods import first_lines, set_first_periods, shorten_first_periods
from tollkey.payments.subscriptions.items import (
    check,
    check_sold,
    new_item,
    ordered,
    recurring_price,
    show,
    store_items,
)
from tollkey.payments.subscriptions.lifecycle import INCOMPLETE_SECONDS
from tollkey.payments.subscriptions.pending_items import plan as plan_pending
from tollkey.payments.subscriptions.periods import TRIAL_NOTICE, schedule_jobs, terms_of
from tollkey.payments.subscriptions.settings import apply_settings, set_cancel, translate
from tollkey.wire import Call, invalid, new_object
from tollkey.wire.errors import missing_param

if TYPE_CHECKING:
    from tollkey.payments.customers.stored import StoredCustomer
    from tollkey.payments.invoices.stored import StoredLine
    from tollkey.payments.subscriptions.stored import StoredSubscription, StoredSubscriptionItem
    from tollkey.wire import api

CREATED: Final = "customer.subscription.created"
_CLASSIC_BEFORE = "2025-09-30"
_ERROR_BEFORE = "2019-03-14"


def wanted_items(params: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """Return the items of the parameters; ``plan`` and ``quantity`` at the top level are one item.

    Raises ApiError 400 if there are none.
    """
    if params.get("items"):
        return list(params["items"])
    if params.get("plan"):
        return [
            {"plan": params["plan"], **({"quantity": params["quantity"]} if params.get("quantity") is not None else {})}
        ]
    raise missing_param("items")


def create(call: Call, params: Mapping[str, Any], *, schedule: str | None = None) -> StoredSubscription:
    """Create a subscription, bill its first period and return it.

    schedule: the id of the subscription schedule that creates it. Raises ApiError 400 for invalid parameters, and 402
        for a declined card with ``error_if_incomplete``.
    """
    params = translate(params)
    if not params.get("customer"):
        raise missing_param("customer")
    if params.get("currency"):
        params["currency"] = shared_currency.check_currency(params["currency"])
    customer = call.objects.get(kinds.CUSTOMER, params["customer"], path_param="customer")  # 404, as recorded
    call = clock.for_customer(call, customer)
    if customer.get("test_clock") and call.objects.table(kinds.SUBSCRIPTION).count(
        call.tx, call.scope, {"customer": customer["id"]}
    ) >= clock.limit(call):
        raise invalid(f"Customers with test clocks are limited to {clock.limit(call)} subscriptions.", "customer")
    wanted = wanted_items(params)
    prices = [
        recurring_price(call, entry, f"items[{place}]", params.get("currency")) for place, entry in enumerate(wanted)
    ]
    currency = fields.given(params, "currency", prices[0]["currency"])
    for place, price in enumerate(prices):
        check_sold(call, price, wanted[place], f"items[{place}]", new=True)
        if pricing.in_currency(price, currency) is None:
            raise invalid(
                f"This `price` has `currency={price['currency']}`, but other items use `currency={currency}`. All items"
                " must have pricing in the same currency. When using multi-currency prices, you can specify `currency`"
                " at the top level, to be used by all items.",
                f"items[{place}][price]",
            )
    currencies.check(call, customer, currency)
    subscription = _blank(call, params, customer, currency, schedule)
    items = [
        new_item(call, subscription, entry, price, f"items[{place}]", customer)
        for place, (entry, price) in enumerate(zip(wanted, prices, strict=True))
    ]
    check(subscription, items, new=True)
    set_first_periods(call, subscription, items, params, terms_of(prices[0])["trial_period_days"])
    apply_settings(call, subscription, params)
    show(call, subscription, items)
    set_cancel(call, subscription, params)
    shorten_first_periods(subscription, items)
    subscription["metadata"] = fields.new_metadata(params)
    entries = redemption.entries_of(params)
    if entries:
        subscription["discounts"] = redemption.redeem_all(
            call,
            entries,
            param="discounts",
            customer=customer,
            currency=currency,
            subscription=subscription["id"],
        )
    if subscription["pending_invoice_item_interval"]:
        plan_pending(call, subscription)
    currencies.set_currency(call, customer, currency)
    begun = _store_and_bill(call, subscription, items, params, customer)
    entitle(call, customer["id"])
    return begun


def default_mode(call: Call) -> Literal["classic", "flexible"]:
    """Return the billing mode of subscriptions that are made, now or later, by a request of the call's version.

    Source: docs.stripe.com/changelog/clover/2025-09-30, "flexible billing mode by default".
    """
    return "classic" if call.version < _CLASSIC_BEFORE else "flexible"


def mode_of(given: Mapping[str, Any], now: int) -> api.SubscriptionsResourceBillingMode:
    """Return ``billing_mode`` of a subscription with all of its keys.

    given: that of the parameters, with its type. now: UTC epoch seconds.
    """
    details = {"proration_discounts": "included", **(given.get("flexible") or {})}
    flexible = cast("api.SubscriptionsResourceBillingModeFlexible", details) if given["type"] == "flexible" else None
    return {"flexible": flexible, "type": given["type"], "updated_at": now}


def _blank(
    call: Call, params: Mapping[str, Any], customer: StoredCustomer, currency: str, schedule: str | None
) -> StoredSubscription:
    """Return a new subscription with default values, not stored."""
    mode = fields.given(params.get("billing_mode") or {}, "type", default_mode(call))
    subscription = new_object(
        kinds.SUBSCRIPTION,
        id=call.ids.new("sub"),
        automatic_tax={"disabled_reason": None, "enabled": False, "liability": None},
        billing_cycle_anchor=call.now,
        billing_mode=mode_of({**(params.get("billing_mode") or {}), "type": mode}, call.now),
        cancel_at_period_end=False,
        cancellation_details={"comment": None, "feedback": None, "reason": None},
        collection_method="charge_automatically",
        created=call.now,
        currency=currency,
        customer=customer["id"],
        invoice_settings={"account_tax_ids": None, "issuer": {"type": "self"}},
        livemode=call.livemode,
        payment_settings={
            "payment_method_options": None,
            "payment_method_types": None,
            "save_default_payment_method": "off",
        },
        schedule=schedule,
        start_date=fields.given(params, "backdate_start_date", call.now),
        status=states.SUBSCRIPTION.start("active"),
        test_clock=customer.get("test_clock"),
        trial_settings={"end_behavior": {"missing_payment_method": "create_invoice"}},
    )
    subscription["billing_schedules"] = []
    subscription["plan"] = subscription["quantity"] = None
    return ordered(subscription)


def _store_and_bill(
    call: Call,
    subscription: StoredSubscription,
    items: list[StoredSubscriptionItem],
    params: Mapping[str, Any],
    customer: StoredCustomer,
) -> StoredSubscription:
    """Store the subscription and bill its first period."""
    behavior = fields.given(
        params, "payment_behavior", "error_if_incomplete" if call.version < _ERROR_BEFORE else "allow_incomplete"
    )
    automatic = subscription["collection_method"] == "charge_automatically"
    lines = first_lines(call, subscription, items, params)
    planned = call.ids.new("in")
    lines += added_lines(call, subscription, params, customer, planned)
    charges = (
        sum(line["amount"] for line in lines) > 0
        and automatic
        and not _fully_discounted(call, subscription, customer, lines)
    )
    trialing = subscription["status"] == "trialing"
    waits = (
        not automatic or subscription["schedule"] is not None
    )  # the first invoice stays a draft for an hour, like renewals
    charges = charges and not waits
    if charges and behavior != "default_incomplete" and not _has_method(call, subscription, customer):
        raise payments.no_method()
    if charges and not trialing:
        states.begin(subscription, "incomplete")
    invoice_id = planned if lines else None
    subscription["latest_invoice"] = invoice_id
    store_items(call, subscription, items)
    call.objects.insert(subscription, CREATED)
    if invoice_id is not None:
        invoice = create_draft_invoice(
            call,
            subscription,
            lines,
            reason="subscription_create",
            period=(call.now, call.now),
            id=invoice_id,
            advance=waits,
        )
        call.objects.save(subscription)
        if not waits:
            collect_now(call, invoice, behavior, off_session=fields.given(params, "off_session", False))
        elif subscription["pause_collection"] is not None:
            apply_pause_behavior(call, subscription, invoice)
    if not charges and subscription["schedule"] is None:
        setups.prepare(call, subscription, customer, behavior)
    if subscription["status"] == "incomplete":
        call.schedule.add(
            call.now + INCOMPLETE_SECONDS, jobs.SUBSCRIPTION_EXPIRE, subscription["id"], subscription["test_clock"]
        )
    trial_end = subscription["trial_end"]
    if trialing and trial_end is not None and trial_end - TRIAL_NOTICE <= call.now:
        subscription["_trial_notice"] = True
        call.emit("customer.subscription.trial_will_end", subscription)
    schedule_jobs(call, subscription)
    return call.objects.save(subscription)


def _has_method(call: Call, subscription: StoredSubscription, customer: StoredCustomer) -> bool:
    """Return whether the subscription has a payment method to charge."""
    return payments.method_of(call, None, subscription, customer) is not None


def _fully_discounted(
    call: Call, subscription: StoredSubscription, customer: StoredCustomer, lines: list[StoredLine]
) -> bool:
    """Return whether discounts and the customer's balance cover these lines."""
    found = redemption.effects(call, discounts_of(subscription, customer), subscription["currency"], call.now)
    whole = Money(sum(line["amount"] for line in lines), subscription["currency"])
    left = whole + balance.balance_in(customer, whole.currency)
    return not left.is_positive or any(
        off.percent == 100 or (off.amount is not None and off.amount >= whole and whole.is_positive)
        for off in found
        if not off.products
    )
