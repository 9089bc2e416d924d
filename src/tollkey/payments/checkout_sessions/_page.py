"""The hosted page of a session: what is bought, how to pay, and what went wrong, next to the field that it is about."""

from __future__ import annotations

from html import escape
from typing import Any

from tollkey.payments._currency import show
from tollkey.payments.checkout_sessions._complete import destination
from tollkey.wire import Call, Json, Reply, html_page

_COUNTRIES = {
    "US": "United States", "AU": "Australia", "AT": "Austria", "BE": "Belgium", "BR": "Brazil", "CA": "Canada", "DK": "Denmark",
    "FI": "Finland", "FR": "France", "DE": "Germany", "IN": "India", "IE": "Ireland", "IT": "Italy", "JP": "Japan", "MX": "Mexico",
    "NL": "Netherlands", "NZ": "New Zealand", "NO": "Norway", "PL": "Poland", "PT": "Portugal", "SG": "Singapore", "ES": "Spain",
    "SE": "Sweden", "CH": "Switzerland", "GB": "United Kingdom",
}  # fmt: skip
_METHODS = {
    "card": "Card", "sepa_debit": "SEPA debit", "us_bank_account": "US bank account", "cashapp": "Cash App Pay", "klarna": "Klarna",
    "ideal": "iDEAL", "bancontact": "Bancontact", "eps": "EPS", "p24": "Przelewy24", "alipay": "Alipay", "amazon_pay": "Amazon Pay",
    "afterpay_clearpay": "Afterpay", "affirm": "Affirm", "paypal": "PayPal",
}  # fmt: skip
_BUTTONS = {"book": "Book", "donate": "Donate", "subscribe": "Subscribe", "pay": "Pay"}
#: Which field a refusal's ``param`` is shown at.
_AT = {"number": "number", "exp_month": "expiry", "exp_year": "expiry", "cvc": "cvc", "iban": "iban", "email": "email"}


def offered(session: Json) -> list[str]:
    """The payment methods that the page has a form for, in the session's order."""
    return [name for name in session["payment_method_types"] if name in _METHODS]


def place_of(param: str | None) -> str:
    """The field of the form that an error's parameter stands for."""
    if param and param.startswith("custom["):
        return param
    name = (param or "").rstrip("]").rpartition("[")[2] or (param or "")
    return _AT.get(name, name if name in ("account_number", "routing_number", "promotion_code") else "")


class Form:
    """What was typed, and what is wrong with it. Card numbers and security codes are never written back."""

    def __init__(self, typed: Json | None = None, field: str = "", problem: str = "") -> None:
        self.typed, self.field, self.problem = typed or {}, field, problem

    def input(self, name: str, label: str, *, secret: bool = False, optional: bool = False, value: str = "", **attributes: str) -> str:
        """A labelled input; with its error beneath it when it has one."""
        text = "" if secret else str(self.typed.get(name) or value)
        wrong = self.problem if self.field == name else ""
        more = "".join(f' {key.rstrip("_").replace("_", "-")}="{escape(val)}"' for key, val in attributes.items())
        if wrong:
            more += f' aria-invalid="true" aria-describedby="{name}-error" autofocus'
        required = "" if optional else " required"
        html = f'<label for="{name}">{escape(label)}</label>\n<input id="{name}" name="{name}" value="{escape(text)}"{required}{more}>'
        return html + (f'\n<p class="error" id="{name}-error" role="alert">{escape(wrong)}</p>' if wrong else "")

    def country(self) -> str:
        """The country's choice."""
        chosen = self.typed.get("country") or "US"
        options = "".join(
            f'<option value="{code}"{" selected" if code == chosen else ""}>{escape(name)}</option>' for code, name in _COUNTRIES.items()
        )
        return f'<label for="country">Country</label>\n<select id="country" name="country" autocomplete="country">{options}</select>'


def _summary(session: Json) -> str:
    """What is bought and what it costs."""
    if session["mode"] == "setup":
        return "<p>Your payment method is saved for later. Nothing is charged now.</p>"
    rows = []
    for item in session["_lines"]:
        count = f" × {item['quantity']}" if (item["quantity"] or 1) != 1 else ""
        recurring = item["price"]["recurring"]
        every = ""
        if recurring:
            step = recurring["interval"] if recurring["interval_count"] == 1 else f"{recurring['interval_count']} {recurring['interval']}s"
            every = f' <span class="note">every {step}</span>'
        rows.append((f"{escape(item['description'] or '')}{count}{every}", item["amount_subtotal"]))
    sums = session["total_details"]
    for name, label, sign in (("amount_discount", "Discount", -1), ("amount_shipping", "Shipping", 1), ("amount_tax", "Tax", 1)):
        if sums[name]:
            rows.append((label, sign * sums[name]))
    lines = "\n".join(f"<dt>{label}</dt><dd>{escape(show(amount, session['currency']))}</dd>" for label, amount in rows)
    total = f"{show(session['amount_total'], session['currency'])} {session['currency'].upper()}"
    return f'<dl>\n{lines}\n</dl>\n<dl class="total">\n<dt>Total due today</dt><dd>{escape(total)}</dd>\n</dl>'


