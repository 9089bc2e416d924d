from __future__ import annotations

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.conftest import NOW
from tests.support.altered import altered
from tollkey.keys.tokens import InvalidToken, Token, verify_token
from tollkey.keys.tokens.jws import decode, encode, parse, sign

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
JWK = {"kty": "OKP", "crv": "Ed25519", "kid": "k1", "x": encode(KEY.public_key().public_bytes_raw())}
JWKS = {"keys": [{"kty": "RSA", "kid": "k0", "n": "AQAB", "e": "AQAB"}, JWK]}
HEADER = {"typ": "at+jwt", "kid": "k1"}
CLAIMS: dict[str, Any] = {
    "iss": "https://keys.example", "sub": "alice", "aud": "edge", "client_id": "mk_1", "jti": "jti_1",
    "iat": NOW, "exp": NOW + 300, "scope": "report_read", "livemode": True,
}  # fmt: skip


def verified(claims: dict[str, Any] | None = None, header: dict[str, Any] | None = None, **options: Any) -> Any:
    text = sign({**HEADER, **(header or {})}, {**CLAIMS, **(claims or {})}, KEY)
    return verify_token(text, options.pop("jwks", JWKS), "edge", clock=lambda: options.pop("now", NOW), **options)


def test_a_sound_token_is_accepted() -> None:
    token = verified()
    assert isinstance(token, Token)
    assert token.permissions == {"report_read"}
    assert verified({"aud": ["other", "edge"]})
    assert verified(header={"typ": "application/at+jwt"})


@pytest.mark.parametrize(
    ("why", "claims", "header"),
    [
        ("audience", {"aud": "edge2"}, {}), ("audience", {"aud": ["other"]}, {}), ("audience", {"aud": None}, {}),
        ("expired", {"exp": NOW - 5}, {}), ("not_yet_valid", {"iat": NOW + 6}, {}),
        ("malformed", {"exp": str(NOW)}, {}), ("malformed", {"exp": True}, {}), ("malformed", {"exp": 1e400}, {}),
        ("malformed", {"livemode": 1}, {}), ("malformed", {"scope": None}, {}), ("malformed", {"sub": 7}, {}),
        ("malformed", {}, {"alg": "none"}), ("malformed", {}, {"alg": "HS256"}), ("malformed", {}, {"crit": ["exp"]}),
        ("malformed", {}, {"ip_allowlist": ["192.0.2.7"]}), ("malformed", {}, {"crit": ["ip_allowlist"]}),
        ("malformed", {}, {"crit": ["ip_allowlist"], "ip_allowlist": ["everywhere"]}),
       
        ("malformed", {}, {"typ": "JWT"}), ("malformed", {}, {"typ": None}),
        ("unknown_key", {}, {"kid": "k2"}), ("unknown_key", {}, {"kid": None}), ("unknown_key", {}, {"kid": "k0"}),
    ],
)  # fmt: skip
def test_every_other_token_is_refused_with_its_reason(why: str, claims: dict[str, Any], header: dict[str, Any]) -> None:
    answer = verified(claims, header)
    assert answer == InvalidToken(why)  # type: ignore[arg-type]
    assert not answer


def test_clocks_may_differ_by_the_leeway_alone() -> None:
    assert verified({"exp": NOW - 4})
    assert verified({"exp": NOW}, leeway_seconds=0) == InvalidToken("expired")
    assert verified({"iat": NOW + 5})


def test_the_issuer_is_compared_when_it_is_named() -> None:
    assert verified(issuer="https://keys.example")
    assert verified(issuer="https://other.example") == InvalidToken("issuer")


def test_a_changed_token_and_a_foreign_key_are_refused() -> None:
    text = sign(HEADER, CLAIMS, KEY)
    header, _, signature = text.split(".")
    forged = encode(json.dumps({**CLAIMS, "scope": "report_write"}).encode())
    changed = f"{header}.{forged}.{signature}"
    assert verify_token(changed, JWKS, "edge", clock=lambda: NOW) == InvalidToken("signature")
    foreign = sign(HEADER, CLAIMS, Ed25519PrivateKey.from_private_bytes(bytes(32)))
    assert verify_token(foreign, JWKS, "edge", clock=lambda: NOW) == InvalidToken("signature")


@pytest.mark.parametrize(
    "text",
    ["", ".", "..", "a.b", "a.b.c", "a.b.c.d", "é.b.c", "A" * 20_000, "e30.e30.", "WzFd.e30.AA", "\x00.\x00.\x00"],
)
def test_texts_that_are_no_tokens_are_refused(text: str) -> None:
    assert verify_token(text, JWKS, "edge", clock=lambda: NOW) == InvalidToken("malformed")


def test_a_second_spelling_of_a_token_is_refused() -> None:
    text = sign(HEADER, CLAIMS, KEY)
    for other in (f"{text}=", f"{text} ", altered(text), text.replace(".", ". ", 1)):
        assert not verify_token(other, JWKS, "edge", clock=lambda: NOW)


def test_json_that_repeats_a_name_or_is_very_deep_is_refused() -> None:
    header = encode(b'{"alg":"EdDSA","alg":"EdDSA","typ":"at+jwt","kid":"k1"}')
    deep = encode(b"[" * 5000)
    for text in (f"{header}.e30.{'A' * 86}", f"{deep}.e30.{'A' * 86}"):
        assert verify_token(text, JWKS, "edge", clock=lambda: NOW) == InvalidToken("malformed")


@pytest.mark.parametrize(
    "jwks", [{}, {"keys": None}, {"keys": [None, 7]}, {"keys": [{**JWK, "x": "!"}]}, {"keys": [{**JWK, "use": "enc"}]}]
)
def test_a_key_set_without_the_key_refuses(jwks: dict[str, Any]) -> None:
    assert verified(jwks=jwks) == InvalidToken("unknown_key")


def test_the_signature_is_that_of_the_example_of_rfc_8037() -> None:
    """RFC 8037, appendix A.4 and A.5."""
    key = Ed25519PrivateKey.from_private_bytes(decode("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"))
    signature = "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
    signed = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc"
    assert encode(key.sign(signed.encode())) == signature
    ours = parse(sign({}, {"a": 1}, key))
    assert ours.header == {"alg": "EdDSA"}
    assert ours.verified_by(key.public_key())
