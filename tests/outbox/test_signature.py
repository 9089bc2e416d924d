"""Signatures that the official library accepts, and what is refused."""

from __future__ import annotations

import time

import pytest
import stripe

from tollkey.outbox.signature import InvalidSignature, ValidSignature, sign, verify

SECRET = "whsec_" + "a" * 32
OLD_SECRET = "whsec_" + "b" * 32
BODY = b'{\n  "id": "evt_1",\n  "object": "event",\n  "type": "charge.succeeded", "name": "Zo\xc3\xab"\n}'
NOW = 1_767_225_600


def test_the_official_library_accepts_a_signed_event() -> None:
    event = stripe.Webhook.construct_event(BODY, sign(BODY, [SECRET], int(time.time())), SECRET)
    assert event.id == "evt_1"


def test_during_a_roll_both_secrets_accept() -> None:
    header = sign(BODY, [SECRET, OLD_SECRET], int(time.time()))
    assert header.count("v1=") == 2
    for secret in (SECRET, OLD_SECRET):
        assert stripe.Webhook.construct_event(BODY, header, secret).id == "evt_1"


def test_the_official_library_refuses_another_secret() -> None:
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(BODY, sign(BODY, [SECRET], int(time.time())), OLD_SECRET)


def test_what_was_signed_is_genuine() -> None:
    assert verify(BODY, sign(BODY, [OLD_SECRET, SECRET], NOW), SECRET, NOW + 300) == ValidSignature(NOW)


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ("", "timestamp"),
        ("t=,v1=aa", "timestamp"),
        ("t=12x,v1=aa", "timestamp"),
        ("t=²,v1=aa", "timestamp"),
        (f"t={'9' * 5000},v1=aa", "timestamp"),
        (f"t={NOW},t={NOW},v1=aa", "timestamp"),
        (f"t={NOW}", "no v1"),
        (f"t={NOW},v0=aa", "no v1"),
        (f"t={NOW},v1=", "matches"),
        (f"t={NOW},v1=ä", "matches"),
        (f"t={NOW},v1={'0' * 64}", "matches"),
    ],
)
def test_a_header_that_does_not_hold_is_forged(header: str, reason: str) -> None:
    verdict = verify(BODY, header, SECRET, NOW)
    assert isinstance(verdict, InvalidSignature)
    assert reason in verdict.reason


def test_a_changed_body_or_timestamp_is_forged() -> None:
    header = sign(BODY, [SECRET], NOW)
    assert isinstance(verify(BODY + b" ", header, SECRET, NOW), InvalidSignature)
    assert isinstance(verify(BODY, header.replace(f"t={NOW}", f"t={NOW + 1}"), SECRET, NOW), InvalidSignature)


@pytest.mark.parametrize("now", [NOW + 301, NOW - 301])
def test_an_old_or_a_future_timestamp_is_outside_the_tolerance(now: int) -> None:
    assert verify(BODY, sign(BODY, [SECRET], NOW), SECRET, now) == InvalidSignature(
        "the timestamp is outside the tolerance"
    )


def test_nothing_is_signed_without_a_secret() -> None:
    with pytest.raises(ValueError, match="without a signing secret"):
        sign(BODY, [], NOW)
