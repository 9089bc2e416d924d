"""Quotes: prices offered to a customer, who can accept them.

draft ──finalize──▶ open ──accept──▶ accepted   (its subscription or its invoice is created)
  └──cancel──▶ canceled ◀──cancel, or expires_at passes──┘
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from tollkey.keys import Permission
from tollkey.payments.catalog import arithmetic
from tollkey.payments.charges import splitting
from tollkey.payments.documents import parties, printed
from tollkey.payments.invoices import lifecycle
from tollkey.payments.shared import clock, fields, naming, providers
from tollkey.payments.subscriptions import creation, jobs, kinds, quote_printing, quote_rules, rules, settings, states
from tollkey.payments.tax import automatic, tax_rates
from tollkey.wire import Action, Call, Endpoint, Page, Params, Reply, Resource, invalid, new_object
from tollkey.wire.live import records
from tollkey.wire.metadata import merged_metadata
from tollkey.wire.objects import public, value_at
from tollkey.wire.pages import list_page, nested_list, page_of_list, retrieve

if TYPE_CHECKING:
    from tollkey.payments.invoices.stored import OrderedLine
    from tollkey.payments.subscriptions.stored import StoredQuote
    from tollkey.wire import api, operations
    from tollkey.wire.api import QuotesResourceSubscriptionDataBillingMode as BillingMode

PERMISSION = Permission("quote", "Quote", "Billing")
_EXPIRES_DAYS = 30
_FEES = ("application_fee_amount", "application_fee_percent")
_PLAIN = (
    *_FEES,
    "description",
    "footer",
    "header",
    "on_behalf_of",
    "transfer_data",
)
_COPIED = (
    *_PLAIN,
    "collection_method",
    "subscription_data",
    "invoice_settings",
    "discounts",
    "default_tax_rates",
)


def create(call: Call, params: operations.PostQuotes) -> StoredQuote:
    """Create a draft quote, optionally as a copy of another one."""
    source = (
        call.objects.get(kinds.QUOTE, params["from_quote"]["quote"], "from_quote[quote]")
        if params.get("from_quote")
        else None
    )
    others = [name for name in params if name not in ("from_quote", "expires_at", "expand")] if source else []
    if others:
        raise invalid(
            "When using `from_quote`, you cannot specify any other parameters except for `expires_at`.", others[0]
        )
    customer_id = params.get("customer") or (source["customer"] if source else None)
    customer = call.objects.get(kinds.CUSTOMER, customer_id, "customer") if customer_id else None
    naming.check_named(call, params, {"test_clock": "test_helpers.test_clock"})
    call = clock.for_customer(call, customer) if customer else clock.at_clock(call, params.get("test_clock"))
    quote = new_object(
        kinds.QUOTE,
        id=call.ids.new("qt"),
        amount_subtotal=0,
        amount_total=0,
        automatic_tax={"enabled": False, "liability": None, "provider": None, "status": None},
        collection_method="charge_automatically",
        computed={
            "recurring": None,
            "upfront": {
                "amount_subtotal": 0,
                "amount_total": 0,
                "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
            },
        },
        created=call.now,
        customer=customer_id,
        expires_at=call.now + _EXPIRES_DAYS * arithmetic.DAY,
        invoice_settings={"days_until_due": None, "issuer": {"type": "self"}},
        livemode=call.livemode,
        status=states.QUOTE.start("draft"),
        status_transitions={"accepted_at": None, "canceled_at": None, "finalized_at": None},
        subscription_data={
            "billing_mode": {"type": creation.default_mode(call)},
            "description": None,
            "effective_date": None,
            "metadata": {},
            "trial_period_days": None,
        },
        test_clock=(customer.get("test_clock") if customer else None) or params.get("test_clock"),
        default_tax_rates=[],
    )
    quote["_items"], quote["_discounts"] = [], []
    mode = value_at(params, "subscription_data.billing_mode")
    if mode:
        rules.check_mode(mode, "subscription_data[billing_mode]")
        flexible = {"flexible": {"proration_discounts": "included", **(mode.get("flexible") or {})}}
        told = {"type": mode["type"], **(flexible if mode["type"] == "flexible" else {})}
        quote["subscription_data"]["billing_mode"] = cast("BillingMode", told)
    if source is not None:
        fields.assign(quote, call.objects.copy(source), _COPIED)
        quote["_discounts"] = list(source["_discounts"])
        quote["_items"] = [{**line, "id": call.ids.new("li")} for line in source["_items"]]
        quote["from_quote"] = {"is_revision": bool(params["from_quote"].get("is_revision")), "quote": source["id"]}
    quote["metadata"] = fields.new_metadata(params)
    _apply(call, quote, params)
    _plan(call, quote)
    return call.objects.insert(quote, "quote.created")


def _plan(call: Call, quote: StoredQuote) -> None:
    """Schedule the cancellation of a quote that is not accepted by ``expires_at``."""
    call.schedule.cancel(jobs.QUOTE_EXPIRE, quote["id"])
    call.schedule.add(quote["expires_at"], jobs.QUOTE_EXPIRE, quote["id"], quote["test_clock"])


def _check(call: Call, quote: StoredQuote) -> None:
    """Raise ApiError 400 for an application fee that the quote's lines do not allow, or that no account pays."""
    recurring = any(quote_rules.price_of(line)["recurring"] for line in quote["_items"])
    said: Mapping[str, Any] = quote  # fields are read by computed names
    if quote["application_fee_amount"] is not None and recurring:
        raise invalid(
            "You cannot use `application_fee_amount` when there are line items with recurring prices.",
            "application_fee_amount",
        )
    if quote["application_fee_percent"] is not None and not recurring:
        raise invalid(
            "There must be at least one line item with a recurring price to use `application_fee_percent`.",
            "application_fee_percent",
        )
    share = quote["transfer_data"]
    if share is not None and share.get("amount") is not None and recurring:
        raise invalid(
            "You cannot use `transfer_data[amount]` when there are line items with recurring prices.",
            "transfer_data[amount]",
        )
    if share is not None and share.get("amount_percent") is not None and not recurring:
        raise invalid(
            "There must be at least one line item with a recurring price to use `transfer_data[amount_percent]`.",
            "transfer_data[amount_percent]",
        )
    if quote["application_fee_percent"] is not None:
        rules.check_fee(call, quote, {})
    if call.account == call.platform and quote["transfer_data"] is None:
        fee = next((name for name in _FEES if said[name]), None)
        if fee is not None:
            raise splitting.fee_of_nobody(fee)