def _method_fields(kind: str, form: Form) -> str:
    if kind == "card":
        return "\n".join(
            (
                form.input("number", "Card number", secret=True, inputmode="numeric", autocomplete="cc-number"),
                '<div class="pair"><div>',
                form.input("expiry", "Expiry (MM / YY)", inputmode="numeric", autocomplete="cc-exp", placeholder="MM / YY"),
                "</div><div>",
                form.input("cvc", "Security code", secret=True, inputmode="numeric", autocomplete="cc-csc", maxlength="4"),
                "</div></div>",
                form.input("name", "Name on card", autocomplete="cc-name"),
                '<div class="pair"><div>', form.country(), "</div><div>",
                form.input("postal_code", "Postal code", autocomplete="postal-code", optional=True), "</div></div>",
            )
        )  # fmt: skip
    parts = [form.input("name", "Full name", autocomplete="name")]
    if kind == "sepa_debit":
        parts.append(form.input("iban", "IBAN", secret=True, autocomplete="off"))
        parts.append('<p class="note">By paying you allow the business to debit your account.</p>')
    elif kind == "us_bank_account":
        parts.append(form.input("routing_number", "Routing number", secret=True, inputmode="numeric", autocomplete="off"))
        parts.append(form.input("account_number", "Account number", secret=True, inputmode="numeric", autocomplete="off"))
        parts.append('<p class="note">By paying you allow the business to debit your account.</p>')
    else:
        parts.append(form.country())
        parts.append(f'<p class="note">You continue on the page of {escape(_METHODS[kind])}.</p>')
    return "\n".join(parts)


def _extras(session: Json, form: Form) -> str:
    """Custom fields, phone, delivery and consent."""
    parts = []
    if session["phone_number_collection"]["enabled"]:
        parts.append(form.input("phone", "Phone number", autocomplete="tel", type="tel"))
    if session["shipping_address_collection"]:
        parts.append("<fieldset><legend>Delivery address</legend>")
        for name, label in (("ship_name", "Name"), ("ship_line1", "Address"), ("ship_city", "City"), ("ship_postal_code", "Postal code")):
            parts.append(form.input(name, label))
        allowed = session["shipping_address_collection"].get("allowed_countries") or ["US"]
        options = "".join(f'<option value="{escape(code)}">{escape(_COUNTRIES.get(code, code))}</option>' for code in allowed)
        parts.append('<label for="ship_country">Country</label>')
        parts.append(f'<select id="ship_country" name="ship_country">{options}</select></fieldset>')
    for field in session["custom_fields"]:
        parts.append(_custom(field, form))
    if (session["consent_collection"] or {}).get("terms_of_service") == "required":
        parts.append(
            '<label class="check"><input type="checkbox" name="terms" value="1" required>'
            "<span>I agree to the terms of service</span></label>"
        )
    return "\n".join(parts)


def _custom(field: Json, form: Form) -> str:
    name, label = f"custom[{field['key']}]", field["label"]["custom"] or field["key"]
    if field["type"] == "dropdown":
        options = "".join(
            f'<option value="{escape(one["value"])}">{escape(one["label"])}</option>' for one in field["dropdown"].get("options") or []
        )
        return f'<label for="{escape(name)}">{escape(label)}</label><select id="{escape(name)}" name="{escape(name)}">{options}</select>'
    mode = "numeric" if field["type"] == "numeric" else "text"
    return form.input(escape(name), label + (" (optional)" if field["optional"] else ""), optional=field["optional"], inputmode=mode)


