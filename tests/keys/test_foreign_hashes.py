"""Hashes of other systems, made with their own libraries or documented forms, fit their text and no other."""

from __future__ import annotations

import base64
import hashlib

import argon2
import bcrypt
import pytest
from django.conf import settings
from django.contrib.auth import hashers

from tollkey.keys.foreign_hashes import (
    HashRefused,
    PlainHash,
    fits,
    plain_value,
    read_plain,
    read_slow,
    reads_whole,
    salted,
)

TEXT = "Ab12Cd34.0123456789abcdefghijklmnopqrstuv"


def argon2id(text: str) -> str:
    return argon2.PasswordHasher(time_cost=1, memory_cost=64, parallelism=1).hash(text)


def djangos(algorithm: str) -> str:
    if not settings.configured:
        settings.configure()
    hasher = {
        "pbkdf2_sha256": hashers.PBKDF2PasswordHasher(),
        "pbkdf2_sha1": hashers.PBKDF2SHA1PasswordHasher(),
        "scrypt": hashers.ScryptPasswordHasher(),
        "bcrypt": hashers.BCryptPasswordHasher(),
    }[algorithm]
    if algorithm.startswith("pbkdf2"):
        return str(hasher.encode(TEXT, "salt", 3))
    if algorithm == "scrypt":
        return str(hasher.encode(TEXT, "salt", 4))
    return str(hasher.encode(TEXT, bcrypt.gensalt(4)))


SLOW = {
    "bcrypt": lambda: bcrypt.hashpw(TEXT.encode(), bcrypt.gensalt(4)).decode(),
    "argon2": lambda: argon2id(TEXT),
    "scrypt, PHC": lambda: "$scrypt$ln=4,r=2,p=1$" + "$".join(
        base64.b64encode(part).decode().rstrip("=")
        for part in (b"salty", hashlib.scrypt(TEXT.encode(), salt=b"salty", n=16, r=2, p=1, dklen=32))
    ),
    "scrypt, Werkzeug": lambda: "scrypt:16:2:1$salt$"
    + hashlib.scrypt(TEXT.encode(), salt=b"salt", n=16, r=2, p=1, dklen=64).hex(),
    "PBKDF2, Werkzeug": lambda: "pbkdf2:sha256:3$salt$"
    + hashlib.pbkdf2_hmac("sha256", TEXT.encode(), b"salt", 3).hex(),
    "argon2, Django": lambda: "argon2" + argon2id(TEXT),
    "PBKDF2, Django": lambda: djangos("pbkdf2_sha256"),
    "PBKDF2 with SHA-1, Django": lambda: djangos("pbkdf2_sha1"),
    "scrypt, Django": lambda: djangos("scrypt"),
    "bcrypt, Django": lambda: djangos("bcrypt"),
}  # fmt: skip


@pytest.mark.parametrize("name", SLOW)
def test_a_slow_hash_fits_its_text_alone(name: str) -> None:
    slow = read_slow("Ab12Cd34", SLOW[name]())
    assert fits(slow.encoded, TEXT)
    assert not fits(slow.encoded, TEXT[:-1])


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_a_plain_hash_is_read_in_hex_and_base64(algorithm: str) -> None:
    raw = hashlib.new(algorithm, TEXT.encode()).digest()
    url = base64.urlsafe_b64encode(raw).decode().rstrip("=")
    for value in (raw.hex(), raw.hex().upper(), base64.b64encode(raw).decode(), url):
        plain = read_plain(algorithm, value)
        assert (plain.value, plain_value(plain.form, TEXT)) == (raw.hex(), raw.hex())


def test_a_fixed_salt_may_stand_before_or_behind() -> None:
    value = hashlib.sha256(f"pepper{TEXT}salt".encode()).hexdigest()
    assert plain_value(read_plain("sha256", value, "pepper", "salt").form, TEXT) == value


def test_a_salt_of_its_own_makes_a_plain_hash_one_that_is_looked_up() -> None:
    value = hashlib.sha256(f"{TEXT}Ab12Cd34".encode()).hexdigest()
    slow = salted("Ab12Cd34", PlainHash("sha256", value, "", "Ab12Cd34"))
    assert fits(slow.encoded, TEXT)
    assert not fits(slow.encoded, TEXT + "x")


def test_bcrypt_reads_the_first_72_bytes_only() -> None:
    long = "k" * 100
    slow = read_slow("kkkk", bcrypt.hashpw(long[:72].encode(), bcrypt.gensalt(4)).decode())
    assert fits(slow.encoded, long)
    assert reads_whole(slow.encoded, long[:71])
    assert not reads_whole(slow.encoded, long[:72])


@pytest.mark.parametrize(
    "encoded",
    [
        "", "x", "$2b$04$short", "$2b$15$" + "a" * 53, "$argon2id$v=19$m=999999,t=1,p=1$c2FsdA$aGFzaA",
        "$argon2id$v=19$m=64,t=101,p=1$c2FsdA$aGFzaA", "scrypt:3:8:1$salt$00", "scrypt:1048576:8:100$salt$00",
        "scrypt$salt$16$1$1$!", "pbkdf2_sha256$0$salt$aGFzaA", "pbkdf2_sha256$9000000$salt$aGFzaA", 
        f"pbkdf2_sha256$1000000$salt${'QUJD' * 32}", f"$argon2id$v=19$m={'9' * 5_000},t=1,p=1$c2FsdA$aGFzaA",
        "$argon2id$v=19$m=262144,t=5,p=1$c2FsdA$aGFzaA", "$argon2id$v=19$m=262144,t=1,p=20000$c2FsdA$aGFzaA",
        f"pbkdf2_sha256$1${'s' * 1_000}$aGFzaA", "pbkdf2_md5$1$s$aGFzaA", "md5$salt$hash",
        "$scrypt$ln=60,r=8,p=1$c2FsdA$aGFzaA",
    ],
)  # fmt: skip
def test_unknown_and_too_costly_hashes_are_refused_without_repeating_them(encoded: str) -> None:
    with pytest.raises(HashRefused) as refused:
        read_slow("Ab12", encoded)
    assert encoded not in str(refused.value) or not encoded


@pytest.mark.parametrize(("algorithm", "value"), [("md5", "0" * 32), ("sha256", "0" * 63), ("sha256", "g" * 64)])
def test_what_is_no_hash_of_its_algorithm_is_refused(algorithm: str, value: str) -> None:
    with pytest.raises(HashRefused):
        read_plain(algorithm, value)
