"""The invoice of a paid session in mode ``payment``, if ``invoice_creation`` is enabled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollkey.payments.checkout import kinds
from tollkey.payments.checkout.known import currency_of, delivery_of, invoicing_of
from tollkey.payments.invoices import drafts, lifecycle
from tollkey.wire import Call, Params

if TYPE_CHECKING:
    from tollkey.payments.checkout.stored import StoredSession
    from tollkey.payments.intents.stored import StoredPaymentIntent

_COPIED = ("account_tax_ids", "custom_fields", "description", "footer")


def create_paid_invoice(
    call: Call, session: StoredSession, intent: StoredPaymentIntent | None, discounts: list[str]
) -> None:
    """Create the paid invoice of a session, with its events, and set ``invoice`` of the session.

    The caller saves the session. intent: the payment; None if nothing was due. discounts: ids of the discounts that the
    session redeemed.
    """
    said = invoicing_of(session)["invoice_data"]
    customer = call.objects.get(kinds.CUSTOMER, session["customer"] or "", "customer")
    details = session["customer_details"] or {}
    goods = delivery_of(session)
    rendering = said["rendering_options"] or {}
    base = {"amount_tax_display": None, "pdf": {"page_size": "letter"}, "template": None, "template_version": None}
    told: Params = {name: value for name, value in said.items() if name in _COPIED and value is not None}
    id = call.ids.new("in")
    invoice = drafts.new_invoice(
        call,
        customer,
        drafts.Bill(
            currency=currency_of(session),
            reason="manual",
            lines=[drafts.one_time_line_of(call, customer, id, item) for item in session["_lines"]],
            discounts=discounts,
        ),
        id=id,
        automatic_tax={
            "disabled_reason": None, "enabled": session["automatic_tax"]["enabled"],
            "liability": session["automatic_tax"]["liability"],
            "provider": None, "status": None,
        },
        customer_address=details.get("address") or customer.get("address"),
        customer_email=details.get("email") or customer.get("email"),
        customer_name=details.get("name") or customer.get("name"),
        customer_phone=details.get("phone") or customer.get("phone"),
        customer_shipping={**goods, "phone": details.get("phone")} if goods else customer.get("shipping"),
        shipping_cost=dict(session["shipping_cost"]) if session["shipping_cost"] else None,
        metadata=dict(said["metadata"] or {}),
        issuer=said["issuer"] or {"type": "self"},
        rendering={**base, **rendering},
        **told,
    )  # fmt: skip
    drafts.store(call, invoice)
    lifecycle.close_paid(call, invoice, intent)
    session["invoice"] = invoice["id"]
