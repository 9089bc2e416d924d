"""Forms of hosted pages: labelled fields with what was typed and what is wrong with it, which work without scripts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from typing import Any, NamedTuple

from tollkey.payments.documents import icons
from tollkey.wire import ApiError
from tollkey.wire.languages import ENGLISH, Language, Text

#: Every country that ISO 3166-1 lists.
COUNTRIES = (
    "AD", "AE", "AF", "AG", "AI", "AL", "AM", "AO", "AQ", "AR", "AS", "AT", "AU", "AW", "AX", "AZ", "BA", "BB",
    "BD", "BE", "BF", "BG", "BH", "BI", "BJ", "BL", "BM", "BN", "BO", "BQ", "BR", "BS", "BT", "BV", "BW", "BY",
    "BZ", "CA", "CC", "CD", "CF", "CG", "CH", "CI", "CK", "CL", "CM", "CN", "CO", "CR", "CU", "CV", "CW", "CX",
    "CY", "CZ", "DE", "DJ", "DK", "DM", "DO", "DZ", "EC", "EE", "EG", "EH", "ER", "ES", "ET", "FI", "FJ", "FK",
    "FM", "FO", "FR", "GA", "GB", "GD", "GE", "GF", "GG", "GH", "GI", "GL", "GM", "GN", "GP", "GQ", "GR", "GS",
    "GT", "GU", "GW", "GY", "HK", "HM", "HN", "HR", "HT", "HU", "ID", "IE", "IL", "IM", "IN", "IO", "IQ", "IR",
    "IS", "IT", "JE", "JM", "JO", "JP", "KE", "KG", "KH", "KI", "KM", "KN", "KP", "KR", "KW", "KY", "KZ", "LA",
    "LB", "LC", "LI", "LK", "LR", "LS", "LT", "LU", "LV", "LY", "MA", "MC", "MD", "ME", "MF", "MG", "MH", "MK",
    "ML", "MM", "MN", "MO", "MP", "MQ", "MR", "MS", "MT", "MU", "MV", "MW", "MX", "MY", "MZ", "NA", "NC", "NE",
    "NF", "NG", "NI", "NL", "NO", "NP", "NR", "NU", "NZ", "OM", "PA", "PE", "PF", "PG", "PH", "PK", "PL", "PM",
    "PN", "PR", "PS", "PT", "PW", "PY", "QA", "RE", "RO", "RS", "RU", "RW", "SA", "SB", "SC", "SD", "SE", "SG",
    "SH", "SI", "SJ", "SK", "SL", "SM", "SN", "SO", "SR", "SS", "ST", "SV", "SX", "SY", "SZ", "TC", "TD", "TF",
    "TG", "TH", "TJ", "TK", "TL", "TM", "TN", "TO", "TR", "TT", "TV", "TW", "TZ", "UA", "UG", "UM", "US", "UY",
    "UZ", "VA", "VC", "VE", "VG", "VI", "VN", "VU", "WF", "WS", "YE", "YT", "ZA", "ZM", "ZW",
)  # fmt: skip
#: What customers are told most when a payment does not work: the API's own messages, which pages show translated.
PROBLEMS = (
    Text("Your card was declined."),
    Text("Your card has insufficient funds."),
    Text("Your card has expired."),
    Text("Your card number is incorrect."),
    Text("Your card number is incomplete."),
    Text("Your card's security code is incorrect."),
    Text("Your card's security code is invalid."),
    Text("Your card's security code is incomplete."),
    Text("Your card's expiration date is incomplete."),
    Text("Your card's expiration month is invalid."),
    Text("Your card's expiration year is invalid."),
    Text("Your card does not support this type of purchase."),
    Text("An error occurred while processing your card. Try again in a little bit."),
    Text("We could not authenticate your payment method. Please choose a different one and try again."),
    Text("This payment could not be completed. Please try another payment method."),
    Text("The total has changed. Please check it and enter your payment details again."),
    Text("This payment method is no longer saved. Please choose another one."),
    Text("This payment method is not available."),
    Text("This field is required."),
    Text("Enter a postal code that we can work out your tax with."),
    Text("We do not deliver to this country."),
    Text("This is not a valid tax ID."),
    Text("Choose one of the options."),
    Text("Only digits can be entered here."),
    Text("You have to agree to the terms of service."),
    Text("Choose at least one item."),
    Text("This code is invalid."),
    Text("Too many codes were tried here. You can go on without one."),
    Text("Changing these details is not offered here."),
    Text("Changing subscriptions is not offered here."),
    Text("Changing payment methods is not offered here."),
    Text("Cancelling is not offered here."),
    Text("This plan is not offered."),
    Text("This subscription has ended already."),
    Text("There is no offer."),
    Text("There is no such subscription."),
    Text("There is no such payment method."),
    Text("This configuration is not active."),
    Text("Choose a subscription."),
    Text("Write the type of the tax ID and its number, such as eu_vat DE123456789."),
)
#: What pages in test mode say below the fields of a card.
TEST_CARD = Text("Test card: 4242 4242 4242 4242, any future date, any three digits.")


class CardEntered(NamedTuple):
    """A card as it was entered. month, year: of its expiry."""

    number: str
    month: int
    year: int
    cvc: str


class Form:
    """The values and the error of a form that is shown again. Card numbers and security codes are never shown again.

    typed: the values. field: name of the field with the error. problem: the error's text, in English.
    language: of the page.
    """

    def __init__(
        self,
        typed: Mapping[str, Any] | None = None,
        field: str = "",
        problem: str = "",
        language: Language = ENGLISH,
    ) -> None:
        self.typed, self.field, self.problem, self.language = typed or {}, field, problem, language
        self.say = language.say

    def within(self, language: Language) -> Form:
        """Return this form in a language."""
        return Form(self.typed, self.field, self.problem, language)

    def refusal(self) -> str:
        """Return the error that belongs to no field as HTML; empty without one."""
        if not self.problem or self.field:
            return ""
        return f'<p class="error" role="alert">{escape(self.language.say(self.problem))}</p>'

    def text(self, name: str, value: str = "") -> str:
        """Return the entered value of a field, else ``value``."""
        if name.endswith("]"):
            group, _, key = name[:-1].partition("[")
            inside = self.typed.get(group)
            found = inside.get(key) if isinstance(inside, dict) else None
        else:
            found = self.typed.get(name)
        return str(found or value)

    def input(
        self, name: str, label: str, *, secret: bool = False, optional: bool = False, value: str = "", **attributes: str
    ) -> str:
        """Return a labeled input, with its error below it. secret: do not show the entered value again."""
        text = "" if secret else self.text(name, value)
        more = "".join(f' {key.rstrip("_").replace("_", "-")}="{escape(val)}"' for key, val in attributes.items())
        name, required = escape(name), "" if optional else " required"
        html = (
            f'<label for="{name}">{escape(label)}</label>\n<input id="{name}" name="{name}" '
            f'value="{escape(text)}"{required}{more}'
        )
        return html + self._with_error(name)

    def choice(
        self, name: str, label: str, options: Iterable[tuple[str, str]], *, value: str = "", **attributes: str
    ) -> str:
        """Return a labeled select element. options: (value, text)."""
        chosen = self.text(name, value)
        inside = "".join(
            f'<option value="{escape(one)}"{" selected" if one and one == chosen else ""}>{escape(text)}</option>'
            for one, text in options
        )
        more = "".join(f' {key}="{escape(val)}"' for key, val in attributes.items())
        html = (
            f'<label for="{escape(name)}">{escape(label)}</label>\n<select id="{escape(name)}" '
            f'name="{escape(name)}"{more}'
        )
        return html + self._with_error(escape(name), f"{inside}</select>")

    def check(self, name: str, label: str, *, optional: bool = False) -> str:
        """Return a labeled checkbox, with its error."""
        ticked = " checked" if self.typed.get(name) else ""
        required = "" if optional else " required"
        html = (
            f'<label class="check" for="{name}"><input type="checkbox" id="{name}" name="{name}" '
            f'value="1"{ticked}{required}'
        )
        return html + self._with_error(name, f"<span>{escape(label)}</span></label>")

    def _with_error(self, name: str, inside: str = "") -> str:
        """Return the end of a field's start tag, the field's content, and its error."""
        if not self.problem or escape(self.field) != name:
            return f">{inside}"
        told = f'\n<p class="error" id="{name}-error" role="alert">{escape(self.language.say(self.problem))}</p>'
        return f' aria-invalid="true" aria-describedby="{name}-error" autofocus>{inside}{told}'

    def country(self, value: str = "US") -> str:
        """Return the select element of the country. value: two-letter code."""
        options = self.language.countries(COUNTRIES)
        return self.choice("country", self.say("Country"), options, value=value, autocomplete="country")

    def optional(self, label: str) -> str:
        """Return the label of a field that may stay empty."""
        return self.say("{label} (optional)", label=label)


def cannot_pay(language: Language) -> str:
    """Return what a page in live mode shows in place of its payment form while no provider is configured, as HTML."""
    told = language.say("This business cannot take payments here yet. Please ask it how else you can pay.")
    return f'<p class="error" role="alert">{escape(told)}</p>'


def card_fields(form: Form) -> str:
    """Return the fields of a card: number, expiry, security code."""
    say = form.say
    number = form.input("number", say("Card number"), secret=True, inputmode="numeric", autocomplete="cc-number")
    expiry = form.input("expiry", say("Expiry (MM / YY)"), inputmode="numeric", autocomplete="cc-exp")
    code = form.input(
        "cvc", say("Security code"), secret=True, inputmode="numeric", autocomplete="cc-csc", maxlength="4"
    )
    return f'{icons.cards(say("Cards"))}{number}<div class="pair"><div>{expiry}</div><div>{code}</div></div>'


def card_entered(typed: Mapping[str, object]) -> CardEntered:
    """Return a card as it was entered. Raises ApiError 402 without an expiry date or a security code.

    typed: the fields of ``card_fields``.
    """
    number, expiry, cvc = (str(typed.get(name) or "").strip() for name in ("number", "expiry", "cvc"))
    month, year = _expiry(expiry)
    if not cvc:
        raise ApiError(402, "card_error", "incomplete_cvc", "Your card's security code is incomplete.", "cvc")
    return CardEntered(number, month, year, cvc)


def _expiry(text: str) -> tuple[int, int]:
    """Return month and year of ``MM / YY``, ``MMYY`` or ``MM/YYYY``. Raises ApiError 402 for other texts."""
    digits = "".join(letter for letter in text if letter in "0123456789")
    if len(digits) not in (3, 4, 6):
        raise ApiError(
            402, "card_error", "invalid_expiry_month", "Your card's expiration date is incomplete.", "exp_month"
        )
    split = 1 if len(digits) == 3 else 2
    year = int(digits[split:])
    return int(digits[:split]), year + 2000 if year < 100 else year


def field_of(param: str | None) -> str:
    """Return the field of a card that shows the errors of a parameter; empty for any other parameter."""
    name = (param or "").rstrip("]").rpartition("[")[2] or (param or "")
    return {"number": "number", "exp_month": "expiry", "exp_year": "expiry", "cvc": "cvc"}.get(name, "")
