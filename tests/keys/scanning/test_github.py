"""GitHub's messages are believed when GitHub signed them; the messages of others cost no more than a check."""

from __future__ import annotations

import base64
import json

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.keys.scanning.partner import GitHub
from tollkey.keys.scanning.github import GithubKeys, InvalidMessage, KeysUnavailable, read_matches

BODY = b'[{"token":"some_token","type":"some_type","url":"https://example.com/"}]'


class Time:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_body_is_believed_with_the_signature_of_a_published_key() -> None:
    github = GitHub()
    keys = GithubKeys(github.fetch, Time())
    assert keys.signed(BODY, "k1", github.sign(BODY))
    assert not keys.signed(BODY + b" ", "k1", github.sign(BODY))
    assert not keys.signed(BODY, "k1", GitHub().sign(BODY))


@pytest.mark.parametrize("signature", ["", "no base64!", "AAAA", base64.b64encode(b"0" * 70).decode()])
def test_what_is_no_signature_is_not_believed(signature: str) -> None:
    assert not GithubKeys(GitHub().fetch, Time()).signed(BODY, "k1", signature)


def test_the_documented_example_of_github_is_verified() -> None:
    """The key, body and signature of the documentation's sample in Python."""
    pem = (
        "-----BEGIN PUBLIC KEY-----\n"
        "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE9MJJHnMfn2+H4xL4YaPDA4RpJqUq\n"
        "kCmRCBnYERxZanmcpzQSXs1X/AljlKkbJ8qpVIW4clayyef9gWhFbNHWAA==\n"
        "-----END PUBLIC KEY-----\n"
    )
    listed = json.dumps({"public_keys": [{"key_identifier": "90a4", "key": pem, "is_current": True}]}).encode()
    signature = "MEUCIQDKZokqnCjrRtw0tni+2Ltvl/uiMJ1EGumEsp1BsNr32AIgQY1YXD2nlj+XNfGK4rBfkMJ1JDOQcYXxa2sY8FNkrKc="
    body = b'[{"token":"some_token","type":"some_type","url":"some_url"}]'
    assert GithubKeys(lambda: listed, Time()).signed(body, "90a4", signature)


def test_keys_are_fetched_once_an_hour() -> None:
    github, time = GitHub(), Time()
    keys = GithubKeys(github.fetch, time)
    for seconds, fetches in ((0, 1), (3599, 1), (3600, 2), (3601, 2)):
        time.now = 1000.0 + seconds
        assert keys.signed(BODY, "k1", github.sign(BODY))
        assert github.fetches == fetches


def test_a_new_key_of_github_is_fetched_when_it_is_first_named() -> None:
    github, time = GitHub(), Time()
    keys = GithubKeys(github.fetch, time)
    assert keys.signed(BODY, "k1", github.sign(BODY))
    github.add("k2")
    time.now += 30
    assert keys.signed(BODY, "k2", github.sign(BODY, "k2"))


def test_names_that_nobody_published_do_not_make_us_fetch_again_and_again() -> None:
    github, time = GitHub(), Time()
    keys = GithubKeys(github.fetch, time)
    for number in range(100):
        assert not keys.signed(BODY, f"unknown-{number}", github.sign(BODY))
    assert github.fetches == 1


def test_while_github_does_not_answer_remembered_keys_count_for_a_day() -> None:
    github, time = GitHub(), Time()
    keys = GithubKeys(github.fetch, time)
    github.away = True
    with pytest.raises(KeysUnavailable):
        keys.signed(BODY, "k1", github.sign(BODY))
    github.away = False
    time.now += 30
    assert keys.signed(BODY, "k1", github.sign(BODY))
    github.away = True
    time.now += 86_399
    assert keys.signed(BODY, "k1", github.sign(BODY))
    time.now += 1
    with pytest.raises(KeysUnavailable):
        keys.signed(BODY, "k1", github.sign(BODY))


@pytest.mark.parametrize("answer", [b"", b"[]", b"{}", b'{"public_keys": [1]}', b'{"public_keys": [{"key": "x"}]}'])
def test_an_answer_without_keys_is_no_answer(answer: bytes) -> None:
    with pytest.raises(KeysUnavailable):
        GithubKeys(lambda: answer, Time()).signed(BODY, "k1", GitHub().sign(BODY))


def test_a_key_of_another_curve_is_not_taken() -> None:
    other = ec.generate_private_key(ec.SECP384R1())
    pem = other.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    listed = json.dumps({"public_keys": [{"key_identifier": "k1", "key": pem}]}).encode()
    signature = base64.b64encode(other.sign(BODY, ec.ECDSA(hashes.SHA256()))).decode()
    assert not GithubKeys(lambda: listed, Time()).signed(BODY, "k1", signature)


@pytest.mark.parametrize("body", [b"", b"{}", b"[1]", b'[{"token": 1}]', b"[" * 100_000, b'[{"type": "x"}]'])
def test_what_is_no_list_of_matches_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidMessage):
        read_matches(body)
