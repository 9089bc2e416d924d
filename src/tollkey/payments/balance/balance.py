"""The balance, and the transactions that it is made of.

charge, refund, dispute, … ──▶ balance transaction: pending ──available_on──▶ available
"""

from __future__ import annotations

from collections.abc import Sequence

from tollkey import ledger
from tollkey.keys import Permission
from tollkey.payments.balance import jobs
from tollkey.payments.balance.payout_schedule import plan
from tollkey.payments.balance.transactions import current
from tollkey.payments.shared import fields, providers
from tollkey.wire import Call, Endpoint, Json, Page, Params, Resource, list_page, needs, records

PERMISSION = Permission("balance", "Balance", "Core", levels=("read",))
TRANSACTIONS = Permission("balance_transaction_source", "Balance transaction sources", "Core", levels=("read",))


def balance(call: Call, params: Params) -> Json:
    """Retrieve the balance: what is available and what is pending, by currency and source type."""
    books = dict(ledger.balance(call.tx, call.scope, call.now))
    default = str((fields.acting_account(call) or {}).get("default_currency") or "usd")
    books.setdefault(default, ledger.Balance(0, 0, {"card": (0, 0)}))
    available: list[Json] = []
    pending: list[Json] = []
    for currency, book in sorted(books.items(), key=lambda item: (item[0] != default, item[0])):
        parts = book.by_source or {"card": (0, 0)}
        available.append(
            {
                "amount": book.available,
                "currency": currency,
                "source_types": {kind: part[0] for kind, part in parts.items()},
            }
        )
        pending.append(
            {
                "amount": book.pending,
                "currency": currency,
                "source_types": {kind: part[1] for kind, part in parts.items()},
            }
        )
    answer: Json = {"object": "balance", "available": available, "livemode": call.livemode, "pending": pending}
    instant = [{**line, "source_types": {"card": line["amount"]}} for line in available if line["amount"] > 0]
    if instant and not call.livemode:
        answer["instant_available"] = instant
    if call.objects.query("account", limit=2)[1:]:  # a platform: nothing is held back for its accounts here
        answer["connect_reserved"] = [{"amount": 0, "currency": line["currency"]} for line in available]
    issuing = ledger.balance(call.tx, call.scope, call.now, ledger.ISSUING)
    if issuing:
        answer["issuing"] = {
            "available": [{"amount": book.available, "currency": code} for code, book in sorted(issuing.items())]
        }
    answer["refund_and_dispute_prefunding"] = {
        "available": [{"amount": 0, "currency": default}],
        "pending": [{"amount": 0, "currency": default}],
    }
    return answer


def _instant(call: Call, shown: Json) -> list[Json]:
    """``instant_available`` with ``net_available``: what an instant payout brings to each external account that can
    take one.
    """
    account = fields.acting_account(call) or {}
    every = (account.get("external_accounts") or {}).get("data") or []
    able = [one for one in every if ((account.get("_external") or {}).get(one["id"]) or {}).get("_instant")]
    lines: list[Json] = shown.get("instant_available") or []
    for line in lines:
        net = {"amount": line["amount"], "source_types": line["source_types"]}
        line["net_available"] = [
            {**net, "destination": one["id"]} for one in able if one["currency"] == line["currency"]
        ]
    return lines


def tell(call: Call, id: str) -> None:
    """Money has become available; the account's schedule may pay it out."""
    call.emit("balance.available", balance(call, {}))
    plan(call, int(id))


def list_transactions(call: Call, params: Params) -> Page:
    """List balance transactions by ``type``, ``source``, ``currency`` or ``payout``."""
    filters = {"type": "type", "source": "source", "currency": "currency", "payout": "_payout"}
    equal: dict[str, str | Sequence[str]] = {
        field: str(params[name]) for name, field in filters.items() if params.get(name)
    }
    page = list_page(call, "balance_transaction", params, equal, url="/v1/balance_transactions")
    for value in page.data:
        current(call, value)
    return page


def transaction(call: Call, params: Params) -> Json:
    """Retrieve one balance transaction."""
    return call.objects.get("balance_transaction", call.path["id"])


def _endpoints(path: str) -> tuple[Endpoint, ...]:
    return (Endpoint("GET", path, list_transactions), Endpoint("GET", path + "/{id}", transaction))


BALANCE = Resource(
    object="balance",
    permission=PERMISSION,
    live=records(),
    endpoints=(Endpoint("GET", "/v1/balance", balance),),
    stored=False,
    expands={"instant_available": _instant},
    due_live={jobs.BALANCE_AVAILABLE: needs(providers.CHARGES)},
    on_due={jobs.BALANCE_AVAILABLE: tell},
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
