"""The challenge page: where the customer stands in for the bank, and passes or fails the authentication."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

from tollkey.payments._common import acting_account
from tollkey.payments._currency import show
from tollkey.wire import Call, Json, Reply, dig, html_page, redirect, with_query

_WAITING = "requires_action"


def challenge_page(call: Call, intent: Json, title: str) -> Reply:
    """The page itself, or what became of the intent when nothing is asked any more.

    title: what is authorized, in a few words.
    """
    path = call.origin.path
    if intent["status"] != _WAITING:
        return _done(intent)
    shop = str(dig(acting_account(call) or {}, "business_profile.name") or "Tollkey")
    facts = [("Business", shop)]
    if intent.get("amount") is not None:
        facts.insert(0, ("Amount", f"{show(intent['amount'], intent['currency'])} {intent['currency'].upper()}"))
    rows = "\n".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in facts)
    mode = "" if call.livemode else '<p class="note">Test mode: no bank is asked. Choose what it would answer.</p>'
    body = (
        f"<h1>{escape(title)}</h1>\n<dl>\n{rows}\n</dl>\n{mode}\n"
        f'<form method="post" action="{escape(path)}/complete"><button type="submit" autofocus>Complete authentication</button></form>\n'
        f'<form method="post" action="{escape(path)}/fail"><button type="submit" class="second">Fail authentication</button></form>'
    )
    return html_page(title, body, leads_to=intent.get("_return_url"))


def answer_challenge(call: Call, intent: Json, work: Callable[[Call, Json], None]) -> Reply:
    """Do what the customer chose, and send them back to the shop, which is told how it went."""
    if intent["status"] == _WAITING:
        work(call, intent)
    if not intent.get("_return_url"):
        return _done(intent)
    name = intent["object"]
    status = "succeeded" if intent["status"] in ("succeeded", "requires_capture", "requires_confirmation") else "failed"
    status = "pending" if intent["status"] == "processing" else status
    told = {name: intent["id"], f"{name}_client_secret": intent["client_secret"], "redirect_status": status}
    return redirect(with_query(intent["_return_url"], **told))


def _done(intent: Json) -> Reply:
    good = intent["status"] in ("succeeded", "requires_capture", "requires_confirmation", "processing")
    title = "Authentication complete" if good else "Authentication not complete"
    return html_page(title, f"<h1>{title}</h1>\n<p>You may close this page.</p>")