def _check_parts(quote: StoredQuote) -> None:
    """Raise ApiError 400 if more is to go to others than is paid: nobody could pay the quote."""
    transfer = quote["transfer_data"]
    share = (transfer.get("amount") if transfer is not None else None) or 0
    for name, part in (
        ("application_fee_amount", quote["application_fee_amount"] or 0),
        ("transfer_data[amount]", share),
    ):
        if part > quote["amount_total"]:
            raise invalid(f"The {name} cannot be greater than the total of the quote.", name)


def _apply(call: Call, quote: StoredQuote, params: Mapping[str, Any]) -> None:
    """Apply the parameters to a draft and compute its amounts."""
    fields.check_future(call, params, "expires_at")
    fields.assign(quote, params, (*_PLAIN, "collection_method", "expires_at"))
    if params.get("transfer_data"):
        full = settings.transfer_of(params["transfer_data"], "amount", "amount_percent")
        quote["transfer_data"] = cast("api.QuotesResourceTransferData", full)
    if params.get("on_behalf_of"):
        splitting.check_on_behalf_of(call, params["on_behalf_of"])
    rules.check_transfer(call, params, quote["on_behalf_of"])
    splitting.check_references(call, params)
    if params.get("customer"):
        if quote["customer"] not in (None, params["customer"]):
            raise invalid("The customer of a quote cannot be changed once it is set.", "customer")
        quote["customer"] = call.objects.get(kinds.CUSTOMER, params["customer"], "customer")["id"]
    if "default_tax_rates" in params:
        tax_rates.check_active(call, params["default_tax_rates"], "default_tax_rates", quote["default_tax_rates"])
        quote["default_tax_rates"] = [
            call.objects.get(kinds.TAX_RATE, id, "default_tax_rates")["id"] for id in params["default_tax_rates"] or []
        ]
    if params.get("invoice_settings"):
        quote["invoice_settings"] = {**quote["invoice_settings"], **params["invoice_settings"]}
    if params.get("subscription_data"):
        given_data = {
            name: value
            for name, value in params["subscription_data"].items()
            if name not in ("metadata", "billing_mode")
        }
        quote["subscription_data"] = {**quote["subscription_data"], **given_data}
        quote["subscription_data"]["metadata"] = merged_metadata(
            quote["subscription_data"]["metadata"], params["subscription_data"].get("metadata") or {}
        )
    if params.get("automatic_tax"):
        quote["automatic_tax"]["enabled"] = bool(params["automatic_tax"]["enabled"])
        quote["automatic_tax"]["liability"] = automatic.liability_of(params["automatic_tax"])
    if "line_items" in params:
        kept = {line["id"]: line for line in quote["_items"]}
        wanted = []
        for place, entry in enumerate(params["line_items"] or ()):
            old = kept.get(entry.get("id") or "")
            tax_rates.check_active(
                call, entry.get("tax_rates"), f"line_items[{place}][tax_rates]", old["_rates"] if old else ()
            )
            wanted.append({**_params_of(old), **entry} if old else entry)
        quote["_items"] = quote_rules.build_lines(call, wanted)
    quote_rules.check_recurring(quote)
    if "discounts" in params:
        quote_rules.discount(call, quote, params["discounts"] or [])
    quote_rules.recalculate_quote(call, quote)
    _check(call, quote)


