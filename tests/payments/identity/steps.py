"""Steps that several tests of identity share."""

from __future__ import annotations

from tests.support.api import Answer, Api

SESSIONS = "/v1/identity/verification_sessions"


def start(api: Api, **more: object) -> Answer:
    return api.ok("POST", SESSIONS, type="document", options={"document": {"require_matching_selfie": True}}, **more)


def finish(api: Api, session: Answer, outcome: str) -> Answer:
    path = session["url"].partition("8420")[2]
    assert api.send("GET", path, key=None).status == 200
    answer = api.send("POST", path, key=None, body=f"outcome={outcome}".encode())
    api.advance(1)
    return answer
