"""Payment methods that the page saves, and those that a returning customer saved before.

Which of them are shown, and whether the customer may save and remove them, is decided by
``saved_payment_method_options``. A saved method is shown again if its ``allow_redisplay`` is one of the session's
filters: what a customer saved by the box, and what a session of mode ``setup`` saved, is ``always``; what a
subscription or ``setup_future_usage`` needs is ``limited`` (Stripe's support page about saved cards in Checkout).
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from tollkey.payments.checkout import kinds
from tollkey.payments.documents import forms, icons
from tollkey.payments.methods import method_types
from tollkey.wire import Call
from tollkey.wire.languages import Language, Text
from tollkey.wire.objects import value_at

if TYPE_CHECKING:
    from tollkey.payments.checkout.stored import StoredSession
    from tollkey.payments.methods.stored import StoredPaymentMethod

#: Name and title of the tab with saved payment methods, beside the types of new ones.
SAVED, TITLE = "saved", Text("Saved")
_MOST_SHOWN = 20
_AGREED = {
    "setup": Text(
        "By saving your payment details you allow {business} to charge you for future payments under its terms."
    ),
    "subscription": Text("By subscribing you allow {business} to charge you for future payments until you cancel."),
    "payment": Text("By paying you allow {business} to charge this payment method again under its terms."),
}


def saved_methods(call: Call, session: StoredSession) -> list[StoredPaymentMethod]:
    """Return the payment methods that the session's customer may choose from, newest first.

    Only of a customer whom the session was created with, and in the modes ``payment`` and ``subscription``.
    """
    if not session["customer"] or session["customer_creation"] is not None or session["mode"] == "setup":
        return []
    filters = value_at(session.get("saved_payment_method_options"), "allow_redisplay_filters") or ["always"]
    return call.objects.query(
        kinds.PAYMENT_METHOD,
        {"customer": session["customer"], "type": session["payment_method_types"], "allow_redisplay": filters},
        limit=_MOST_SHOWN,
    )


def may_remove(session: StoredSession) -> bool:
    """Return whether the customer may remove saved payment methods."""
    options = session.get("saved_payment_method_options")
    return options is not None and options.get("payment_method_remove") == "enabled"


def may_save(session: StoredSession, kind: str) -> bool:
    """Return whether the page offers to save a new payment method. kind: its type."""
    known = method_types.TYPES.get(kind)
    options = session.get("saved_payment_method_options")
    wanted = options is not None and options.get("payment_method_save") == "enabled"
    return wanted and known is not None and known.reusable


def redisplay_of(session: StoredSession, keep: bool) -> str | None:
    """Return ``allow_redisplay`` of a new payment method; None to leave it. keep: whether the customer saves it."""
    if "_allow_redisplay" in session:
        return session["_allow_redisplay"]
    if keep or session["mode"] == "setup":
        return "always"
    return "limited" if reuses(session) else None


def reuses(session: StoredSession) -> bool:
    """Return whether the business keeps the payment method for later, whatever the customer chooses."""
    return session["mode"] != "payment" or bool(session["_payment_intent_data"].get("setup_future_usage"))


def choice(methods: list[StoredPaymentMethod], form: forms.Form) -> str:
    """Return the saved payment methods as a choice; the first is chosen until the form says otherwise."""
    chosen = form.text(SAVED, methods[0]["id"])
    rows = "".join(
        f'<label class="check"><input type="radio" name="{SAVED}" value="{escape(one["id"])}"'
        f"{' checked' if one['id'] == chosen else ''}>"
        f"<span>{_picture(one)}{escape(described(one, form.language))}</span></label>"
        for one in methods
    )
    return f"<fieldset><legend>{escape(form.say('Saved payment methods'))}</legend>{rows}</fieldset>"


def _picture(method: StoredPaymentMethod) -> str:
    """Return the picture of a card's brand; empty for what has none."""
    brand = value_at(method, "card.brand")
    return f"{icons.card(brand, silent=True)} " if brand in icons.BRANDS else ""


def removal(session: StoredSession, methods: list[StoredPaymentMethod], path: str, language: Language) -> str:
    """Return a button for each saved payment method that removes it; empty if the session does not allow that."""
    if not may_remove(session):
        return ""
    return "<hr>" + "".join(
        f'<form method="post" action="{path}/remove"><input type="hidden" name="{SAVED}" value="{escape(one["id"])}">'
        f'<button class="second">{escape(language.say("Remove {name}", name=described(one, language)))}</button></form>'
        for one in methods
    )


def described(method: StoredPaymentMethod, language: Language) -> str:
    """Return what a customer recognizes a payment method by, such as ``Visa ending in 4242, expires 12/34``."""
    card = method.get("card")
    if card is not None:
        brand, until = icons.brand_name(card["brand"]), f"{card['exp_month']:02} / {card['exp_year'] % 100:02}"
        return language.say(
            "{brand} ending in {last4}, expires {expiry}", brand=brand, last4=card["last4"] or "", expiry=until
        )
    name = method["type"].replace("_", " ").capitalize()
    digits = value_at(method, f"{method['type']}.last4")
    return language.say("{name} ending in {last4}", name=name, last4=digits) if digits else name


def box(session: StoredSession, kind: str, form: forms.Form) -> str:
    """Return the box by which the customer saves a new payment method; empty if it is not offered. kind: its type."""
    label = form.say("Save my payment details for future purchases")
    return form.check("save", label, optional=True) if may_save(session, kind) else ""


def agreement(session: StoredSession, language: Language) -> str:
    """Return the text about charging the payment method again, unless there is nothing to agree on or it is hidden."""
    asked = session["consent_collection"] or {}
    if not reuses(session) or value_at(asked, "payment_method_reuse_agreement.position") == "hidden":
        return ""
    told = language.say(_AGREED[session["mode"]], business=session["branding_settings"]["display_name"])
    return f'<p class="note">{escape(told)}</p>'
