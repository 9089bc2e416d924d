"""The cash balance of a customer as an API resource: funding, reconciliation, and its transactions.

(bank transfer) ──▶ funded ──automatic──▶ applied to the oldest intents that wait for it
                            └─manual────▶ applied by ``/v1/payment_intents/{intent}/apply_customer_balance``
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollkey.ledger import Money
from tollkey.payments.customers import cash
from tollkey.payments.intents import bank_transfers, kinds
from tollkey.payments.intents.payment_intents import TRANSFERS, reconcile, transfer_address
from tollkey.payments.shared import currency as shared_currency
from tollkey.payments.shared import permissions, providers
from tollkey.wire import Call, Endpoint, Page, Resource, invalid, new_object
from tollkey.wire.errors import too_small
from tollkey.wire.live import needs, only_in_test, records
from tollkey.wire.pages import list_page

if TYPE_CHECKING:
    from tollkey.payments.customers.stored import StoredCustomer
    from tollkey.wire import api, operations

PERMISSION = permissions.CUSTOMER


def _customer(call: Call) -> StoredCustomer:
    customer = call.objects.get(kinds.CUSTOMER, call.path["customer"])
    if customer.get("deleted"):
        raise call.objects.missing(kinds.CUSTOMER, call.path["customer"])
    return customer


def retrieve_balance(call: Call, params: operations.GetCustomersCustomerCashBalance) -> api.CashBalance:
    """Retrieve a customer's cash balance."""
    return cash.cash_balance(call, _customer(call))


def update_balance(call: Call, params: operations.PostCustomersCustomerCashBalance) -> api.CashBalance:
    """Change whether cash is applied automatically."""
    customer = _customer(call)
    mode = (params.get("settings") or {}).get("reconciliation_mode")
    if mode is not None:
        customer["_reconciliation"] = None if mode == "merchant_default" else mode
        call.objects.save(customer)
    return cash.cash_balance(call, customer)


def fund(
    call: Call, params: operations.PostTestHelpersCustomersCustomerFundCashBalance
) -> api.CustomerCashBalanceTransaction:
    """Simulate a bank transfer (test mode). Raises ApiError 400 for an unsupported currency or an amount of 0."""
    customer, currency, amount = _customer(call), shared_currency.check_currency(params["currency"]), params["amount"]
    if amount < 1:
        raise too_small("amount")
    if currency not in TRANSFERS:
        raise invalid(f"Bank transfers are not available in {currency}.", "currency")
    kind = f"{TRANSFERS[currency]}_bank_transfer"
    transfer = {"reference": params.get("reference"), "type": kind, kind: {"sender_name": "Jenny Rosen"}}
    made = cash.move_cash(call, customer, Money(amount, currency), "funded", {"bank_transfer": transfer})
    call.emit("cash_balance.funds_available", cash.cash_balance(call, customer))
    if customer.get("_reconciliation") != "manual":
        reconcile(call, customer, currency)
    return made


def funding_instructions(
    call: Call, params: operations.PostCustomersCustomerFundingInstructions
) -> api.FundingInstructions:
    """Return the bank account for transfers; it is always the same one for a currency and country."""
    customer, currency = _customer(call), shared_currency.check_currency(params["currency"])
    if currency not in TRANSFERS:
        raise invalid(f"Bank transfers are not available in {currency}.", "currency")
    country = bank_transfers.asked_country(currency, params["bank_transfer"], "bank_transfer")
    known = customer.setdefault("_funding", {})
    key = currency if country == bank_transfers.COUNTRIES[currency] else f"{currency}-{country}"
    if key not in known:
        known[key] = transfer_address(call, currency, country)
        call.objects.save(customer)
    kind = f"{TRANSFERS[currency]}_bank_transfer"
    transfer = {"country": country, "financial_addresses": [known[key]], "type": kind}
    return new_object(
        kinds.FUNDING,
        bank_transfer=transfer,
        currency=currency,
        funding_type="bank_transfer",
        livemode=call.livemode,
    )


def list_transactions(call: Call, params: operations.GetCustomersCustomerCashBalanceTransactions) -> Page:
    """List the transactions of a customer's cash balance."""
    customer = _customer(call)["id"]
    url = f"/v1/customers/{customer}/cash_balance_transactions"
    return list_page(call, "customer_cash_balance_transaction", params, {"customer": customer}, url=url)


def retrieve_transaction(
    call: Call, params: operations.GetCustomersCustomerCashBalanceTransactionsTransaction
) -> api.CustomerCashBalanceTransaction:
    """Retrieve a transaction of a customer's cash balance."""
    found = call.objects.get(kinds.CASH_TRANSACTION, call.path["transaction"])
    if found["customer"] != call.path["customer"]:
        raise call.objects.missing("customer_cash_balance_transaction", call.path["transaction"])
    return found


CASH_BALANCE_TRANSACTION = Resource(
    object="customer_cash_balance_transaction",
    prefix="ccsbtxn",
    permission=PERMISSION,
    live=records(),
    path_param="transaction",
    indexed=("customer",),
    endpoints=(
        Endpoint("GET", "/v1/customers/{customer}/cash_balance", retrieve_balance, object="cash_balance"),
        Endpoint("POST", "/v1/customers/{customer}/cash_balance", update_balance, object="cash_balance"),
        Endpoint("GET", "/v1/customers/{customer}/cash_balance_transactions", list_transactions),
        Endpoint("GET", "/v1/customers/{customer}/cash_balance_transactions/{transaction}", retrieve_transaction),
        Endpoint(
            "POST",
            "/v1/customers/{customer}/funding_instructions",
            funding_instructions,
            object="funding_instructions",
            live=needs(providers.BANK_TRANSFERS),
        ),
        Endpoint("POST", "/v1/test_helpers/customers/{customer}/fund_cash_balance", fund, live=only_in_test()),
    ),
    title="Cash balance transactions",
    columns=("id", "type", "net_amount", "currency", "created"),
)
