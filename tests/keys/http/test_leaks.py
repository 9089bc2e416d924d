"""Reports of leaked keys at a key server, as ``[scanning]`` in ``tollkey.toml`` declares."""

from __future__ import annotations

from tests.keys.http.conftest import Declare


def test_whoever_has_the_text_of_a_key_ends_it_without_a_service_key(declare: Declare) -> None:
    web = declare("[scanning]\n")
    _, text = web.keys.create("CI")
    answer = web.post("/v1/leaks/revoke", {"key": text}, key=None)
    assert (answer.status, answer.json["data"][0]["revoked"]) == (200, True)
    assert answer.headers["request-id"].startswith("req_")
    assert not web.keys.verify(text)


def test_github_s_messages_are_taken_when_that_is_declared(declare: Declare) -> None:
    assert declare("[scanning]\n").post("/v1/leaks/github", key=None).error == (404, "url_unknown")
    taking = declare("[scanning]\ngithub = true\n")
    assert taking.post("/v1/leaks/github", [], key=None).error == (401, "signature_missing")


def test_revocation_by_possession_may_be_left_out(declare: Declare) -> None:
    without = declare("[scanning]\npossession = false\n")
    assert without.post("/v1/leaks/revoke", key=None).error == (404, "url_unknown")
