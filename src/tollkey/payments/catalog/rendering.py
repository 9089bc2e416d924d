"""How an invoice is shown: the template that a customer or an invoice names, and its version."""

from __future__ import annotations

from tollkey.wire import Call, Json, invalid

_BLANK: Json = {"amount_tax_display": None, "pdf": {"page_size": "auto"}, "template": None, "template_version": None}


def named_template(call: Call, id: str, param: str, before: str | None = None) -> Json:
    """A template that may be named. before: the one that was named already, which may be archived.

    Raises ApiError 400.
    """
    template = call.objects.get("invoice_rendering_template", id, param)
    if template["status"] != "active" and id != before:
        raise invalid(f"The invoice rendering template {id} is archived and cannot be used.", param)
    return template


def rendering(call: Call, old: Json | None, given: Json) -> Json:
    """``rendering`` of an invoice: what it was, with what is given now.

    Without a version the template's newest is taken.
    """
    old = old or _BLANK
    made: Json = {**old, **{name: value or None for name, value in given.items()}}
    if not made["template"]:
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


def of_customer(call: Call, customer: Json) -> Json | None:
    """``rendering`` that an invoice takes over from its customer, or None."""
    options = (customer.get("invoice_settings") or {}).get("rendering_options") or {}
    template = call.objects.find("invoice_rendering_template", options.get("template") or "")
    if template is None:
        return None
    display = options.get("amount_tax_display")
    return {
        **_BLANK,
        "amount_tax_display": display,
        "template": template["id"],
        "template_version": template["version"],
    }
