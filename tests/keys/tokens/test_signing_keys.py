from __future__ import annotations

from tests.conftest import Clock
from tollkey.keys import SEALED, KeyService, reseal_all
from tollkey.keys.tokens import InvalidToken, verify_token

EDGE = "https://edge.example"
DAY = 86400


def kids(keys: KeyService) -> list[str]:
    return [jwk["kid"] for jwk in keys.jwks()["keys"]]


def issue(keys: KeyService) -> str:
    return keys.issue_token(keys.create(permissions=["report_read"]).key, audience=EDGE).text


def test_a_key_set_is_public_and_has_no_private_part(keys: KeyService) -> None:
    (jwk,) = keys.jwks()["keys"]
    assert jwk.keys() == {"kty", "crv", "use", "alg", "kid", "x"}
    assert (jwk["kty"], jwk["crv"], jwk["alg"], jwk["use"]) == ("OKP", "Ed25519", "EdDSA", "sig")


def test_a_new_key_is_published_before_it_signs_and_the_old_one_until_its_tokens_have_expired(
    keys: KeyService, clock: Clock
) -> None:
    before = keys.jwks()
    (old,) = kids(keys)
    new = keys.rotate_token_key()
    assert kids(keys) == [old, new]
    assert verify_token(issue(keys), before, EDGE, clock=clock)  # still signed by the old one
    clock.advance(600)
    text = issue(keys)
    assert verify_token(text, before, EDGE, clock=clock) == InvalidToken("unknown_key")
    assert verify_token(text, keys.jwks(), EDGE, clock=clock)
    clock.advance(959)
    assert kids(keys) == [old, new]
    clock.advance(1)
    assert kids(keys) == [new]


def test_it_is_replaced_by_itself_after_thirty_days(keys: KeyService, clock: Clock) -> None:
    issue(keys)
    clock.advance(30 * DAY - 1)
    issue(keys)
    assert len(kids(keys)) == 1
    clock.advance(1)
    issue(keys)
    issue(keys)
    assert len(kids(keys)) == 2


def test_a_leaked_signing_key_is_replaced_at_once(keys: KeyService, clock: Clock) -> None:
    text = issue(keys)
    new = keys.rotate_token_key(at_once=True)
    assert kids(keys) == [new]
    assert verify_token(text, keys.jwks(), EDGE, clock=clock) == InvalidToken("unknown_key")
    assert verify_token(issue(keys), keys.jwks(), EDGE, clock=clock)


def test_private_keys_are_sealed_and_resealed_with_the_keyring(keys: KeyService) -> None:
    issue(keys)
    ((sealed,),) = keys.database.read(lambda tx: tx.execute("SELECT sealed FROM token_signing_keys"))
    assert len(bytes(sealed)) > 100
    assert reseal_all(keys.database, SEALED, keys.authority.keyring).broken == {}
