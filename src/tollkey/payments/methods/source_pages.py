"""The page of a redirect source: in test mode the customer authorizes or fails the payment on it."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from tollkey.payments.methods import jobs, kinds, states
from tollkey.payments.methods.source_flows import chargeable
from tollkey.payments.shared import currency as shared_currency
from tollkey.wire import Call, Reply
from tollkey.wire.hosted import html_page, redirect, with_query

if TYPE_CHECKING:
    from tollkey.payments.methods.stored import StoredSource
    from tollkey.wire import operations


def page(call: Call, params: operations.GetSourceRedirectToken) -> Reply:
    """Show the page of a redirect source: authorize or fail the payment."""
    source = call.objects.get(kinds.SOURCE, call.path["id"])
    if source["status"] != "pending":
        return html_page("Payment", "<h1>This payment has been answered.</h1>\n<p>You may close this page.</p>")
    amount, currency = source["amount"], source["currency"]
    shown = (
        escape(f"{shared_currency.show(amount, currency)} {currency.upper()}")
        if amount is not None and currency
        else ""
    )
    path = escape(call.origin.path)
    body = (
        f"<h1>Authorize this test payment</h1>\n<dl>\n<dt>Amount</dt><dd>{shown}</dd>\n"
        f"<dt>Method</dt><dd>{escape(source['type'])}</dd>\n</dl>\n"
        f'<form method="post" action="{path}/authorize"><button type="submit" autofocus>Authorize test'
        f" payment</button></form>\n"
        f'<form method="post" action="{path}/fail"><button type="submit" class="second">Fail test'
        f" payment</button></form>"
    )
    return html_page("Authorize this test payment", body, leads_to=source["redirect"]["return_url"])


def authorize(call: Call, params: operations.PostSourceRedirectTokenAuthorize) -> Reply:
    """Authorize the payment: the source becomes chargeable."""
    source = call.objects.get(kinds.SOURCE, call.path["id"])
    if source["status"] == "pending":
        source["redirect"] = {**source["redirect"], "status": "succeeded"}
        chargeable(call, source)
    return _back(source)


def refuse(call: Call, params: operations.PostSourceRedirectTokenFail) -> Reply:
    """Fail the payment: the source becomes failed."""
    source = call.objects.get(kinds.SOURCE, call.path["id"])
    if source["status"] == "pending":
        source["redirect"] = {**source["redirect"], "status": "failed", "failure_reason": "user_abort"}
        states.SOURCE.set(source, "failed")
        call.objects.save(source)
        call.emit("source.failed", source)
        call.schedule.cancel(jobs.SOURCE_EXPIRE, source["id"])
    return _back(source)


def _back(source: StoredSource) -> Reply:
    facts = {
        "source": source["id"],
        "client_secret": source["client_secret"],
        "livemode": str(source["livemode"]).lower(),
    }
    return redirect(with_query(source["redirect"]["return_url"], **facts))