def _params_of(line: OrderedLine) -> Params:
    """Return the parameters that create an equal line."""
    price = quote_rules.price_of(line)["id"]
    return {"price": price, "quantity": line["quantity"], "tax_rates": line["_rates"]}


def _get(call: Call, *allowed: str, verb: str = "") -> tuple[Call, StoredQuote]:
    """Return the call at the quote's time, and the quote in the path. Raises ApiError 400 for another status."""
    quote = call.objects.get(kinds.QUOTE, call.path["quote"])
    customer = call.objects.find(kinds.CUSTOMER, quote["customer"] or "")
    call = clock.for_customer(call, customer) if customer else clock.at_clock(call, quote["test_clock"])
    if allowed and quote["status"] not in allowed:
        raise invalid(f"This quote cannot be {verb} because it is {quote['status']}.", retry=False)
    return call, quote


def update(call: Call, params: operations.PostQuotesQuote) -> StoredQuote:
    """Change a draft quote."""
    allowed = ("draft",) if set(params) - {"metadata"} else ()
    call, quote = _get(call, *allowed, verb="updated")
    if "metadata" in params:
        quote["metadata"] = merged_metadata(quote["metadata"], params["metadata"])
    if allowed:
        _apply(call, quote, params)
        _plan(call, quote)
    return call.objects.save(quote, "quote.updated")


def finalize(call: Call, params: operations.PostQuotesQuoteFinalize) -> StoredQuote:
    """Give a draft a number and open it for the customer."""
    call, quote = _get(call, "draft", verb="finalized")
    if quote["customer"] is None:
        raise invalid("You must set a `customer` on the quote before finalizing it.", "customer", "parameter_missing")
    if not quote["_items"]:
        raise invalid("You cannot finalize a quote without line items.", "line_items")
    _check_parts(quote)
    fields.check_future(call, params, "expires_at")
    if params.get("expires_at"):
        quote["expires_at"] = params["expires_at"]
    states.QUOTE.set(quote, "open")
    quote["number"] = (
        "QT-" + lifecycle.next_number(call, call.objects.get(kinds.CUSTOMER, quote["customer"], "customer")) + "-1"
    )
    quote["status_transitions"]["finalized_at"] = call.now
    _plan(call, quote)
    call.objects.save(quote)
    call.emit("quote.finalized", quote)
    return quote


def accept(call: Call, params: operations.PostQuotesQuoteAccept) -> StoredQuote:
    """Accept an open quote, and create its subscription or invoice."""
    call, quote = _get(call, "open", verb="accepted")
    states.QUOTE.set(quote, "accepted")
    quote["status_transitions"]["accepted_at"] = call.now
    call.schedule.cancel(jobs.QUOTE_EXPIRE, quote["id"])
    quote_rules.fulfil(call, quote)
    call.objects.save(quote)
    call.emit("quote.accepted", quote)
    return quote


