"""The page of a redirect source: in test mode the customer authorizes or fails the payment on it."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from tollkey.payments.documents import brand, parties
from tollkey.payments.methods import jobs, kinds, states
from tollkey.payments.methods.source_flows import chargeable
from tollkey.wire import Call, Reply
from tollkey.wire.hosted import redirect, with_query

if TYPE_CHECKING:
    from tollkey.payments.methods.stored import StoredSource
    from tollkey.wire import operations


def page(call: Call, params: operations.GetSourceRedirectToken) -> Reply:
    """Show the page of a redirect source: authorize or fail the payment."""
    source = call.objects.get(kinds.SOURCE, call.path["id"])
    language = parties.language_of(call, source.get("customer"))
    say = language.say
    if source["status"] != "pending":
        return brand.closing(call, language, say("This payment has been answered."))
    amount, currency = source["amount"], source["currency"]
    facts = [(say("Method"), source["type"].replace("_", " ").capitalize())]
    if amount is not None and currency:
        facts.insert(0, (say("Amount"), f"{language.amount(amount, currency)} {currency.upper()}"))
    path = escape(call.origin.path)
    body = (
        f"{brand.rows(facts)}\n"
        f'<form method="post" action="{path}/authorize"><button type="submit" autofocus>'
        f"{escape(say('Authorize test payment'))}</button></form>\n"
        f'<form method="post" action="{path}/fail"><button type="submit" class="second">'
        f"{escape(say('Fail test payment'))}</button></form>"
    )
    title, to = say("Authorize this test payment"), source["redirect"]["return_url"]
    return brand.page(call, language, title, body, leads_to=to)


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
