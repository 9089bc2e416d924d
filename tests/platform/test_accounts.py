"""Connected accounts: who may see them, what they are asked for, and what the test values decide."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.support.api import Answer, Api
from tests.support.connected import PERSON, connected, everything
from tests.support.openapi import assert_valid
from tests.support.versions import BEFORE_ENDIVE

BANK = {
    "object": "bank_account",
    "country": "US",
    "currency": "usd",
    "account_number": "000123456789",
    "routing_number": "110000000",
}


def custom(api: Api, **params: Any) -> Answer:
    """A custom account that has told everything."""
    given = {**everything(api), "external_account": BANK, **params}
    answer = api.ok("post", "/v1/accounts", **{name: value for name, value in given.items() if value is not None})
    assert_valid("POST", "/v1/accounts", 200, answer)
    return answer


def test_an_account_that_told_everything_is_checked_and_then_enabled(api: Api) -> None:
    account = custom(api)
    assert account["capabilities"] == {"card_payments": "pending", "transfers": "pending"}
    assert not account["charges_enabled"]
    api.advance(10)
    account = api.get(f"/v1/accounts/{account['id']}")
    assert account["capabilities"] == {"card_payments": "active", "transfers": "active"}
    assert account["charges_enabled"]
    assert account["payouts_enabled"]
    assert account["requirements"]["currently_due"] == []


def test_what_is_missing_is_asked_for_and_disables_the_account(api: Api) -> None:
    account = custom(api, individual={"first_name": "Jenny"}, external_account=None, tos_acceptance=None)
    due = account["requirements"]["currently_due"]
    assert {
        "external_account",
        "tos_acceptance.date",
        "individual.last_name",
        "individual.dob.day",
        "individual.ssn_last_4",
    } <= set(due)
    assert "individual.first_name" not in due
    assert account["requirements"]["disabled_reason"] == "requirements.past_due"
    assert account["capabilities"]["transfers"] == "inactive"


def test_a_birth_date_that_does_not_match_leads_to_a_document_which_settles_it(api: Api) -> None:
    account = custom(api, individual={**PERSON, "dob": {"day": 2, "month": 3, "year": 1990}})
    api.advance(10)
    account = api.get(f"/v1/accounts/{account['id']}")
    assert account["requirements"]["currently_due"] == ["individual.verification.document"]
    assert not account["payouts_enabled"]
    api.ok(
        "post",
        f"/v1/accounts/{account['id']}",
        individual={"verification": {"document": {"front": "file_identity_document_success"}}},
    )
    api.advance(10)
    assert api.get(f"/v1/accounts/{account['id']}")["payouts_enabled"]


def test_identity_numbers_are_never_shown(api: Api) -> None:
    account = custom(api)
    assert account["individual"]["id_number_provided"] is True
    assert b"000000000" not in account.body.replace(b"+10000000000", b"")


def test_only_the_platform_and_the_account_itself_see_an_account(api: Api) -> None:
    account = custom(api)
    assert api.get(f"/v1/accounts/{account['id']}").status == 200
    stranger = api.another()
    refused = stranger.get(f"/v1/accounts/{account['id']}")
    assert (refused.status, refused.error["code"]) == (403, "account_invalid")
    assert stranger.get("/v1/customers", headers={"Stripe-Account": account["id"]}).status == 403
    assert api.get("/v1/account", headers={"Stripe-Account": account["id"]})["id"] == account["id"]
    assert api.get("/v1/account", headers={"Stripe-Account": ""}).error["code"] == "platform_account_required"


@pytest.mark.parametrize("path", ["/v1/accounts", "/v2/core/accounts"])
def test_a_connected_account_is_no_platform(api: Api, path: str) -> None:
    """The real system answers so to accounts that have not signed up for Connect."""
    account = api.ok("POST", "/v1/accounts", type="custom", country="US")["id"]
    json = path.startswith("/v2")
    sent = {"content-type": "application/json" if json else "application/x-www-form-urlencoded"}
    body = b'{"contact_email": "a@shop.example"}' if json else b"type=custom&country=US"
    refused = api.send("POST", path, headers={"stripe-account": account, **sent}, body=body)
    assert (refused.status, "signed up for Connect" in refused["error"]["message"]) == (400, True)
    assert [one["id"] for one in api.get("/v1/accounts")["data"]] == [account]


def test_own_account_is_reached_by_both_paths_and_is_not_listed(api: Api) -> None:
    assert api.get("/v1/account")["id"] == api.account == api.get(f"/v1/accounts/{api.account}")["id"]
    assert api.get("/v1/accounts")["data"] == []
    assert_valid("GET", "/v1/account", 200, api.get("/v1/account"))
    account = custom(api)
    assert [one["id"] for one in api.get("/v1/accounts")["data"]] == [account["id"]]


def test_events_about_a_connected_account_name_it_and_stand_in_both_lists(api: Api) -> None:
    account = custom(api)
    api.advance(10)
    events = api.get("/v1/events", headers={"Stripe-Account": account["id"]}, limit=100)["data"]
    types = {event["type"] for event in events}
    assert {
        "account.updated",
        "capability.updated",
        "person.created",
        "person.updated",
        "account.external_account.created",
    } <= types
    assert all(event["account"] == account["id"] for event in events)
    assert {event["account"] for event in api.events("account.updated")} == {account["id"]}


def test_a_company_names_its_representative_and_owners(api: Api) -> None:
    company = {"name": "Rocket", "tax_id": "000000000", "phone": "4155550123", "address": PERSON["address"]}
    account = custom(api, business_type="company", individual=None, company=company)
    assert "representative.first_name" in account["requirements"]["currently_due"]
    path = f"/v1/accounts/{account['id']}/persons"
    person = api.ok(
        "post",
        path,
        **PERSON,
        relationship={"representative": True, "owner": True, "title": "CEO", "percent_ownership": 100},
    )
    assert_valid("POST", "/v1/accounts/{account}/persons", 200, person)
    api.ok("post", f"/v1/accounts/{account['id']}", company={"owners_provided": True})
    api.advance(10)
    assert api.get(f"/v1/accounts/{account['id']}")["charges_enabled"]
    assert [p["id"] for p in api.get(path, relationship={"owner": True})["data"]] == [person["id"]]
    assert api.get(path, relationship={"director": True})["data"] == []
    assert api.delete(f"{path}/{person['id']}")["deleted"]
    assert "representative.first_name" in api.get(f"/v1/accounts/{account['id']}")["requirements"]["currently_due"]


def test_a_real_bank_account_number_is_refused_in_test_mode(api: Api) -> None:
    account = custom(api)
    refused = api.post(
        f"/v1/accounts/{account['id']}/external_accounts", external_account={**BANK, "account_number": "12345678901"}
    )
    assert refused.status == 400
    assert refused.error["code"] == "account_number_invalid"
    assert refused.error["param"] == "external_account[account_number]"


def test_external_accounts_keep_one_default_for_each_currency(api: Api) -> None:
    account = custom(api)
    path = f"/v1/accounts/{account['id']}/external_accounts"
    first = account["external_accounts"]["data"][0]
    second = api.ok("post", path, external_account="btok_us", default_for_currency=True)
    assert [(b["id"], b["default_for_currency"]) for b in api.get(path)["data"]] == [
        (second["id"], True),
        (first["id"], False),
    ]
    assert (
        api.delete(f"{path}/{second['id']}")
        .error["message"]
        .startswith("You cannot delete the default external account")
    )
    assert api.ok("post", f"{path}/{first['id']}", default_for_currency=True, metadata={"a": "b"})["metadata"] == {
        "a": "b"
    }
    assert api.delete(f"{path}/{second['id']}")["deleted"]
    assert api.get(f"{path}/{second['id']}").status == 404


def test_capabilities_are_asked_for_and_given_back(api: Api) -> None:
    bank = {**BANK, "country": "CA", "currency": "cad"}
    account = custom(api, country="CA", external_account=bank, capabilities={"transfers": {"requested": True}})
    path = f"/v1/accounts/{account['id']}/capabilities"
    assert api.get(f"{path}/card_payments")["status"] == "unrequested"
    asked = api.ok("post", f"{path}/card_payments", requested=True)
    assert_valid("POST", "/v1/accounts/{account}/capabilities/{capability}", 200, asked)
    assert (asked["requested"], asked["status"]) == (True, "active")
    assert [one["id"] for one in api.get(path)["data"]] == ["card_payments", "transfers"]
    assert api.ok("post", f"{path}/card_payments", requested=False)["requested"] is False


def test_a_rejected_account_is_disabled_and_a_deleted_one_cannot_be_reached(api: Api) -> None:
    account = custom(api)
    api.advance(10)
    rejected = api.ok("post", f"/v1/accounts/{account['id']}/reject", reason="fraud_other")
    reason = rejected["requirements"]["disabled_reason"]
    assert (rejected["charges_enabled"], reason) == (False, "rejected.platform_fraud")
    assert api.delete(f"/v1/accounts/{account['id']}") == {"id": account["id"], "object": "account", "deleted": True}
    assert api.get("/v1/customers", headers={"Stripe-Account": account["id"]}).status == 403


def test_an_unknown_country_and_a_type_beside_a_controller_are_refused(api: Api) -> None:
    assert api.post("/v1/accounts", type="custom", country="ZZ").error["code"] == "country_code_invalid"
    both = api.post("/v1/accounts", type="custom", controller={"losses": {"payments": "application"}})
    assert both.error["code"] == "parameters_exclusive"


def test_a_session_of_embedded_components_and_country_specs_have_their_shape(api: Api) -> None:
    account = custom(api)
    session = api.ok("post", "/v1/account_sessions", account=account["id"], components={"payments": {"enabled": True}})
    assert_valid("POST", "/v1/account_sessions", 200, session)
    assert session["components"]["payments"]["enabled"]
    assert not session["components"]["payouts"]["enabled"]
    assert_valid("GET", "/v1/country_specs/{country}", 200, api.get("/v1/country_specs/DE"))
    assert api.get("/v1/country_specs/DE")["default_currency"] == "eur"


def test_deleting_and_deauthorizing_tell_the_platform(api: Api) -> None:
    first, second = custom(api), custom(api)
    api.ok("delete", f"/v1/accounts/{first['id']}")
    client = "ca_" + api.account.removeprefix("acct_")
    as_itself = {"Stripe-Account": second["id"]}
    own = f"ca_{second['id'].removeprefix('acct_')}"
    refused = api.post("/oauth/deauthorize", headers=as_itself, client_id=own, stripe_user_id=second["id"])
    assert (refused.status, refused["error"]) == (401, "invalid_client")  # a connected account has no application
    refused = api.post("/oauth/deauthorize", client_id="bogus", stripe_user_id=second["id"])
    assert (refused.status, refused["error"]) == (401, "invalid_client")
    assert refused["error_description"] == "No such application: 'bogus'"
    assert api.ok("post", "/oauth/deauthorize", client_id=client, stripe_user_id=second["id"]) == {
        "stripe_user_id": second["id"]
    }
    events = api.events("account.application.deauthorized")
    assert [(event["account"], event["data"]["object"]["id"]) for event in events] == [
        (first["id"], client),
        (second["id"], client),
    ]
    assert api.get(f"/v1/accounts/{second['id']}").error["code"] == "account_invalid"


@pytest.mark.parametrize(
    ("card", "blocked"),
    [("triggerVerification", None), ("triggerChargeBlock", "charges"), ("triggerTransferBlock", "payouts")],
)
def test_test_cards_make_the_next_requirements_due_and_a_document_lifts_the_block(
    api: Api, card: str, blocked: str | None
) -> None:
    account = custom(api)
    api.advance(10)
    path = f"/v1/accounts/{account['id']}"
    api.ok(
        "post",
        "/v1/charges",
        amount=1_000,
        currency="usd",
        source=f"tok_visa_{card}",
        headers={"Stripe-Account": account["id"]},
    )
    api.advance(1)
    account = api.get(path)
    assert account["requirements"]["currently_due"] == ["individual.verification.document"]
    assert account["charges_enabled"] is (blocked != "charges")
    assert account["payouts_enabled"] is (blocked != "payouts")
    assert (account["requirements"]["current_deadline"] is None) is (blocked is not None)
    api.ok("post", path, individual={"verification": {"document": {"front": "file_identity_document_success"}}})
    api.advance(10)
    account = api.get(path)
    assert (account["charges_enabled"], account["payouts_enabled"], account["requirements"]["currently_due"]) == (
        True,
        True,
        [],
    )


def test_an_american_account_repeats_what_is_due_under_the_rules_that_were_announced(api: Api) -> None:
    account = custom(api, external_account=None)
    future, due = account["future_requirements"], account["requirements"]
    assert future["current_deadline"] == 1_717_516_800
    assert future["currently_due"] == due["currently_due"] == ["external_account"]
    assert future["pending_verification"] == due["pending_verification"]
    assert (future["disabled_reason"], future["errors"]) == (None, [])


def test_an_account_without_a_name_is_called_after_its_site_and_trades_as_its_platform(api: Api) -> None:
    account = custom(api, business_profile={"url": "www.example.com"})
    told = account["settings"]
    assert (told["payments"]["statement_descriptor"], told["dashboard"]["display_name"]) == ("EXAMPLE.COM", "Example")
    assert account["business_profile"]["mcc"] == api.get("/v1/account")["business_profile"]["mcc"]


def test_a_recipients_company_has_every_field(api: Api) -> None:
    accepted = {"date": api.now, "ip": "203.0.113.12", "service_agreement": "recipient"}
    bank = {**BANK, "country": "KR", "currency": "krw"}
    given = {"country": "KR", "external_account": bank, "tos_acceptance": accepted}
    recipient = custom(api, capabilities={"transfers": {"requested": True}}, **given)
    assert {"name_kana", "name_kanji", "ownership_declaration", "vat_id_provided"} <= set(recipient["company"])
    assert "name_kana" not in custom(api)["company"]


@pytest.mark.parametrize(
    ("given", "code", "param"),
    [
        ({"email": "nobody"}, "email_invalid", "email"),
        ({"individual": {"email": "nobody"}}, "email_invalid", "individual[email]"),
        ({"business_profile": {"url": "nowhere"}}, "url_invalid", "business_profile[url]"),
    ],
)
def test_an_address_that_is_none_is_refused(api: Api, given: dict[str, Any], code: str, param: str) -> None:
    error = api.post("/v1/accounts", type="custom", country="US", business_type="individual", **given).error
    assert (error["code"], error["param"]) == (code, param)


def test_what_an_account_token_holds_is_used_once_and_read_no_more_without_its_key(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = {
        "business_type": "individual",
        "individual": {"first_name": "Jenny", "id_number": "000000000"},
        "tos_shown_and_accepted": True,
    }
    token = api.ok("post", "/v1/tokens", account=told)
    made = api.ok("post", "/v1/accounts", type="custom", country="US", account_token=token["id"])
    assert made["individual"]["first_name"] == "Jenny"
    assert made["individual"]["id_number_provided"] is True
    lost = api.ok("post", "/v1/tokens", account=told)["id"]
    with monkeypatch.context() as gone:
        keyring = api.core.authority.keyring
        gone.setattr(api.core.authority, "keyring", replace(keyring, sealing_keys={keyring.sealing_current: bytes(32)}))
        refused = api.post("/v1/accounts", type="custom", country="US", account_token=lost)
    assert (refused.status, refused.error["message"]) == (
        400,
        f"What {lost} holds can no longer be read. Create a new one.",
    )


def test_a_capability_that_no_account_can_have_is_not_found(api: Api) -> None:
    account = connected(api)["id"]
    answer = api.get(f"/v1/accounts/{account}/capabilities/flying")
    assert (answer.status, answer.error["message"]) == (404, "No such capability: 'flying'")
    assert api.get(f"/v1/accounts/{account}/capabilities/sepa_debit_payments")["status"] == "unrequested"


def test_an_account_is_rejected_for_a_reason_of_the_list(api: Api) -> None:
    refused = api.post(f"/v1/accounts/{connected(api)['id']}/reject", reason="x")
    message = (
        "Invalid reason: must be one of credit, fraud_no_intent_to_fulfill, fraud_other, fraud_payment_method_casher,"
        " fraud_payment_method_tester, other, or terms_of_service"
    )
    assert (refused.status, refused.error["param"], refused.error["message"]) == (400, "reason", message)


@pytest.mark.parametrize(
    ("reason", "now", "before"),
    [
        ("fraud", "rejected.platform_fraud", "rejected.fraud"),
        ("terms_of_service", "rejected.platform_terms_of_service", "rejected.terms_of_service"),
        ("other", "rejected.platform_other", "rejected.other"),
        ("credit", "rejected.platform_other", "rejected.other"),
    ],
)
def test_a_platform_s_rejection_is_told_apart_from_one_by_stripe_since_endive(
    api: Api, reason: str, now: str, before: str
) -> None:
    old = {"Stripe-Version": BEFORE_ENDIVE}
    id = connected(api)["id"]
    rejected = api.ok("post", f"/v1/accounts/{id}/reject", reason=reason, headers=old)
    assert rejected["requirements"]["disabled_reason"] == before
    assert api.get(f"/v1/accounts/{id}")["requirements"]["disabled_reason"] == now
    unknown = api.post(f"/v1/accounts/{connected(api)['id']}/reject", reason="x", headers=old)
    assert unknown.error["message"] == "Invalid reason: must be one of fraud, other, or terms_of_service"


@pytest.mark.parametrize("version", ["2019-02-19", "2023-10-16", "2026-10-28.endive"])
def test_the_documented_test_phone_number_passes_under_every_version(api: Api, version: str) -> None:
    """It was recorded as invalid in future requirements until 2024-06-04 alone: by date, not by version."""
    account = custom(api.under(version))
    assert account["individual"]["phone"] == "+10000000000"
    future = account["future_requirements"]
    assert [future.get("errors"), [path for path in future["currently_due"] if "phone" in path]] == [[], []]


def test_a_capability_that_does_not_exist_is_not_requested(api: Api) -> None:
    given = {"type": "custom", "country": "US"}
    refused = api.post("/v1/accounts", requested_capabilities=["transfers", "tea"], **given)
    assert (refused.status, refused.error["param"]) == (400, "requested_capabilities[1]")


def test_a_token_declares_who_owns_a_company(api: Api) -> None:
    told = {"business_type": "company", "company": {"ownership_declaration_shown_and_signed": True}}
    token = api.ok("POST", "/v1/tokens", account=told)["id"]
    made = api.ok("POST", "/v1/accounts", type="custom", country="US", account_token=token)
    assert made["company"]["ownership_declaration"]["date"] == api.now
