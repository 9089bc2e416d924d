"""The kinds of objects of this room, with their types."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollkey.wire.kinds import Kind

if TYPE_CHECKING:
    from tollkey.payments.catalog.stored import StoredPrice
    from tollkey.payments.usage.stored import StoredAlert, StoredCreditGrant, StoredCreditTransaction
    from tollkey.wire import api

ALERT: Kind[StoredAlert] = Kind("billing.alert")
GRANT: Kind[StoredCreditGrant] = Kind("billing.credit_grant")
TRANSACTION: Kind[StoredCreditTransaction] = Kind("billing.credit_balance_transaction")
METER: Kind[api.BillingMeter] = Kind("billing.meter")
METER_EVENT: Kind[api.BillingMeterEvent] = Kind("billing.meter_event")
ADJUSTMENT: Kind[api.BillingMeterEventAdjustment] = Kind("billing.meter_event_adjustment")
SUMMARY: Kind[api.BillingMeterEventSummary] = Kind("billing.meter_event_summary")
CREDIT_SUMMARY: Kind[api.BillingCreditBalanceSummary] = Kind("billing.credit_balance_summary")
# Of rooms below.
CUSTOMER: Kind[api.Customer] = Kind("customer")
PRICE: Kind[StoredPrice] = Kind("price")
