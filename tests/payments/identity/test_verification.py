"""Identity: sessions in which a person proves who they are, and the reports of their checks."""

from __future__ import annotations

import pytest

from tests.payments.identity.steps import finish, start
from tests.support.api import Api
from tests.support.connected import connected
from tests.support.openapi import assert_valid

SESSIONS = "/v1/identity/verification_sessions"


@pytest.mark.parametrize("code", ["consent_declined", "document_expired", "selfie_face_mismatch"])
def test_a_failed_check_requires_input_again(api: Api, code: str) -> None:
    session = start(api)
    finish(api, session, code)
    session = api.ok("GET", f"{SESSIONS}/{session['id']}")
    assert (session["status"], session["last_error"]["code"]) == ("requires_input", code)
    assert_valid("GET", SESSIONS + "/{session}", 200, session)


def test_a_cancelled_session_can_be_redacted_but_not_cancelled_again(api: Api) -> None:
    session = start(api)
    assert api.ok("POST", f"{SESSIONS}/{session['id']}/cancel")["status"] == "canceled"
    assert api.post(f"{SESSIONS}/{session['id']}/cancel").status == 400
    redacted = api.ok("POST", f"{SESSIONS}/{session['id']}/redact")
    assert_valid("POST", SESSIONS + "/{session}/redact", 200, redacted)
    assert redacted["redaction"] == {"status": "redacted"}
    assert [e["type"].rpartition(".")[2] for e in api.events()] == ["created", "canceled", "redacted"]


def test_a_session_is_of_a_type_or_of_a_flow(api: Api) -> None:
    refused = api.post(SESSIONS)
    assert (refused.status, refused.error["code"], refused.error["param"]) == (400, "parameter_missing", "type")


def test_nobody_submits_to_a_canceled_session(api: Api) -> None:
    session = start(api)
    canceled = api.ok("POST", f"{SESSIONS}/{session['id']}/cancel")
    assert (canceled["url"], canceled["client_secret"]) == (None, None)
    finish(api, session, "verified")  # from a page that was still open
    assert api.get(f"{SESSIONS}/{session['id']}")["status"] == "canceled"
    assert api.post(f"{SESSIONS}/{session['id']}", metadata={"a": "b"}).status == 400


@pytest.mark.parametrize("outcome", ["verified", "canceled"])
def test_a_redacted_session_is_used_for_nothing(api: Api, outcome: str) -> None:
    session = start(api)
    path = f"{SESSIONS}/{session['id']}"
    if outcome == "verified":
        finish(api, session, "verified")
    before = api.ok("POST", f"{path}/redact")
    for step, params in (("", {"metadata": {"a": "b"}}), ("/cancel", {}), ("/redact", {})):
        refused = api.post(path + step, **params)
        assert (refused.status, refused.error["type"]) == (400, "invalid_request_error"), step
    finish(api, session, "verified")
    assert api.get(path) == before


def test_a_session_shows_its_flow_and_the_person_whom_it_is_about(api: Api) -> None:
    account = connected(api)["id"]
    person = api.ok("POST", f"/v1/accounts/{account}/persons", first_name="Jo")["id"]
    about = {"account": account, "person": person}
    made = api.ok("POST", SESSIONS, verification_flow="vf_tea", related_person=about)
    assert_valid("POST", SESSIONS, 200, made)
    assert (made["type"], made["verification_flow"], made["related_person"]) == ("verification_flow", "vf_tea", about)
    assert api.get(f"{SESSIONS}/{made['id']}")["related_person"] == about


def test_the_related_person_belongs_to_the_account(api: Api) -> None:
    accounts = [connected(api)["id"], connected(api)["id"]]
    person = api.ok("POST", f"/v1/accounts/{accounts[0]}/persons", first_name="Jo")["id"]
    for account, named, param in (
        (accounts[1], person, "person"),
        (accounts[0], "person_unknown", "person"),
        ("acct_unknown", person, "account"),
    ):
        refused = api.post(SESSIONS, type="document", related_person={"account": account, "person": named})
        assert (refused.status, refused.error["param"]) == (400, f"related_person[{param}]")


def test_a_connected_account_learns_nothing_of_the_others(api: Api) -> None:
    own, other = ({"account": connected(api)["id"]} for _ in range(2))
    for about in (own, other):
        about["person"] = api.ok("POST", f"/v1/accounts/{about['account']}/persons", first_name="Jo")["id"]
    acting = {"Stripe-Account": own["account"]}
    assert api.post(SESSIONS, headers=acting, type="document", related_person=own).status == 200
    refused = api.post(SESSIONS, headers=acting, type="document", related_person=other)
    assert (refused.status, refused.error["param"]) == (400, "related_person[account]")


def test_options_of_a_document_are_only_for_sessions_about_documents(api: Api) -> None:
    options = {"document": {"require_live_capture": True, "allowed_types": ["passport"]}}
    refused = api.post(SESSIONS, type="id_number", options=options)
    assert (refused.status, refused.error["param"]) == (400, "options[document]")
    made = api.ok("POST", SESSIONS, type="document", options=options)
    assert made["options"] == options
    path = f"{SESSIONS}/{made['id']}"
    assert api.post(path, type="id_number", options=options).error["param"] == "options[document]"
    assert api.ok("POST", path, type="id_number")["options"] == {"id_number": {}}
