"""Hosted pages of intents: the 3-D Secure challenge, micro-deposits, and bank transfer instructions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from html import escape
from typing import TYPE_CHECKING, Any

from tollkey.payments.intents.actions import PAGES
from tollkey.payments.intents.microdeposits import Entered
from tollkey.payments.shared import currency, fields
from tollkey.wire import ApiError, Call, Reply
from tollkey.wire.hosted import Look, html_page, redirect, with_query
from tollkey.wire.objects import value_at

if TYPE_CHECKING:
    from tollkey.payments.intents.stored import AnyIntent

_WAITING = "requires_action"


def challenge_page(call: Call, intent: AnyIntent, title: str, framed: bool) -> Reply:
    """Return the challenge page, or the result if the challenge is over.

    title: what is authorized, in a few words. framed: whether Stripe.js shows it in a frame over the shop's page. Only
    in test mode may it be framed: where money moves, a page around it could mislead the customer.
    """
    path = call.origin.path
    look = Look(framed=framed and not call.livemode)
    if not _waits_here(call, intent):
        return _done_page(intent, look)
    shop = str(value_at(fields.acting_account(call) or {}, "business_profile.name") or "Tollkey")
    facts = [("Business", shop)]
    amount, of = value_at(intent, "amount"), value_at(intent, "currency")
    if amount is not None:  # a SetupIntent has none
        facts.insert(0, ("Amount", f"{currency.show(amount, of)} {of.upper()}"))
    rows = "\n".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in facts)
    kept = '<input type="hidden" name="framed" value="1">' if framed else ""
    focus = "" if framed else " autofocus"  # browsers refuse it within a frame of another origin, and say so
    mode = "" if call.livemode else '<p class="note">Test mode: no bank is asked. Choose what it would answer.</p>'
    body = (
        f"<h1>{escape(title)}</h1>\n<dl>\n{rows}\n</dl>\n{mode}\n"
        f'<form method="post" action="{escape(path)}/complete">{kept}<button type="submit"{focus}'
        f' id="test-source-authorize-3ds">Complete authentication</button></form>\n'
        f'<form method="post" action="{escape(path)}/fail">{kept}<button type="submit" class="second"'
        f' id="test-source-fail-3ds">Fail authentication</button></form>'
    )
    return html_page(title, body, leads_to=intent.get("_return_url"), look=look)


def answer_challenge(call: Call, intent: AnyIntent, answer: Callable[[Call, Any], None], framed: bool) -> Reply:
    """Call ``answer`` if the challenge is open, and redirect the customer to the return URL with the result.

    framed: whether Stripe.js shows the page; it takes the customer to the return URL itself.
    """
    if _waits_here(call, intent):
        answer(call, intent)
    if framed or not intent.get("_return_url"):
        return _done_page(intent, Look(framed=framed and not call.livemode))
    name = intent["object"]
    status = "succeeded" if intent["status"] in ("succeeded", "requires_capture", "requires_confirmation") else "failed"
    status = "pending" if intent["status"] == "processing" else status
    secret = intent["client_secret"] or ""
    query = {name: intent["id"], f"{name}_client_secret": secret, "redirect_status": status}
    return redirect(with_query(intent["_return_url"] or "", **query))


def _waits_here(call: Call, intent: AnyIntent) -> bool:
    """Return whether the intent waits for this page, and not for another step, such as a transfer or micro-deposits.

    The page of an earlier step stays known to whoever was sent there.
    """
    page = f"/{PAGES[intent['object']]}/{call.path['token']}"
    return intent["status"] == _WAITING and _names(intent["next_action"], page)


def _names(value: object, page: str) -> bool:
    if isinstance(value, Mapping):
        return any(_names(inner, page) for inner in value.values())
    return isinstance(value, str) and value.endswith(page)


def deposits_page(call: Call, intent: AnyIntent, problem: str | None = None) -> Reply:
    """Return the page for the micro-deposit code. problem: why the last attempt failed."""
    if value_at(intent, "next_action.type") != "verify_with_microdeposits":
        return html_page("Nothing to verify", "<h1>Nothing to verify</h1>\n<p>You may close this page.</p>")
    path = escape(call.origin.path.removesuffix("/verify"))
    error = f'<p class="error" role="alert">{escape(problem)}</p>\n' if problem else ""
    mode = "" if call.livemode else '<p class="note">Test mode: SM11AA verifies the account.</p>'
    body = (
        "<h1>Verify your bank account</h1>\n<p>Look for a deposit whose description holds a six-character code that"
        " begins with SM.</p>\n"
        f'{mode}\n{error}<form method="post" action="{path}/verify"><label for="code">Code</label>'
        '<input id="code" name="descriptor_code" maxlength="6" autocomplete="off" autofocus required>'
        '<button type="submit">Verify</button></form>'
    )
    return html_page("Verify your bank account", body, status=400 if problem else 200)


def answer_deposits(
    call: Call, intent: AnyIntent, code: str | None, verify: Callable[[Call, Any, Entered], object]
) -> Reply:
    """Verify the code that the customer entered, and show a confirmation or the form again.

    Raises what ``verify`` raises for a failure that changes the intent.
    """
    try:
        verify(call, intent, Entered(code=code))
    except ApiError as error:
        if error.keep and not error.guess:
            raise
        return replace(deposits_page(call, intent, error.message), guess=error.guess)
    return html_page("Bank account verified", "<h1>Bank account verified</h1>\n<p>You may close this page.</p>")


def transfer_page(call: Call, intent: AnyIntent) -> Reply:
    """Return the page with the amount and the bank account of a transfer."""
    inner = value_at(intent, "next_action.display_bank_transfer_instructions")
    if inner is None:
        return html_page("Nothing to pay", "<h1>Nothing to pay</h1>\n<p>You may close this page.</p>")
    address = inner["financial_addresses"][0]
    facts = {
        "Amount": f"{currency.show(inner['amount_remaining'], inner['currency'])} {inner['currency'].upper()}",
        "Reference": inner["reference"],
    }
    for name, value in address[address["type"]].items():
        if isinstance(value, str):
            facts[name.replace("_", " ").capitalize()] = value
    rows = "\n".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in facts.items())
    return html_page("Pay by bank transfer", f"<h1>Pay by bank transfer</h1>\n<dl>\n{rows}\n</dl>")


def _done_page(intent: AnyIntent, look: Look) -> Reply:
    good = intent["status"] in ("succeeded", "requires_capture", "requires_confirmation", "processing")
    title = "Authentication complete" if good else "Authentication not complete"
    return html_page(title, f"<h1>{title}</h1>\n<p>You may close this page.</p>", look=look)
