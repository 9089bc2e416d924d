from __future__ import annotations

from tests.conftest import Clock
from tollkey.keys import KeyService
from tollkey.keys.schema import SEALED
from tollkey.keys.sealed import reseal_all
from tollkey.keys.tokens import InvalidToken, verify_token

EDGE = "https://edge.example"
DAY = 86400


def kids(keys: KeyService) -> list[str]:
    return [jwk["kid"] for jwk in keys.jwks()["keys"]]


def issue(keys: KeyService) -> str:
    return keys.issue_token(keys.create(permissions=["report_read"]).key, audience=EDGE).text


def test_a_key_set_is_public_and_has_no_private_part(stored_keys: KeyService) -> None:
    (jwk,) = stored_keys.jwks()["keys"]
    assert jwk.keys() == {"kty", "crv", "use", "alg", "kid", "x"}
    assert (jwk["kty"], jwk["crv"], jwk["alg"], jwk["use"]) == ("OKP", "Ed25519", "EdDSA", "sig")


def test_a_new_key_is_published_before_it_signs_and_the_old_one_until_its_tokens_have_expired(
    stored_keys: KeyService, clock: Clock
) -> None:
    before = stored_keys.jwks()
    (old,) = kids(stored_keys)
    new = stored_keys.rotate_token_key()
    assert kids(stored_keys) == [old, new]
    assert verify_token(issue(stored_keys), before, EDGE, clock=clock)  # still signed by the old one
    clock.advance(600)
    text = issue(stored_keys)
    assert verify_token(text, before, EDGE, clock=clock) == InvalidToken("unknown_key")
    assert verify_token(text, stored_keys.jwks(), EDGE, clock=clock)
    clock.advance(959)
    assert kids(stored_keys) == [old, new]
    clock.advance(1)
    assert kids(stored_keys) == [new]


def test_it_is_replaced_by_itself_after_thirty_days(stored_keys: KeyService, clock: Clock) -> None:
    issue(stored_keys)
    clock.advance(30 * DAY - 1)
    issue(stored_keys)
    assert len(kids(stored_keys)) == 1
    clock.advance(1)
    issue(stored_keys)
    issue(stored_keys)
    assert len(kids(stored_keys)) == 2


def test_a_leaked_signing_key_is_replaced_at_once(stored_keys: KeyService, clock: Clock) -> None:
    text = issue(stored_keys)
    new = stored_keys.rotate_token_key(at_once=True)
    assert kids(stored_keys) == [new]
    assert verify_token(text, stored_keys.jwks(), EDGE, clock=clock) == InvalidToken("unknown_key")
    assert verify_token(issue(stored_keys), stored_keys.jwks(), EDGE, clock=clock)


def test_private_keys_are_sealed_and_resealed_with_the_keyring(stored_keys: KeyService) -> None:
    issue(stored_keys)
    ((sealed,),) = stored_keys.database.read(lambda tx: tx.execute("SELECT sealed FROM token_signing_keys"))
    assert len(bytes(sealed)) > 100
    assert reseal_all(stored_keys.database, SEALED, stored_keys.authority.keyring).broken == {}


def test_a_node_whose_clock_is_behind_signs_with_the_first_key_as_well(keys: KeyService, clock: Clock) -> None:
    keys.jwks()  # makes the first key
    clock.advance(-5)
    text = issue(keys)
    assert verify_token(text, keys.jwks(), EDGE, clock=clock)
