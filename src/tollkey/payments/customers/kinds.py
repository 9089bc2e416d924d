"""The kinds of objects of this room, with the types that they are stored as."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollkey.wire.kinds import Kind

if TYPE_CHECKING:
    from tollkey.payments.customers.stored import RememberedCustomer, StoredCustomer
    from tollkey.wire import api

CUSTOMER: Kind[StoredCustomer] = Kind("customer")
DELETED_CUSTOMER: Kind[RememberedCustomer] = Kind("deleted_customer")
BALANCE_TRANSACTION: Kind[api.CustomerBalanceTransaction] = Kind("customer_balance_transaction")
CASH_BALANCE: Kind[api.CashBalance] = Kind("cash_balance")
CASH_TRANSACTION: Kind[api.CustomerCashBalanceTransaction] = Kind("customer_cash_balance_transaction")
