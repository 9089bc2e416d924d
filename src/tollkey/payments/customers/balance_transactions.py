"""Customer balance transactions: the changes of a customer's balance. A negative amount is credit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollkey.ledger import Money
from tollkey.payments.customers import kinds
from tollkey.payments.customers.balance import change_balance
from tollkey.payments.shared import clock, fields, permissions
from tollkey.payments.shared import currency as shared_currency
from tollkey.wire import Call, Endpoint, Page, Resource, invalid
from tollkey.wire.errors import missing_object
from tollkey.wire.live import records
from tollkey.wire.pages import list_page

if TYPE_CHECKING:
    from tollkey.wire import api, operations


def create(call: Call, params: operations.PostCustomersCustomerBalanceTransactions) -> api.CustomerBalanceTransaction:
    """Change a customer's balance: a negative amount is credit, a positive one debt."""
    customer = call.objects.get(kinds.CUSTOMER, call.path["customer"])
    if params["amount"] == 0:
        raise invalid("Amount must be non-zero.", "amount", "parameter_invalid_integer")
    currency = shared_currency.check_currency(params["currency"])
    now = clock.for_customer(call, customer)
    return change_balance(
        now,
        customer,
        Money(params["amount"], currency),
        "adjustment",
        description=params.get("description"),
        metadata=params.get("metadata") or {},
    )


def _get(call: Call) -> api.CustomerBalanceTransaction:
    call.objects.get(kinds.CUSTOMER, call.path["customer"])
    transaction = call.objects.get(kinds.BALANCE_TRANSACTION, call.path["transaction"])
    if transaction["customer"] != call.path["customer"]:
        raise missing_object("customer_balance_transaction", transaction["id"], "transaction", in_path=True)
    return transaction


def show(
    call: Call, params: operations.GetCustomersCustomerBalanceTransactionsTransaction
) -> api.CustomerBalanceTransaction:
    """Retrieve a customer balance transaction."""
    return _get(call)


def update(
    call: Call, params: operations.PostCustomersCustomerBalanceTransactionsTransaction
) -> api.CustomerBalanceTransaction:
    """Change the description or metadata of a customer balance transaction."""
    transaction = _get(call)
    fields.assign_with_metadata(transaction, params, ("description",))
    return call.objects.save(transaction)


def list_transactions(call: Call, params: operations.GetCustomersCustomerBalanceTransactions) -> Page:
    """List the balance transactions of a customer."""
    customer = call.objects.get(kinds.CUSTOMER, call.path["customer"])["id"]
    equal = {"customer": customer, **({"invoice": params["invoice"]} if params.get("invoice") else {})}
    return list_page(
        call, "customer_balance_transaction", params, equal, url=f"/v1/customers/{customer}/balance_transactions"
    )


CUSTOMER_BALANCE_TRANSACTION = Resource(
    object="customer_balance_transaction",
    prefix="cbtxn",
    permission=permissions.CUSTOMER,
    live=records(),
    path_param="transaction",
    indexed=("customer", "invoice"),
    endpoints=(
        Endpoint("GET", "/v1/customers/{customer}/balance_transactions", list_transactions),
        Endpoint("POST", "/v1/customers/{customer}/balance_transactions", create),
        Endpoint("GET", "/v1/customers/{customer}/balance_transactions/{transaction}", show),
        Endpoint("POST", "/v1/customers/{customer}/balance_transactions/{transaction}", update),
    ),
    title="Customer balance",
    columns=("id", "customer", "amount", "currency", "type", "created"),
)
