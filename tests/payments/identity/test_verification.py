"""Identity: sessions in which a person proves who they are, and the reports of their checks."""

from __future__ import annotations

import pytest

from tests.payments.identity.steps import finish, start
from tests.support.api import Api
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
