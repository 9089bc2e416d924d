"""Forms of hosted pages: what was typed is shown again, secrets are not, and errors stand beside their fields."""

from __future__ import annotations

import pytest

from tollkey.payments.documents.forms import COUNTRIES, PROBLEMS, Form, card_entered, card_fields, field_of
from tollkey.wire import ApiError
from tollkey.wire.languages import ENGLISH, first_of


def test_what_was_typed_is_escaped_and_shown_again_but_never_a_card_number() -> None:
    form = Form({"email": '"><b>', "number": "4242424242424242", "cvc": "987"})
    assert 'value="&quot;&gt;&lt;b&gt;"' in form.input("email", "E-mail <1>")
    assert "E-mail &lt;1&gt;" in form.input("email", "E-mail <1>")
    assert "4242" not in card_fields(form)
    assert "987" not in card_fields(form)


def test_an_error_stands_beside_its_field_in_the_language_of_the_page() -> None:
    form = Form(field="number", problem="Your card was declined.", language=first_of(["de"]))
    assert 'aria-describedby="number-error" autofocus' in card_fields(form)
    assert "Ihre Karte wurde abgelehnt." in card_fields(form)
    assert form.refusal() == ""
    assert "<b>" not in Form(problem="a <b>{x}").refusal()


@pytest.mark.parametrize(
    ("typed", "read"),
    [("12 / 30", (12, 2030)), ("1230", (12, 2030)), ("130", (1, 2030)), ("12/2034", (12, 2034)), ("00/00", (0, 2000))],
)
def test_an_expiry_date_may_be_written_in_several_ways(typed: str, read: tuple[int, int]) -> None:
    card = card_entered({"number": " 4242 ", "expiry": typed, "cvc": "123"})
    assert (card.number, card.month, card.year) == ("4242", *read)


@pytest.mark.parametrize(
    ("expiry", "cvc", "code"),
    [("", "123", "invalid_expiry_month"), ("٣٤", "1", "invalid_expiry_month"), ("1230", " ", "incomplete_cvc")],
)
def test_an_incomplete_card_is_refused_at_its_field(expiry: str, cvc: str, code: str) -> None:
    with pytest.raises(ApiError) as refused:
        card_entered({"number": "4242", "expiry": expiry, "cvc": cvc})
    assert (refused.value.code, field_of(refused.value.param)) == (code, "cvc" if "cvc" in code else "expiry")


def test_every_country_can_be_chosen_by_its_name_in_the_language_of_the_page() -> None:
    assert len(set(COUNTRIES)) == 249
    assert [code for code in COUNTRIES if ENGLISH.country(code) == code] == []
    html = Form(language=first_of(["ja"])).country("DE")
    assert '<option value="DE" selected>ドイツ</option>' in html
    assert html.count("<option") == 249


def test_the_most_frequent_refusals_are_translated() -> None:
    assert [text for text in PROBLEMS if first_of(["fr"]).say(text) == text] == []
