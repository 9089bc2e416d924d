"""A token may be used from where its key may be used from."""

from __future__ import annotations

import pytest

from tests.conftest import Clock
from tests.keys.conftest import refused
from tollkey.keys import KeyService
from tollkey.keys.tokens import InvalidToken, verify_token
from tollkey.keys.tokens.jws import decode

EDGE = "https://edge.example"


@pytest.mark.parametrize(
    ("ip", "ok"),
    [("192.0.2.7", True), ("::ffff:192.0.2.7", True), ("198.51.100.1", False), (None, False), ("x", False)],
)
def test_an_edge_holds_the_allow_list_of_the_key(keys: KeyService, clock: Clock, ip: str | None, ok: bool) -> None:
    key = keys.create(permissions=["report_read"], ip_allowlist=["192.0.2.0/24"]).key
    issued = keys.issue_token(key, audience=EDGE)
    for token in (
        verify_token(issued.text, keys.jwks(), EDGE, ip=ip, clock=clock),
        keys.check_token(issued.text, audience=EDGE, ip=ip),
    ):
        assert token == (issued.token if ok else InvalidToken("ip_not_allowed"))


def test_a_verifier_that_knows_no_allow_lists_refuses_the_token(keys: KeyService) -> None:
    plain, limited = (
        keys.issue_token(keys.create(permissions=["report_read"], ip_allowlist=networks).key, audience=EDGE)
        for networks in ([], ["192.0.2.7"])
    )
    assert b"crit" not in decode(plain.text.split(".")[0])
    assert b'"crit":["ip_allowlist"],"ip_allowlist":["192.0.2.7"]' in decode(limited.text.split(".")[0])


def test_a_list_that_was_tightened_holds_for_tokens_that_are_checked(keys: KeyService) -> None:
    key = keys.create(permissions=["report_read"]).key
    issued = keys.issue_token(key, audience=EDGE)
    keys.update(key, ip_allowlist=["192.0.2.7"])
    assert keys.check_token(issued.text, audience=EDGE, ip="198.51.100.1") == InvalidToken("ip_not_allowed")
    assert keys.check_token(issued.text, audience=EDGE, ip="192.0.2.7") == issued.token


def test_a_list_that_is_too_long_for_a_header_gets_no_token(keys: KeyService) -> None:
    key = keys.create(permissions=["report_read"], ip_allowlist=[f"192.0.2.{last}" for last in range(51)]).key
    with refused("ip_allowlist_too_long"):
        keys.issue_token(key, audience=EDGE)