def cancel(call: Call, params: operations.PostQuotesQuoteCancel) -> StoredQuote:
    """Cancel a draft or open quote."""
    call, quote = _get(call, "draft", "open", verb="canceled")
    _cancel(call, quote)
    return quote


def _cancel(call: Call, quote: StoredQuote) -> None:
    """Cancel a quote, with its event."""
    states.QUOTE.set(quote, "canceled")
    quote["status_transitions"]["canceled_at"] = call.now
    call.schedule.cancel(jobs.QUOTE_EXPIRE, quote["id"])
    call.objects.save(quote)
    call.emit("quote.canceled", quote)


def expire(call: Call, id: str) -> None:
    """Run the job ``quote.expire``: cancel a draft or open quote that was not accepted in time. id: of it."""
    quote = call.objects.find(kinds.QUOTE, id)
    if quote is not None and quote["status"] in ("draft", "open"):
        _cancel(call, quote)


def list_quotes(call: Call, params: operations.GetQuotes) -> Page:
    """List quotes by customer, status and test clock."""
    equal = {name: params[name] for name in ("customer", "status", "test_clock") if params.get(name)}
    return list_page(call, kinds.QUOTE, params, equal, url="/v1/quotes")


def list_lines(call: Call, params: operations.GetQuotesQuoteLineItems) -> Page:
    """List the lines of a quote."""
    quote = call.objects.get(kinds.QUOTE, call.path["quote"])
    return page_of_list([public(line) for line in quote["_items"]], f"/v1/quotes/{quote['id']}/line_items", params)


def list_upfront(call: Call, params: operations.GetQuotesQuoteComputedUpfrontLineItems) -> Page:
    """List the lines that are due when the quote is accepted."""
    quote = call.objects.get(kinds.QUOTE, call.path["quote"])
    trial = quote["subscription_data"]["trial_period_days"]
    lines = [public(line) for line in quote["_items"] if not (trial and quote_rules.price_of(line)["recurring"])]
    return page_of_list(lines, f"/v1/quotes/{quote['id']}/computed_upfront_line_items", params)


def pdf(call: Call, params: operations.GetQuotesQuotePdf) -> Reply:
    """Return the quote as a PDF. Raises ApiError 400 for a quote that was not finalized."""
    call, quote = _get(call)
    if quote["status_transitions"]["finalized_at"] is None:
        raise invalid("You can only download the PDF of a quote that has been finalized.", retry=False)
    language = parties.language_of(call, quote["customer"])
    return printed.reply(quote_printing.quote_document(call, quote, language), quote["number"] or "")


QUOTE = Resource(
    object="quote",
    prefix="qt",
    permission=PERMISSION,
    live=records(providers.UNPAID),
    path_param="quote",
    indexed=("customer", "status", "test_clock"),
    expands={
        "line_items": lambda call, quote: nested_list(
            [public(line) for line in quote["_items"]], f"/v1/quotes/{quote['id']}/line_items"
        )
    },
    endpoints=(
        Endpoint("GET", "/v1/quotes", list_quotes),
        Endpoint("POST", "/v1/quotes", create),
        retrieve("quote", "/v1/quotes/{quote}"),
        Endpoint("POST", "/v1/quotes/{quote}", update),
        Endpoint("POST", "/v1/quotes/{quote}/accept", accept),
        Endpoint("POST", "/v1/quotes/{quote}/cancel", cancel),
        Endpoint("GET", "/v1/quotes/{quote}/computed_upfront_line_items", list_upfront),
        Endpoint("POST", "/v1/quotes/{quote}/finalize", finalize),
        Endpoint("GET", "/v1/quotes/{quote}/line_items", list_lines),
        Endpoint("GET", "/v1/quotes/{quote}/pdf", pdf),
    ),
    on_due={jobs.QUOTE_EXPIRE: expire},
    title="Quotes",
    columns=("number", "id", "customer", "amount_total", "currency", "status", "created"),
    actions=(
        Action("Finalize", "/v1/quotes/{quote}/finalize", when=("draft",)),
        Action("Accept", "/v1/quotes/{quote}/accept", when=("open",)),
        Action("Cancel", "/v1/quotes/{quote}/cancel", when=("draft", "open")),
    ),
)
