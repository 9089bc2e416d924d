"""Invoice rendering: the template of a customer or an invoice, and its version."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from tollkey.payments.catalog import kinds
from tollkey.wire import Call, invalid

if TYPE_CHECKING:
    from tollkey.wire import api

_BLANK: api.InvoicesResourceInvoiceRendering = {
    "amount_tax_display": None,
    "pdf": {"page_size": "auto"},
    "template": None,
    "template_version": None,
}


def named_template(call: Call, id: str, param: str, before: str | None = None) -> api.InvoiceRenderingTemplate:
    """Return a template that may be set. before: the id set before, which may be archived.

    Raises ApiError 400 if it does not exist or is archived.
    """
    template = call.objects.get(kinds.RENDERING_TEMPLATE, id, param)
    if template["status"] != "active" and id != before:
        raise invalid(f"The invoice rendering template {id} is archived and cannot be used.", param)
    return template


def rendering(
    call: Call, old: api.InvoicesResourceInvoiceRendering | None, given: Mapping[str, Any]
) -> api.InvoicesResourceInvoiceRendering:
    """Return ``rendering`` of an invoice: its present settings, changed by the given ones.

    Without a version, the newest version of the template is used.
    """
    old = old or _BLANK
    merged = {**old, **{name: value or None for name, value in given.items()}}
    made = cast("api.InvoicesResourceInvoiceRendering", merged)  # the parameters have the names of its fields
    if not made["template"]:
        if given.get("template_version") is not None:
            raise invalid("You may only specify a version together with a template.", "rendering[template_version]")
        return {**made, "template_version": None}
    template = named_template(call, made["template"], "rendering[template]", old["template"])
    wanted = given.get("template_version")
    if wanted is not None and not 1 <= wanted <= template["version"]:
        raise invalid(
            f"The invoice rendering template {template['id']} has no version {wanted}.", "rendering[template_version]"
        )
    same = made["template"] == old["template"]
    made["template_version"] = wanted or (same and old["template_version"]) or template["version"]
    return made


def of_customer(call: Call, customer: api.Customer) -> api.InvoicesResourceInvoiceRendering | None:
    """Return the ``rendering`` that an invoice inherits from its customer, or None."""
    settings = customer.get("invoice_settings")
    options = settings.get("rendering_options") if settings else None
    template = call.objects.find(kinds.RENDERING_TEMPLATE, options.get("template") or "") if options else None
    if not options or template is None:
        return None
    return {
        **_BLANK,
        "amount_tax_display": options.get("amount_tax_display"),
        "template": template["id"],
        "template_version": template["version"],
    }
