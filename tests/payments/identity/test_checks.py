"""What the checks of a verification come to: the errors one can pick, and the reports they give."""

from __future__ import annotations

from tests.payments.identity.steps import finish, start
from tests.support.api import Api
from tests.support.openapi import assert_valid

SESSIONS = "/v1/identity/verification_sessions"


def test_a_verified_session_has_a_report_and_outputs(api: Api) -> None:
    session = start(api, return_url="https://shop.example/done")
    assert_valid("POST", SESSIONS, 200, session)
    answer = finish(api, session, "verified")
    assert (answer.status, answer.headers["location"]) == (303, "https://shop.example/done")
    session = api.ok("GET", f"{SESSIONS}/{session['id']}")
    assert_valid("GET", SESSIONS + "/{session}", 200, session)
    assert (session["status"], session["url"], session["client_secret"]) == ("verified", None, None)
    report = api.ok("GET", f"/v1/identity/verification_reports/{session['last_verification_report']}")
    assert_valid("GET", "/v1/identity/verification_reports/{report}", 200, report)
    assert (report["document"]["status"], report["selfie"]["status"]) == ("verified", "verified")
    types = [event["type"].rpartition(".")[2] for event in api.events()]
    assert types == ["created", "processing", "verified"]


def test_redacting_takes_the_person_out_of_the_report(api: Api) -> None:
    session = start(api)
    finish(api, session, "verified")
    session = api.ok("POST", f"{SESSIONS}/{session['id']}/redact")
    assert "verified_outputs" not in session
    report = api.ok("GET", f"/v1/identity/verification_reports/{session['last_verification_report']}")
    assert report["document"]["first_name"] == "[redacted]"
