"""Hosted pages of intents: the 3-D Secure challenge, micro-deposits, and bank transfer instructions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from html import escape
from typing import TYPE_CHECKING, Any

from tollkey.payments.documents import brand, forms, parties
from tollkey.payments.intents.actions import PAGES
from tollkey.payments.intents.microdeposits import Entered
from tollkey.payments.shared import fields
from tollkey.wire import ApiError, Call, Reply
from tollkey.wire.hosted import Look, redirect, with_query
from tollkey.wire.languages import Text
from tollkey.wire.objects import value_at

if TYPE_CHECKING:
    from tollkey.payments.intents.stored import AnyIntent

_WAITING = "requires_action"
#: Parts of a bank account that a customer transfers to.
_TRANSFER = {
    "account_holder_name": Text("Account holder name"),
    "account_number": Text("Account number"),
    "account_type": Text("Account type"),
    "bank_code": Text("Bank code"),
    "bank_name": Text("Bank name"),
    "bic": Text("BIC"),
    "branch_code": Text("Branch code"),
    "branch_name": Text("Branch name"),
    "clabe": Text("CLABE"),
    "country": Text("Country"),
    "iban": Text("IBAN"),
    "routing_number": Text("Routing number"),
    "sort_code": Text("Sort code"),
    "swift_code": Text("SWIFT code"),
}


def challenge_page(call: Call, intent: AnyIntent, title: Text, framed: bool) -> Reply:
    """Return the challenge page, or the result if the challenge is over.

    title: what is authorized, a ``Text``. framed: whether Stripe.js shows it in a frame over the shop's page. Only
    in test mode may it be framed: where money moves, a page around it could mislead the customer.
    """
    path = call.origin.path
    look = Look(framed=framed and not call.livemode)
    language = parties.language_of(call, intent.get("customer"))
    say = language.say
    if intent["status"] != _WAITING:
        return _done_page(call, intent, look)
    shop = str(value_at(fields.acting_account(call) or {}, "business_profile.name") or "Tollkey")
    facts = [(say("Business"), shop)]
    amount, of = value_at(intent, "amount"), value_at(intent, "currency")
    if amount is not None:  # a SetupIntent has none
        facts.insert(0, (say("Amount"), f"{language.amount(amount, of)} {of.upper()}"))
    kept = '<input type="hidden" name="framed" value="1">' if framed else ""
    focus = "" if framed else " autofocus"  # browsers refuse it within a frame of another origin, and say so
    told = escape(say("Test mode: no bank is asked. Choose what it would answer."))
    mode = "" if call.livemode else f'<p class="note">{told}</p>'
    body = (
        f"{brand.rows(facts)}\n{mode}\n"
        f'<form method="post" action="{escape(path)}/complete">{kept}<button type="submit"{focus}'
        f' id="test-source-authorize-3ds">{escape(say("Complete authentication"))}</button></form>\n'
        f'<form method="post" action="{escape(path)}/fail">{kept}<button type="submit" class="second"'
        f' id="test-source-fail-3ds">{escape(say("Fail authentication"))}</button></form>'
    )
    return brand.page(call, language, say(title), body, leads_to=intent.get("_return_url"), framed=look.framed)


def answer_challenge(call: Call, intent: AnyIntent, answer: Callable[[Call, Any], None], framed: bool) -> Reply:
    """Call ``answer`` if the challenge is open, and redirect the customer to the return URL with the result.

    framed: whether Stripe.js shows the page; it takes the customer to the return URL itself.
    """
    if _waits_here(call, intent):
        answer(call, intent)
    if framed or not intent.get("_return_url"):
        return _done_page(call, intent, Look(framed=framed and not call.livemode))
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
    language = parties.language_of(call, intent.get("customer"))
    say = language.say
    if value_at(intent, "next_action.type") != "verify_with_microdeposits":
        return brand.closing(call, language, say("Nothing to verify"))
    path = escape(call.origin.path.removesuffix("/verify"))
    told = escape(say("Look for a deposit whose description holds a six-character code that begins with SM."))
    test = escape(say("Test mode: SM11AA verifies the account."))
    mode = "" if call.livemode else f'<p class="note">{test}</p>'
    form = forms.Form({}, "descriptor_code", problem, language) if problem else forms.Form(language=language)
    field = form.input("descriptor_code", say("Code"), secret=True, maxlength="6", autocomplete="off")
    body = (
        f'<p>{told}</p>\n{mode}\n<form method="post" action="{path}/verify">{field}'
        f"<button>{escape(say('Verify'))}</button></form>"
    )
    return brand.page(call, language, say("Verify your bank account"), body, status=400 if problem else 200)


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
    language = parties.language_of(call, intent.get("customer"))
    return brand.closing(call, language, language.say("Bank account verified"))


def transfer_page(call: Call, intent: AnyIntent) -> Reply:
    """Return the page with the amount and the bank account of a transfer."""
    inner = value_at(intent, "next_action.display_bank_transfer_instructions")
    language = parties.language_of(call, intent.get("customer"))
    say = language.say
    if inner is None:
        return brand.closing(call, language, say("Nothing to pay"))
    address = inner["financial_addresses"][0]
    amount = language.amount(inner["amount_remaining"], inner["currency"])
    facts = {say("Amount"): f"{amount} {inner['currency'].upper()}", say("Reference"): inner["reference"]}
    for name, value in address[address["type"]].items():
        if isinstance(value, str):
            facts[say(_TRANSFER.get(name, Text(name.replace("_", " ").capitalize())))] = value
    return brand.page(call, language, say("Pay by bank transfer"), brand.rows(facts.items()))


def _done_page(call: Call, intent: AnyIntent, look: Look) -> Reply:
    good = intent["status"] in ("succeeded", "requires_capture", "requires_confirmation", "processing")
    language = parties.language_of(call, intent.get("customer"))
    title = language.say("Authentication complete") if good else language.say("Authentication not complete")
    return brand.closing(call, language, title, framed=look.framed)
