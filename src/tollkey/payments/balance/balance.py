"""The balance of an account, and the balance transactions it consists of.

charge, refund, dispute, … ──▶ balance transaction: pending ──available_on──▶ available
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from tollkey import ledger
from tollkey.keys import Permission
from tollkey.ledger.books import CONNECT_RESERVED, ISSUING
from tollkey.payments.balance import jobs, kinds, reconciliation, reserves
from tollkey.payments.balance.payout_schedule import plan
from tollkey.payments.balance.transactions import cover_debt, current, write_off
from tollkey.payments.shared import events, fields, providers
from tollkey.wire import Call, Endpoint, Page, Resource
from tollkey.wire.live import needs, records
from tollkey.wire.pages import list_page
from tollkey.wire.resource import Reaction

if TYPE_CHECKING:
    from tollkey.payments.balance.stored import StoredBalanceTransaction
    from tollkey.wire import api, operations

PERMISSION = Permission("balance", "Balance", "Core", levels=("read",))
TRANSACTIONS = Permission("balance_transaction_source", "Balance transaction sources", "Core", levels=("read",))


def balance(call: Call, params: operations.GetBalance) -> api.Balance:
    """Retrieve the balance: available and pending amounts, by currency and source type."""
    books = dict(ledger.balance(call.tx, call.scope, call.now))
    default = str((fields.acting_account(call) or {}).get("default_currency") or "usd")
    books.setdefault(default, ledger.Balance(0, 0, {"card": (0, 0)}))
    available: list[api.BalanceAmount] = []
    pending: list[api.BalanceAmount] = []
    for currency, book in sorted(books.items(), key=lambda item: (item[0] != default, item[0])):
        parts = book.by_source or {"card": (0, 0)}
        available.append(
            {
                "amount": book.available,
                "currency": currency,
                "source_types": _by_type({kind: part[0] for kind, part in parts.items()}),
            }
        )
        pending.append(
            {
                "amount": book.pending,
                "currency": currency,
                "source_types": _by_type({kind: part[1] for kind, part in parts.items()}),
            }
        )
    answer: api.Balance = {"object": "balance", "available": available, "livemode": call.livemode, "pending": pending}
    instant: list[api.BalanceAmountNet] = [
        {"amount": line["amount"], "currency": line["currency"], "source_types": {"card": line["amount"]}}
        for line in available
        if line["amount"] > 0
    ]
    if instant and not call.livemode:
        answer["instant_available"] = instant
    if call.objects.query(fields.ACCOUNT, limit=2)[1:]:
        answer["connect_reserved"] = _reserved(call, [line["currency"] for line in available])
    issuing = ledger.balance(call.tx, call.scope, call.now, ISSUING)
    if issuing:
        answer["issuing"] = {
            "available": [{"amount": book.available, "currency": code} for code, book in sorted(issuing.items())]
        }
    answer["refund_and_dispute_prefunding"] = {
        "available": [{"amount": 0, "currency": default}],
        "pending": [{"amount": 0, "currency": default}],
    }
    return answer


def _reserved(call: Call, currencies: Sequence[str]) -> list[api.BalanceAmount]:
    """Return ``connect_reserved`` of a platform: what it reserves for accounts with a negative balance.

    currencies: those of its own balance, which are listed also when nothing is reserved.
    """
    held = ledger.balance(call.tx, call.scope, call.now, CONNECT_RESERVED)
    every = [*currencies, *sorted(held.keys() - set(currencies))]
    return [{"amount": held[currency].available if currency in held else 0, "currency": currency} for currency in every]


def _by_type(amounts: dict[str, int]) -> api.BalanceAmountBySourceType:
    """Return minor units by source type; the ledger uses the same source types."""
    return cast("api.BalanceAmountBySourceType", amounts)


def _instant(call: Call, shown: api.Balance) -> list[api.BalanceAmountNet]:
    """Return ``instant_available`` with ``net_available``: the instant payout that each external account can
    receive.
    """
    account = fields.acting_account(call) or {}
    every = (account.get("external_accounts") or {}).get("data") or []
    able = [one for one in every if ((account.get("_external") or {}).get(one["id"]) or {}).get("_instant")]
    lines = shown.get("instant_available") or []
    for line in lines:
        amount, types = line["amount"], line["source_types"]
        line["net_available"] = [
            {"amount": amount, "source_types": types, "destination": one["id"]}
            for one in able
            if one["currency"] == line["currency"]
        ]
    return lines


def announce_available_balance(call: Call, id: str) -> None:
    """Run the job ``balance.available``: emit the event, give back reserves and schedule the next automatic payout.

    id: the time the money became available, UTC epoch seconds as text.
    """
    for currency in reserves.currencies(call):
        cover_debt(call, currency)
    call.emit("balance.available", balance(call, {}))
    plan(call, int(id))


def list_transactions(call: Call, params: operations.GetBalanceHistory | operations.GetBalanceTransactions) -> Page:
    """List balance transactions by ``type``, ``source``, ``currency`` or ``payout``."""
    filters = {"type": "type", "source": "source", "currency": "currency", "payout": "_payout"}
    given: Mapping[str, Any] = params  # the names of the filters are computed
    equal: dict[str, str | Sequence[str]] = {
        field: str(given[name]) for name, field in filters.items() if given.get(name)
    }
    page = list_page(call, "balance_transaction", params, equal, url="/v1/balance_transactions")
    for value in page.data:
        current(call, value)
    return page


def transaction(
    call: Call, params: operations.GetBalanceHistoryId | operations.GetBalanceTransactionsId
) -> StoredBalanceTransaction:
    """Retrieve one balance transaction."""
    return call.objects.get(kinds.BALANCE_TRANSACTION, call.path["id"])


def _endpoints(path: str) -> tuple[Endpoint, ...]:
    return (Endpoint("GET", path, list_transactions), Endpoint("GET", path + "/{id}", transaction))


BALANCE = Resource(
    object="balance",
    permission=PERMISSION,
    live=records(),
    endpoints=(Endpoint("GET", "/v1/balance", balance),),
    stored=False,
    expands={"instant_available": _instant},
    due_live={
        jobs.BALANCE_AVAILABLE: needs(providers.PAYMENTS),
        jobs.BALANCE_WRITE_OFF: needs(providers.CHARGES),
    },
    on_due={jobs.BALANCE_AVAILABLE: announce_available_balance, jobs.BALANCE_WRITE_OFF: write_off},
    on=(Reaction(events.Settled, reconciliation.settled),),
    title="Balance",
)

BALANCE_TRANSACTION = Resource(
    object="balance_transaction",
    prefix="txn",
    permission=TRANSACTIONS,
    indexed=("type", "source", "currency", "_payout"),
    endpoints=(*_endpoints("/v1/balance_transactions"), *_endpoints("/v1/balance/history")),
    view=current,
    label="balance transaction",
    title="Balance transactions",
    columns=("type", "amount", "net", "id", "created"),
)
