"""Terminal: a simulated reader takes a card, or refuses it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api import Api
from tests.support.openapi import assert_valid

READERS = "/v1/terminal/readers"
PRESENT = "/v1/test_helpers/terminal/readers/{}/present_payment_method"


@pytest.mark.parametrize(("number", "status", "intent_status"), [
    ("4242424242424242", "succeeded", "succeeded"), ("4000000000000002", "failed", "requires_payment_method"),
])  # fmt: skip
def test_a_presented_card_pays_the_intent_or_is_refused(api: Api, number: str, status: str, intent_status: str) -> None:
    where = {"line1": "1 Main St", "city": "San Francisco", "state": "CA", "country": "US", "postal_code": "94111"}
    location = api.ok("POST", "/v1/terminal/locations", display_name="Shop", address=where)
    assert_valid("POST", "/v1/terminal/locations", 200, location)
    reader = api.ok("POST", READERS, registration_code="simulated-wpe", location=location["id"])
    assert_valid("POST", READERS, 200, reader)
    intent = api.ok(
        "POST", "/v1/payment_intents", amount=1000, currency="usd", allowed_payment_method_types=["card_present"]
    )
    busy = api.ok("POST", f"{READERS}/{reader['id']}/process_payment_intent", payment_intent=intent["id"])
    assert_valid("POST", READERS + "/{reader}/process_payment_intent", 200, busy)
    assert (
        api.post(f"{READERS}/{reader['id']}/process_payment_intent", payment_intent=intent["id"]).error["code"]
        == "terminal_reader_busy"
    )
    done = api.ok("POST", PRESENT.format(reader["id"]), card_present={"number": number}, type="card_present")
    assert_valid("POST", PRESENT.format("{reader}"), 200, done)
    assert (done["action"]["status"], api.get(f"/v1/payment_intents/{intent['id']}")["status"]) == (
        status,
        intent_status,
    )
    charges = api.ok("GET", "/v1/charges")
    assert_valid("GET", "/v1/charges", 200, charges)
    assert charges["data"][0]["payment_method_details"]["type"] == "card_present"


def test_locations_and_configurations_come_and_go(api: Api) -> None:
    made = api.ok("POST", "/v1/terminal/configurations", name="Tips", tipping={"usd": {"fixed_amounts": [100, 200]}})
    assert_valid("POST", "/v1/terminal/configurations", 200, made)
    assert_valid("GET", "/v1/terminal/configurations", 200, api.ok("GET", "/v1/terminal/configurations"))
    assert api.ok("DELETE", f"/v1/terminal/configurations/{made['id']}")["deleted"] is True
    token = api.ok("POST", "/v1/terminal/connection_tokens")
    assert_valid("POST", "/v1/terminal/connection_tokens", 200, token)
    assert api.post(READERS, registration_code="no").status == 400


def test_a_location_stays_in_its_country(api: Api) -> None:
    place = {"country": "US", "line1": "1 Main St", "city": "SF", "state": "CA", "postal_code": "94111"}
    location = api.ok("POST", "/v1/terminal/locations", display_name="Shop", address=place)["id"]
    moved = api.post(f"/v1/terminal/locations/{location}", address={**place, "country": "CA"})
    assert (moved.status, moved.error["param"]) == (400, "address[country]")
    assert api.ok("POST", f"/v1/terminal/locations/{location}", address={**place, "line1": "2 Main St"})


PLACE = {"line1": "1 Main St", "city": "San Francisco", "state": "CA", "country": "US", "postal_code": "94111"}


@pytest.mark.parametrize("name", ["display_name", "display_name_kana", "display_name_kanji"])
def test_the_name_of_a_location_has_a_thousand_characters(api: Api, name: str) -> None:
    given = {"display_name": "Shop", "address": PLACE}
    refused = api.post("/v1/terminal/locations", **{**given, name: "x" * 1001})
    assert (refused.status, refused.error["param"]) == (400, name)
    assert api.post("/v1/terminal/locations", **{**given, "display_name": "x" * 1000}).status == 200


@pytest.mark.parametrize(
    ("start", "end", "param"),
    [(3, 3, "reboot_window[end_hour]"), (24, 2, "reboot_window[start_hour]"), (2, -1, "reboot_window[end_hour]")],
)
def test_readers_restart_between_two_hours_of_the_day(api: Api, start: int, end: int, param: str) -> None:
    path = "/v1/terminal/configurations"
    made = api.ok("POST", path, reboot_window={"start_hour": 23, "end_hour": 0})["id"]
    for where in (path, f"{path}/{made}"):
        refused = api.post(where, reboot_window={"start_hour": start, "end_hour": end})
        assert (refused.status, refused.error["param"]) == (400, param), where


@pytest.mark.parametrize("amount", [0, -5])
def test_a_tip_is_suggested_for_a_positive_amount(api: Api, amount: int) -> None:
    reader = api.ok("POST", READERS, registration_code="simulated-wpe")["id"]
    intent = api.ok(
        "POST", "/v1/payment_intents", amount=1000, currency="usd", allowed_payment_method_types=["card_present"]
    )["id"]
    path = f"{READERS}/{reader}/process_payment_intent"
    refused = api.post(path, payment_intent=intent, process_config={"tipping": {"amount_eligible": amount}})
    assert (refused.status, refused.error["param"]) == (400, "process_config[tipping][amount_eligible]")
    assert api.post(path, payment_intent=intent, process_config={"tipping": {"amount_eligible": 1}}).status == 200


def test_a_location_in_japan_has_its_name_and_address_in_kana_and_kanji(api: Api) -> None:
    where = {"line1": "1-1", "city": "Chiyoda", "country": "JP", "postal_code": "1000001"}
    japanese = {
        "display_name_kana": "ミセ",
        "display_name_kanji": "店",
        "address_kana": {"country": "JP", "town": "チヨダ"},
    }
    location = api.ok("POST", "/v1/terminal/locations", display_name="Shop", address=where, **japanese)
    assert_valid("POST", "/v1/terminal/locations", 200, location)
    assert {name: location[name] for name in japanese} == japanese
    changed = api.ok("POST", f"/v1/terminal/locations/{location['id']}", display_name_kanji="本店")
    assert (changed["display_name_kana"], changed["display_name_kanji"]) == ("ミセ", "本店")


@pytest.mark.parametrize(
    ("given", "param"),
    [
        ({"wifi": {"type": "personal_psk"}}, "wifi[personal_psk]"),
        (
            {"wifi": {"type": "enterprise_eap_peap", "personal_psk": {"ssid": "tea", "password": "secretsecret"}}},
            "wifi[enterprise_eap_peap]",
        ),
        ({"stripe_s700": {"splashscreen": "file_unknown"}}, "stripe_s700[splashscreen]"),
        (
            {
                "wifi": {
                    "type": "enterprise_eap_peap",
                    "enterprise_eap_peap": {
                        "ssid": "tea", "username": "u", "password": "p", "ca_certificate_file": "file_unknown"
                    },
                }
            },
            "wifi[enterprise_eap_peap][ca_certificate_file]",
        ),
    ],
)  # fmt: skip
def test_a_configuration_names_files_that_exist_and_the_details_of_its_network(
    api: Api, given: dict[str, Any], param: str
) -> None:
    path = "/v1/terminal/configurations"
    made = api.ok(
        "POST", path, wifi={"type": "personal_psk", "personal_psk": {"ssid": "tea", "password": "secretsecret"}}
    )
    assert made["wifi"]["personal_psk"]["ssid"] == "tea"
    for where in (path, f"{path}/{made['id']}"):
        refused = api.post(where, **given)
        assert (refused.status, refused.error["param"]) == (400, param)
