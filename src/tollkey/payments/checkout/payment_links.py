"""Payment links: URLs that create a new Checkout Session for each visitor.

active ──update active=false, or limit reached──▶ inactive ──update active=true──▶ active
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, cast

from tollkey.keys import Permission
from tollkey.payments.catalog import shipping_rates
from tollkey.payments.charges import splitting
from tollkey.payments.checkout import discounts, kinds, link_parameters
from tollkey.payments.checkout.building import DAY, name_rules
from tollkey.payments.checkout.known import page_of, price_of
from tollkey.payments.checkout.lines import check_quantities, make_items, shown, total
from tollkey.payments.checkout.link_page import link_page
from tollkey.payments.checkout.order import optional_items, optional_prices
from tollkey.payments.checkout.rules import check_link, check_options, check_recurring
from tollkey.payments.checkout.sessions import new_session
from tollkey.payments.shared import currency as shared_currency
from tollkey.payments.shared import fields
from tollkey.payments.subscriptions import creation
from tollkey.payments.tax import automatic, tax_ids
from tollkey.wire import Action, ApiError, Call, Endpoint, Page, Params, Reply, Resource, invalid, new_object
from tollkey.wire.errors import exclusive, missing_param
from tollkey.wire.hosted import hosted_url, redirect
from tollkey.wire.live import records
from tollkey.wire.objects import value_at
from tollkey.wire.pages import listing, nested_list, page_of_list, retrieve

if TYPE_CHECKING:
    from tollkey.payments.checkout.stored import StoredLink, StoredSession
    from tollkey.wire import api, operations

PERMISSION = Permission("payment_links", "Payment Links", "Payment Links")
_PLAIN = (
    "active", "allow_promotion_codes", "application_fee_amount", "application_fee_percent",
    "billing_address_collection",
    "customer_creation", "inactive_message", "on_behalf_of", "payment_method_collection", "payment_method_types",
    "submit_type",
)  # fmt: skip
_CUSTOM_TEXT = ("after_submit", "shipping_address", "submit", "terms_of_service_acceptance")
_BLANK_INVOICE: Final[Params] = {
    "account_tax_ids": None, "custom_fields": None, "description": None, "footer": None, "issuer": None, "metadata": {},
    "rendering_options": None,
}  # fmt: skip
#: Fields that a session copies unchanged from its link.
_PASSED = (
    "allow_promotion_codes", "billing_address_collection", "payment_method_types", "phone_number_collection",
    "submit_type", "metadata",
    "custom_text", "name_collection", "optional_items", "payment_method_options",
)  # fmt: skip


def _apply(link: StoredLink, params: operations.PostPaymentLinks | operations.PostPaymentLinksPaymentLink) -> None:
    """Apply the parameters to a link, with all keys of the API."""
    fields.assign(link, params, [name for name in _PLAIN if name in params])
    if params.get("after_completion"):
        link["after_completion"] = _after_completion(params["after_completion"])
    if params.get("automatic_tax"):
        given = params["automatic_tax"]
        link["automatic_tax"] = {"enabled": given["enabled"], "liability": automatic.liability_of(given)}
    if "custom_text" in params:
        texts = params["custom_text"] or {}
        link["custom_text"] = {
            "after_submit": texts.get("after_submit") or None,
            "shipping_address": texts.get("shipping_address") or None,
            "submit": texts.get("submit") or None,
            "terms_of_service_acceptance": texts.get("terms_of_service_acceptance") or None,
        }
    if params.get("phone_number_collection"):
        link["phone_number_collection"] = {"enabled": params["phone_number_collection"]["enabled"]}
    if params.get("tax_id_collection"):
        asked = params["tax_id_collection"]
        link["tax_id_collection"] = {"required": asked.get("required", "never"), "enabled": asked["enabled"]}
    if "payment_intent_data" in params:
        link["payment_intent_data"] = _payment(params["payment_intent_data"])
    if "subscription_data" in params:
        link["subscription_data"] = _subscription(params["subscription_data"], link["subscription_data"])
    if "restrictions" in params:
        limit = value_at(params["restrictions"] or {}, "completed_sessions.limit")
        used = value_at(link["restrictions"] or {}, "completed_sessions.count") or 0
        link["restrictions"] = None if limit is None else {"completed_sessions": {"count": used, "limit": limit}}
    if "shipping_address_collection" in params:
        where = params["shipping_address_collection"]
        link["shipping_address_collection"] = {"allowed_countries": [*where["allowed_countries"]]} if where else None
    if "consent_collection" in params:
        consent = params["consent_collection"]
        reuse = consent.get("payment_method_reuse_agreement")
        link["consent_collection"] = {
            "payment_method_reuse_agreement": {"position": reuse["position"]} if reuse else None,
            "promotions": consent.get("promotions"),
            "terms_of_service": consent.get("terms_of_service"),
        }
    if "custom_fields" in params:
        link["_custom_fields"] = list(params["custom_fields"] or [])
        link["custom_fields"] = [_field(one) for one in params["custom_fields"] or []]
    if "name_collection" in params:
        names = name_rules(params["name_collection"] or {})
        link["name_collection"] = cast("api.PaymentLinksResourceNameCollection", names)
    if "payment_method_options" in params:
        options = params["payment_method_options"] or None
        link["payment_method_options"] = cast("api.PaymentLinksResourcePaymentMethodOptions | None", options)
    fields.merge_metadata(link, params)


def _sell(
    call: Call, link: StoredLink, params: operations.PostPaymentLinks | operations.PostPaymentLinksPaymentLink
) -> None:
    """Apply the optional items and the settings of invoices. Raises ApiError 400 for a price that is not for sale."""
    if "optional_items" in params:
        check_options(link["_lines"], optional_prices(call, params["optional_items"] or []))
        link["optional_items"] = optional_items(call, params["optional_items"] or [], link["currency"]) or None
    if "invoice_creation" not in params:
        return
    if link["invoice_creation"] is None:
        raise invalid("You can not pass `invoice_creation` when a line item has a recurring price.", "invoice_creation")
    tax_ids.check_account_ids(call, params)
    told = params["invoice_creation"]
    kept = link["invoice_creation"]["invoice_data"] or {}
    data = {**_BLANK_INVOICE, **kept, **(value_at(told, "invoice_data") or {})} if told else _BLANK_INVOICE
    link["invoice_creation"] = {
        "enabled": bool(value_at(told, "enabled")),
        "invoice_data": cast("api.PaymentLinksResourceInvoiceSettings", data),  # the parameters have its names
    }


def _share(call: Call, link: StoredLink, params: operations.PostPaymentLinks) -> None:
    """Set the connected account that gets the money. Raises ApiError 400 where no session of the link could be paid."""
    given = params.get("transfer_data")
    splitting.check_references(call, params)
    if params.get("on_behalf_of"):
        splitting.check_on_behalf_of(call, params["on_behalf_of"])
    if given:
        splitting.check_destination(call, given["destination"], params.get("on_behalf_of"))
        link["transfer_data"] = {"amount": given.get("amount"), "destination": given["destination"]}
    fee = next((name for name in ("application_fee_amount", "application_fee_percent") if value_at(params, name)), None)
    if fee is not None and given and given.get("amount") is not None:
        raise exclusive(fee, "transfer_data[amount]")
    if fee is not None and not given and call.account == call.platform:
        raise splitting.fee_of_nobody(fee)


def _after_completion(after: Mapping[str, Any]) -> api.PaymentLinksResourceAfterCompletion:
    """Return ``after_completion`` with all of its keys. Raises ApiError 400 for those of another type."""
    other = "redirect" if after["type"] == "hosted_confirmation" else "hosted_confirmation"
    if after.get(other):
        param = f"after_completion[{other}]"
        raise invalid(f"You may only specify `{param}` when `after_completion[type]` is `{other}`.", param)
    if after["type"] == "hosted_confirmation":
        message = value_at(after, "hosted_confirmation.custom_message")
        return {"hosted_confirmation": {"custom_message": message}, "type": "hosted_confirmation"}
    if not after.get("redirect"):
        raise missing_param("after_completion[redirect]")
    return {"redirect": {"url": after["redirect"]["url"]}, "type": "redirect"}


def _payment(given: Mapping[str, Any] | None) -> api.PaymentLinksResourcePaymentIntentData | None:
    """Return ``payment_intent_data`` with all of its keys."""
    if not given:
        return None
    return {
        "capture_method": given.get("capture_method"),
        "description": given.get("description"),
        "metadata": given.get("metadata") or {},
        "setup_future_usage": given.get("setup_future_usage"),
        "statement_descriptor": given.get("statement_descriptor"),
        "statement_descriptor_suffix": given.get("statement_descriptor_suffix"),
        "transfer_group": given.get("transfer_group"),
    }


def _field(given: Mapping[str, Any]) -> api.PaymentLinksResourceCustomFields:
    """Return a custom field with all of its keys."""
    kind = given["type"]
    inner = {"default_value": None, **(given.get(kind) or {})}
    if kind != "dropdown":
        inner = {"maximum_length": None, "minimum_length": None, **inner}
    label = {"custom": given["label"].get("custom"), "type": given["label"]["type"]}
    made = {kind: inner, "key": given["key"], "label": label, "optional": bool(given.get("optional")), "type": kind}
    # One key is the field's type.
    return cast("api.PaymentLinksResourceCustomFields", made)


def _subscription(
    given: Mapping[str, Any] | None, old: api.PaymentLinksResourceSubscriptionData | None
) -> api.PaymentLinksResourceSubscriptionData:
    """Return ``subscription_data`` with all of its keys; values that are not given are kept."""
    given = {**(old or {}), **(given or {})}
    settings: api.PaymentLinksResourceSubscriptionDataInvoiceSettings | None = given.get("invoice_settings")
    return {
        "description": given.get("description"),
        "invoice_settings": settings or {"issuer": {"type": "self"}},
        "metadata": given.get("metadata") or {},
        "trial_period_days": given.get("trial_period_days"),
        "trial_settings": given.get("trial_settings"),
    }


def create(call: Call, params: operations.PostPaymentLinks) -> StoredLink:
    """Create a payment link."""
    currency = shared_currency.check_currency(params["currency"], "currency") if params.get("currency") else None
    check_quantities(params["line_items"])
    items = make_items(call, params["line_items"], currency)
    recurring = any(price_of(item)["recurring"] for item in items)
    check_link(params, recurring, len(items))
    check_recurring([price_of(item) for item in items])
    id = call.ids.new("plink")
    link = new_object(
        kinds.PAYMENT_LINK,
        id=id,
        active=True,
        after_completion={"hosted_confirmation": {"custom_message": None}, "type": "hosted_confirmation"},
        allow_promotion_codes=False,
        automatic_tax={"enabled": False, "liability": None},
        billing_address_collection="auto",
        currency=items[0]["currency"],
        custom_text=dict.fromkeys(_CUSTOM_TEXT),
        customer_creation="always" if recurring else "if_required",
        livemode=call.livemode,
        managed_payments={"enabled": False},
        metadata=fields.new_metadata(params),
        payment_method_collection="always",
        phone_number_collection={"enabled": False},
        submit_type="auto",
        subscription_data=_subscription(None, None) if recurring else None,
        tax_id_collection={"enabled": False, "required": "never"},
        url=hosted_url(call, "buy", id),
    )
    link["_lines"], link["_created"] = items, call.now
    link["_billing_mode"] = creation.default_mode(call)
    if not recurring:
        blank = cast("api.PaymentLinksResourceInvoiceSettings", dict(_BLANK_INVOICE))
        link["invoice_creation"] = {"enabled": False, "invoice_data": blank}
    for index, option in enumerate(params.get("shipping_options") or []):
        named = f"shipping_options[{index}]"
        rate = shipping_rates.rate_in_use(call, option.get("shipping_rate") or "", f"{named}[shipping_rate]")
        amount = shipping_rates.amount_in(rate, link["currency"], named)
        link["shipping_options"].append({"shipping_amount": amount, "shipping_rate": rate["id"]})
    _apply(link, params)
    _sell(call, link, params)
    _share(call, link, params)
    return call.objects.insert(link, "payment_link.created")


def update(call: Call, params: operations.PostPaymentLinksPaymentLink) -> StoredLink:
    """Change a payment link; existing sessions are not changed."""
    link = call.objects.get(kinds.PAYMENT_LINK, call.path["payment_link"])
    check_link(params, any(price_of(item)["recurring"] for item in link["_lines"]), len(link["_lines"]))
    splitting.check_references(call, params)
    for index, entry in enumerate(params.get("line_items") or []):
        item = next((one for one in link["_lines"] if one["id"] == entry["id"]), None)
        if item is None:
            raise invalid(f"No such line item: '{entry['id']}'", f"line_items[{index}][id]", "resource_missing")
        if entry.get("quantity") is not None:
            item["quantity"] = entry["quantity"]
            made = make_items(call, [{"price": price_of(item)["id"], "quantity": entry["quantity"]}], link["currency"])[
                0
            ]
            item.update({"amount_subtotal": made["amount_subtotal"], "amount_total": made["amount_total"]})
    _apply(link, params)
    _sell(call, link, params)
    return call.objects.save(link, "payment_link.updated")


def line_items(call: Call, params: operations.GetPaymentLinksPaymentLinkLineItems) -> Page:
    """List the line items of a payment link."""
    link = call.objects.get(kinds.PAYMENT_LINK, call.path["payment_link"])
    return page_of_list(shown(link["_lines"]), f"/v1/payment_links/{link['id']}/line_items", params)


def visit(call: Call, params: operations.GetBuyToken) -> Reply:
    """Show the page of a payment link, with a button that starts a session."""
    link = call.objects.get(kinds.PAYMENT_LINK, call.path["id"])
    return link_page(call, link, link_parameters.usable(params))


def begin(call: Call, params: operations.PostBuyToken) -> Reply:
    """Create a session from the link, and redirect to its page."""
    link, given = call.objects.get(kinds.PAYMENT_LINK, call.path["id"]), link_parameters.usable(params)
    if not link["active"]:
        return link_page(call, link, given)
    session = session_of(call, link, given)
    to_page = redirect(page_of(session))
    if link["allow_promotion_codes"] and "prefilled_promo_code" in given:
        try:
            discounts.put_typed(call, session, given["prefilled_promo_code"])
        except ApiError as error:
            return replace(to_page, guess=error.guess)
        total(call, session)
        call.objects.save(session)
    return to_page


def session_of(call: Call, link: StoredLink, marks: Mapping[str, str]) -> StoredSession:
    """Create a session from a payment link. marks: the parameters of its URL (``link_parameters.usable``)."""
    recurring = any(price_of(item)["recurring"] for item in link["_lines"])
    after = link["after_completion"]
    said: Mapping[str, Any] = link  # fields are read by computed names
    given: Params = {name: said[name] for name in _PASSED if said.get(name) not in (None, False, {}, "auto")}
    given.update(
        {
            "mode": "subscription" if recurring else "payment",
            "currency": link["currency"],
            "custom_fields": link.get("_custom_fields") or [],
            "expires_at": call.now + DAY,
            "line_items": [
                {
                    "price": price_of(item)["id"],
                    "quantity": item["quantity"],
                    "_inline": item["_inline"],
                    "adjustable_quantity": item.get("adjustable_quantity"),
                }
                for item in link["_lines"]
            ],
            "success_url": f"{call.setup.base_url}/bought/{{CHECKOUT_SESSION_ID}}",
            "client_reference_id": marks.get("client_reference_id"),
            "customer_email": marks.get("locked_prefilled_email"),
            "locale": marks.get("locale"),
        }
    )
    if value_at(after, "redirect.url"):
        given["success_url"] = link_parameters.marked(value_at(after, "redirect.url"), marks)
    if not recurring and link["customer_creation"] == "always":
        given["customer_creation"] = "always"
    for name in ("payment_intent_data", "subscription_data"):
        if said[name]:
            given[name] = {key: value for key, value in said[name].items() if value not in (None, {})}
    if recurring and link.get("_billing_mode"):
        mode = {"billing_mode": {"type": link["_billing_mode"]}}
        given["subscription_data"] = {**(given.get("subscription_data") or {}), **mode}
    _pass_shares(call, link, given, recurring)
    for name in ("automatic_tax", "tax_id_collection", "invoice_creation"):
        if (said[name] or {}).get("enabled"):
            given[name] = said[name]
    if link["shipping_options"]:
        given["shipping_options"] = [{"shipping_rate": one["shipping_rate"]} for one in link["shipping_options"]]
    for name in ("shipping_address_collection", "consent_collection"):
        if said[name]:
            given[name] = said[name]
    session = new_session(call, given)
    session["payment_link"] = link["id"]
    if "prefilled_email" in marks:
        session["_prefilled_email"] = marks["prefilled_email"]
    if after["type"] == "hosted_confirmation":
        session["success_url"] = None
        session["_confirmation"] = after["hosted_confirmation"]["custom_message"]
    return call.objects.save(session)


def _pass_shares(call: Call, link: StoredLink, given: Params, recurring: bool) -> None:
    """Let the payment or subscription of a session share its money with connected accounts as its link says.

    An application fee that no account pays, of a link that an earlier version made, is left out as it was then.
    """
    told: Params = {"on_behalf_of": link["on_behalf_of"]}
    if link["transfer_data"]:
        told["transfer_data"] = {name: value for name, value in link["transfer_data"].items() if value is not None}
    if link["transfer_data"] or call.account != call.platform:
        fee = "application_fee_percent" if recurring else "application_fee_amount"
        told[fee] = link["application_fee_percent"] if recurring else link["application_fee_amount"]
    told = {name: value for name, value in told.items() if value is not None}
    where = "subscription_data" if recurring else "payment_intent_data"
    if told:
        given[where] = {**given.get(where, {}), **told}
    if recurring and link["payment_method_collection"] != "always":
        given["payment_method_collection"] = link["payment_method_collection"]


def _items(call: Call, link: StoredLink) -> api.PaymentLinkLineItems:
    """Return ``line_items`` of a link as a list object."""
    listed: api.PaymentLinkLineItems = nested_list(shown(link["_lines"]), f"/v1/payment_links/{link['id']}/line_items")
    return listed


PAYMENT_LINK = Resource(
    object="payment_link",
    prefix="plink",
    permission=PERMISSION,
    live=records(),
    label="payment_link",
    path_param="payment_link",
    indexed=("active",),
    expands={"line_items": _items},
    endpoints=(
        Endpoint("POST", "/v1/payment_links", create),
        listing("payment_link", "/v1/payment_links"),
        retrieve("payment_link", "/v1/payment_links/{payment_link}"),
        Endpoint("POST", "/v1/payment_links/{payment_link}", update),
        Endpoint("GET", "/v1/payment_links/{payment_link}/line_items", line_items),
        Endpoint("GET", "/buy/{token}", visit, public=True, params=link_parameters.PARAMS),
        Endpoint("POST", "/buy/{token}", begin, public=True, params=link_parameters.PARAMS),
    ),
    title="Payment Links",
    columns=("url", "active", "currency", "id"),
    actions=(Action("Change", "/v1/payment_links/{payment_link}", ("active",)),),
)
