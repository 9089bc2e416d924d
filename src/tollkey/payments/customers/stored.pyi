"""Customers as they are stored, with their private fields."""

from typing import Any, NotRequired, TypedDict

from tollkey.wire import api

class TaxQuestion(TypedDict):
    """``tax`` as it was sent: where the customer was seen, and when its location is to be checked."""

    ip_address: NotRequired[str | None]
    validate_location: NotRequired[str | None]

class TaxInfo(TypedDict):
    """``tax_info`` of versions before 2019-12-03. type: ``vat``, the only one."""

    tax_id: str
    type: str

class StoredCustomer(api.Customer):
    """A customer.

    _balances: the balances in other currencies than ``currency``, minor units by currency; absent before the first.
    _cash: the cash balance, minor units by currency; absent before the first movement. _reconciliation: the
        ``reconciliation_mode`` that was set; absent or null for the merchant's. _tax: ``tax`` as it was sent last;
        absent when it never was. _tax_info: the tax id that versions before 2019-12-03 show; absent or null without
        one. _funding: the bank account that it transfers to, by currency; absent before it was asked for.
    """

    _funding: NotRequired[dict[str, Any]]
    _balances: NotRequired[dict[str, int]]
    _cash: NotRequired[dict[str, int]]
    _reconciliation: NotRequired[str | None]
    _tax: NotRequired[TaxQuestion]
    _tax_info: NotRequired[TaxInfo | None]

class RememberedCustomer(TypedDict):
    """What stays of a deleted customer. created: when the customer was created, UTC epoch seconds."""

    id: str
    object: str
    created: int

class BalanceChangeDetails(TypedDict):
    """What a transaction of a customer balance tells besides its amount: what caused it (ids), what is said of it."""

    invoice: NotRequired[str]
    credit_note: NotRequired[str]
    description: NotRequired[str | None]
    metadata: NotRequired[dict[str, str]]
