"""3-D Secure 2 as client libraries begin it, with the attempt that the next action names."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509 import load_pem_x509_certificate

from tests.payments.intents.steps import pay, setup
from tests.support.api import Answer, Api


def attempt_of(intent: Answer) -> str:
    named: str = intent["next_action"]["use_stripe_sdk"]["three_d_secure_2_source"]
    return named


@pytest.mark.parametrize("saving", [False, True])
def test_an_attempt_leads_to_the_page_of_its_challenge(api: Api, saving: bool) -> None:
    intent = (setup if saving else pay)(api, "pm_card_threeDSecure2Required")
    said = api.post("/v1/3ds2/authenticate", key=api.pk, source=attempt_of(intent), browser='{"language": "en"}')
    page = intent["next_action"]["use_stripe_sdk"]["stripe_js"]
    assert (said.status, said["state"], said["ares"]) == (200, "challenge_required", None)
    assert said["fallback_redirect_url"] == page


@pytest.mark.parametrize("source", ["payatt_1", "src_123", "payatt_" + "1" * 60, ""])
def test_an_unknown_attempt_is_refused(api: Api, source: str) -> None:
    answer = api.post("/v1/3ds2/authenticate", key=api.pk, source=source)
    assert (answer.status, answer.error["param"]) == (400, "source")


def test_who_knows_the_intent_does_not_know_its_attempt(api: Api) -> None:
    intent = pay(api, "pm_card_threeDSecure2Required")
    guessed = attempt_of(intent)[:-1] + "_"
    assert api.post("/v1/3ds2/authenticate", key=api.pk, source=guessed).status == 400


def test_an_attempt_ends_with_its_challenge(api: Api) -> None:
    intent = pay(api, "pm_card_threeDSecure2Required")
    source, secret = attempt_of(intent), intent["client_secret"]
    api.ok("POST", f"/v1/payment_intents/{intent['id']}/source_cancel", key=api.pk, client_secret=secret)
    assert api.post("/v1/3ds2/authenticate", key=api.pk, source=source).status == 400


def test_the_mobile_sdks_find_a_certificate_to_encrypt_with(api: Api) -> None:
    action = pay(api, "pm_card_threeDSecure2Required")["next_action"]["use_stripe_sdk"]
    encryption = action["directory_server_encryption"]
    assert encryption["root_certificate_authorities"] == [encryption["certificate"]]
    certificate = load_pem_x509_certificate(encryption["certificate"].encode())
    certificate.verify_directly_issued_by(certificate)
    assert certificate.not_valid_after_utc.year > 2100
    key = certificate.public_key()
    assert isinstance(key, RSAPublicKey)
    assert key.key_size == 2048


def test_a_library_that_says_that_the_challenge_has_ended_is_not_believed(api: Api) -> None:
    intent = pay(api, "pm_card_threeDSecure2Required")
    sent = {"source": attempt_of(intent), "final_cres": '{"transStatus": "Y"}'}
    said = api.post("/v1/3ds2/challenge_complete", key=api.pk, **sent)
    assert (said.status, said["state"], said["source"]) == (200, "challenge_required", sent["source"])
    assert api.get(f"/v1/payment_intents/{intent['id']}")["status"] == "requires_action"
    assert api.post("/v1/3ds2/challenge_complete", key=api.pk, source=f"{sent['source']}x").status == 400
