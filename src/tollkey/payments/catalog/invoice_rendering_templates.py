"""Invoice rendering templates, which customers and invoices refer to.

active ──archive──▶ archived ──unarchive──▶ active

An archived template stays in use where it was set before and cannot be set again. In Stripe, templates are created in
the Dashboard; here ``POST /v1/test_helpers/invoice_rendering_templates`` creates them. A template has one version and
no content that affects an invoice's page.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tollkey.payments.catalog import kinds, states
from tollkey.payments.shared import fields, permissions
from tollkey.wire import Action, Call, Endpoint, P, Resource, invalid, new_object
from tollkey.wire.errors import missing_object
from tollkey.wire.live import only_in_test, records
from tollkey.wire.pages import listing

if TYPE_CHECKING:
    from tollkey.wire import api, operations


def create(call: Call, params: operations.PostTestHelpersInvoiceRenderingTemplates) -> api.InvoiceRenderingTemplate:
    """Create a template."""
    template = new_object(
        kinds.RENDERING_TEMPLATE,
        id=call.ids.new("inrtem"),
        created=call.now,
        livemode=call.livemode,
        nickname=params.get("nickname"),
        status=states.TEMPLATE.start("active"),
        version=1,
    )
    template["metadata"] = fields.new_metadata(params)
    return call.objects.insert(template)


def retrieve_one(call: Call, params: operations.GetInvoiceRenderingTemplatesTemplate) -> api.InvoiceRenderingTemplate:
    """Retrieve a template, in its newest or the requested version."""
    template = call.objects.get(kinds.RENDERING_TEMPLATE, call.path["template"])
    if params.get("version") not in (None, template["version"]):
        raise missing_object(f"version of {template['id']}", str(params["version"]), "version", in_path=True)
    return template


def _switch(call: Call, status: str) -> api.InvoiceRenderingTemplate:
    template = call.objects.get(kinds.RENDERING_TEMPLATE, call.path["template"])
    if template["status"] == status:
        raise invalid(f"The invoice rendering template {template['id']} is already {status}.", retry=False)
    states.TEMPLATE.set(template, status)
    return call.objects.save(template)


def archive(
    call: Call, params: operations.PostInvoiceRenderingTemplatesTemplateArchive
) -> api.InvoiceRenderingTemplate:
    """Archive a template, so that it cannot be set on further objects."""
    return _switch(call, "archived")


def unarchive(
    call: Call, params: operations.PostInvoiceRenderingTemplatesTemplateUnarchive
) -> api.InvoiceRenderingTemplate:
    """Unarchive a template, so that it can be set again."""
    return _switch(call, "active")


TEMPLATE = Resource(
    object="invoice_rendering_template",
    prefix="inrtem",
    permission=permissions.INVOICE,
    live=records(),
    label="invoice rendering template",
    path_param="template",
    indexed=("status",),
    endpoints=(
        listing("invoice_rendering_template", "/v1/invoice_rendering_templates"),
        Endpoint("GET", "/v1/invoice_rendering_templates/{template}", retrieve_one),
        Endpoint("POST", "/v1/invoice_rendering_templates/{template}/archive", archive),
        Endpoint("POST", "/v1/invoice_rendering_templates/{template}/unarchive", unarchive),
        Endpoint(
            "POST",
            "/v1/test_helpers/invoice_rendering_templates",
            create,
            params=P.object(nickname=P.string(), metadata=P.metadata()),
            live=only_in_test(),
        ),
    ),
    title="Invoice templates",
    columns=("nickname", "id", "status", "version", "created"),
    actions=(
        Action("Archive", "/v1/invoice_rendering_templates/{template}/archive", when=("active",)),
        Action("Unarchive", "/v1/invoice_rendering_templates/{template}/unarchive", when=("archived",)),
    ),
)
