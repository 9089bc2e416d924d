"""What the page asks for besides the payment: address, delivery, phone, tax id, custom fields, consent."""

from __future__ import annotations

import pytest

from tests.payments.checkout.steps import again, fill, path_of, session
from tests.support.api import Api

FIELDS = [
    {
        "key": "engraving",
        "label": {"type": "custom", "custom": "Engraving"},
        "type": "text",
        "text": {"maximum_length": 5},
    },
    {"key": "floor", "label": {"type": "custom", "custom": "Floor"}, "type": "numeric", "optional": True},
    {
        "key": "size",
        "label": {"type": "custom", "custom": "Size"},
        "type": "dropdown",
        "dropdown": {"options": [{"label": "Small", "value": "s"}, {"label": "Large", "value": "l"}]},
    },
]


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"custom[engraving]": "too long"}, "custom[engraving]"),
        ({"custom[floor]": "two"}, "custom[floor]"),
        ({"custom[size]": "xl"}, "custom[size]"),
        ({"custom[engraving]": ""}, "custom[engraving]"),
        ({"phone": ""}, "phone"),
        ({"terms": ""}, "terms"),
    ],
)
def test_what_does_not_fit_is_told_at_its_field_and_the_rest_stays(api: Api, typed: dict[str, str], field: str) -> None:
    consent = {"terms_of_service": "required", "promotions": "auto"}
    made = session(api, custom_fields=FIELDS, phone_number_collection={"enabled": True}, consent_collection=consent)
    good = {"custom[engraving]": "Jo", "custom[floor]": "2", "custom[size]": "l", "phone": "+15550100", "terms": "1"}
    refused = fill(api, path_of(made), **{**good, **typed}).body.decode()
    assert f'id="{field}-error"' in refused
    assert 'value="l" selected' in refused or field == "custom[size]"
    assert fill(api, path_of(made), **good, promotions="1").status == 303
    paid = again(api, made)
    assert [one[one["type"]]["value"] for one in paid["custom_fields"]] == ["Jo", "2", "l"]
    assert paid["customer_details"]["phone"] == "+15550100"
    assert paid["consent"] == {"promotions": "opt_in", "terms_of_service": "accepted"}


def test_a_business_gives_its_tax_id_and_whole_address(api: Api) -> None:
    made = session(
        api, tax_id_collection={"enabled": True}, billing_address_collection="required", customer_creation="always"
    )
    typed = {
        "country": "DE",
        "line1": "Chausseestr. 1",
        "city": "Berlin",
        "postal_code": "10115",
        "business_name": "Li GmbH",
    }
    assert 'id="tax_id-error"' in fill(api, path_of(made), **typed, tax_id="?").body.decode()
    assert 'id="line1-error"' in fill(api, path_of(made), **{**typed, "line1": ""}).body.decode()
    assert fill(api, path_of(made), **typed, tax_id="DE123456789").status == 303
    paid = again(api, made)
    assert paid["customer_details"]["tax_ids"] == [{"type": "eu_vat", "value": "DE123456789"}]
    customer = api.ok("GET", f"/v1/customers/{paid['customer']}", expand=["tax_ids"])
    assert (customer["tax_ids"]["data"][0]["value"], customer["address"]["line1"]) == ("DE123456789", "Chausseestr. 1")
    assert customer["name"] == "Li GmbH"


def test_names_are_asked_for(api: Api) -> None:
    made = session(
        api, name_collection={"business": {"enabled": True}, "individual": {"enabled": True, "optional": True}}
    )
    assert 'id="business_name-error"' in fill(api, path_of(made)).body.decode()
    assert fill(api, path_of(made), business_name="Li GmbH").status == 303
    assert again(api, made)["customer_details"]["business_name"] == "Li GmbH"
