"""The invoice of a payment: made once a session of mode ``payment`` is paid, when ``invoice_creation`` asks for it."""

from __future__ import annotations

from tollkey.payments.invoices import drafts, lifecycle
from tollkey.wire import Call, Json

_SAID = ("account_tax_ids", "custom_fields", "description", "footer")


def create_paid_invoice(call: Call, session: Json, intent: Json | None, discounts: list[str]) -> None:
    """Write the paid invoice of a session, with its events; ``invoice`` of the session names it. The caller saves the
    session.

    intent: the payment that was made; None when nothing had to be paid. discounts: ids of those that the session
        redeemed.
    """
    said = session["invoice_creation"]["invoice_data"]
    customer = call.objects.get("customer", session["customer"])
    details = session["customer_details"] or {}
    goods = (session["collected_information"] or {}).get("shipping_details")
    rendering = said["rendering_options"] or {}
    base = {"amount_tax_display": None, "pdf": {"page_size": "letter"}, "template": None, "template_version": None}
    id = call.ids.new("in")
    invoice = drafts.new_invoice(
        call,
        customer,
        drafts.Bill(
            currency=session["currency"],
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
        metadata=dict(said["metadata"]),
        issuer=said["issuer"] or {"type": "self"},
        rendering={**base, **rendering},
        **{name: said[name] for name in _SAID if said[name] is not None},
    )  # fmt: skip
    drafts.store(call, invoice)
    lifecycle.close_paid(call, invoice, intent)
    session["invoice"] = invoice["id"]