def pay_page(call: Call, session: Json, names: Json, rates: Any = (), form: Form | None = None, kind: str | None = None) -> Reply:
    """The page of an open session.

    names: shipping rate id -> what it is called. kind: the payment method whose form is shown; the first one unless given.
    """
    form = form or Form()
    base = call.origin.path.partition("/pay/")
    path = escape("/pay/" + base[2].partition("/")[0])
    kinds = offered(session) or ["card"]
    kind = kind if kind in kinds else kinds[0]
    shop = session["branding_settings"]["display_name"]
    parts = [f'<p class="note">{escape(shop)}{"" if call.livemode else " · Test mode"}</p>']
    title = "Save your payment details" if session["mode"] == "setup" else _title(session)
    parts += [f"<h1>{escape(title)}</h1>", _summary(session)]
    if session["allow_promotion_codes"] and not session["_discounts"]:
        field = form.input("promotion_code", "Promotion code", autocomplete="off")
        parts.append(f'<form method="post" action="{path}/promotion">{field}<button class="second">Apply</button></form><hr>')
    if len(kinds) > 1:
        tabs = "".join(
            f'<li><a href="{path}?method={name}"{" aria-current=" + chr(34) + "true" + chr(34) if name == kind else ""}>'
            f"{escape(_METHODS[name])}</a></li>"
            for name in kinds
        )
        parts.append(f'<nav aria-label="Payment method"><ul class="tabs">{tabs}</ul></nav>')
    general = form.problem if form.problem and not form.field else ""
    if general:
        parts.append(f'<p class="error" role="alert">{escape(general)}</p>')
    parts.append(f'<form method="post" action="{path}"><input type="hidden" name="method" value="{kind}">')
    known = (session["customer_details"] or {}).get("email")
    if known:
        parts.append(f"<dl><dt>Email</dt><dd>{escape(known)}</dd></dl>")
    else:
        parts.append(form.input("email", "Email", type="email", autocomplete="email"))
    parts.append(_delivery(session, names))
    parts.append(_extras(session, form))
    if session["mode"] != "payment" or session["amount_total"]:
        parts.append(_method_fields(kind, form))
    parts.append(f"<button>{escape(_button(session))}</button></form>")
    if session["cancel_url"]:
        parts.append(f'<p><a href="{escape(_safe(session["cancel_url"]))}" rel="noreferrer">Go back to {escape(shop)}</a></p>')
    if not call.livemode and kind == "card":
        parts.append('<p class="note">Test card: 4242 4242 4242 4242, any future date, any three digits.</p>')
    return html_page(title, "\n".join(parts), status=402 if form.problem else 200, leads_to=destination(session))


def _title(session: Json) -> str:
    name = session["_lines"][0]["description"] or "your order"
    more = len(session["_lines"]) - 1
    usual = "Subscribe to" if session["mode"] == "subscription" else "Pay for"
    verb = {"donate": "Donate", "book": "Book"}.get(session["submit_type"], usual)
    return f"{verb} {name}" + (f" and {more} more" if more else "")


def _button(session: Json) -> str:
    if session["mode"] == "setup":
        return "Save"
    if session["mode"] == "subscription":
        return "Subscribe"
    return f"{_BUTTONS.get(session['submit_type'], 'Pay')} {show(session['amount_total'], session['currency'])}"


def _delivery(session: Json, names: Json) -> str:
    if len(session["shipping_options"]) < 2:
        return ""
    chosen = (session["shipping_cost"] or {}).get("shipping_rate")
    options = "".join(
        f'<option value="{one["shipping_rate"]}"{" selected" if one["shipping_rate"] == chosen else ""}>'
        f"{escape(names.get(one['shipping_rate']) or 'Delivery')}: {escape(show(one['shipping_amount'], session['currency']))}</option>"
        for one in session["shipping_options"]
    )
    return f'<label for="shipping_rate">Delivery</label>\n<select id="shipping_rate" name="shipping_rate">{options}</select>'


def _safe(url: str) -> str:
    """A link that may be followed: never a script."""
    return url if url.lower().startswith(("http://", "https://")) else "#"


def done_page(session: Json) -> Reply:
    """What a session that is over has to say; the customer goes on by itself where there is somewhere to go."""
    if session["status"] == "expired":
        return html_page("This page has expired", "<h1>This page has expired</h1>\n<p>Go back to the shop and start again.</p>")
    paid = session["payment_status"] != "unpaid"
    text = "Thank you." if paid else "Thank you. Your payment is on its way; the business is told when it arrives."
    heading = session.get("_confirmation") or ("Payment complete" if session["mode"] != "setup" else "Payment details saved")
    url = destination(session)
    link = f'\n<a class="button" href="{escape(_safe(url))}" rel="noreferrer">Continue</a>' if url else ""
    reply = html_page("Complete", f"<h1>{escape(heading)}</h1>\n<p>{text}</p>{link}")
    if url and _safe(url) == url:
        return Reply(reply.body, reply.content_type, reply.status, {**reply.headers, "Refresh": f"0; url={url}"})
    return reply
