"""Verification sessions: the outcome is picked on the page."""

from __future__ import annotations

import pytest

from tests.support.api import Answer, Api
from tests.support.openapi import assert_valid

SESSIONS = "/v1/identity/verification_sessions"


def start(api: Api, **more: object) -> Answer:
    return api.ok("POST", SESSIONS, type="document", options={"document": {"require_matching_selfie": True}}, **more)


def finish(api: Api, session: Answer, outcome: str) -> Answer:
    path = session["url"].partition("8420")[2]
    assert api.send("GET", path, key=None).status == 200
    answer = api.send("POST", path, key=None, body=f"outcome={outcome}".encode())
    api.advance(1)
    return answer


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


def test_redacting_takes_the_person_out_of_the_report(api: Api) -> None:
    session = start(api)
    finish(api, session, "verified")
    session = api.ok("POST", f"{SESSIONS}/{session['id']}/redact")
    assert "verified_outputs" not in session
    report = api.ok("GET", f"/v1/identity/verification_reports/{session['last_verification_report']}")
    assert report["document"]["first_name"] == "[redacted]"
