"""Hashes of keys that other systems stored: which there are, and whether a text fits one.

A *plain* hash (SHA-256 or SHA-512, with a fixed salt at most) is computed once for a text and then looked up. A *slow*
or salted one (bcrypt, argon2, scrypt, PBKDF2) has to be computed for each candidate, which the first characters of the
text name (its *lookup prefix*). bcrypt and argon2 need the packages of the extra ``import``.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import importlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, cast

_PLAIN = {"sha256": 32, "sha512": 64}
_BCRYPT = re.compile(r"\$2[abxy]?\$(\d\d)\$[./0-9A-Za-z]{53}")
_ARGON2 = re.compile(r"\$argon2(?:id|i|d)\$(?:v=\d+\$)?m=(\d+),t=(\d+),p=(\d+)\$[0-9A-Za-z+/]+\$[0-9A-Za-z+/]+")
_BCRYPT_BYTES = 72  # bcrypt reads no more of a text
#: Hashes that cost more are refused: verifying a key must not stop a server.
_MOST_BCRYPT, _MOST_ROUNDS, _MOST_MEMORY = 14, 2_000_000, 256 * 1024 * 1024
#: argon2 goes through its memory once for each pass, with a thread for each lane. RFC 9106, section 4, recommends three
#: passes of 64 MB in four lanes; Django takes two of 100 MB in eight.
_MOST_PASSED, _MOST_LANES = 1024 * 1024 * 1024, 16
#: Characters of a hash with its salt and parameters, and of salts in JSON: they stand in indexes of the database.
LONGEST_HASH = 1_000


class HashRefused(ValueError):
    """A hash that cannot be imported. The message says why and does not contain it."""


class MissingPackage(HashRefused):
    """The package that computes a hash is not installed."""


@dataclass(frozen=True, slots=True)
class PlainHash:
    """A hash that is computed once for a text.

    algorithm: ``sha256`` or ``sha512``. before, after: the salt in front of the text and behind it. value: in hex.
    """

    algorithm: str
    value: str
    before: str = ""
    after: str = ""

    @property
    def form(self) -> str:
        """How it is computed, as JSON: the same for all hashes of a system."""
        return json.dumps([self.algorithm, self.before, self.after])


@dataclass(frozen=True, slots=True)
class SlowHash:
    """A hash that is computed for each candidate.

    lookup: the first characters of the text. encoded: the hash with its algorithm, salt and cost.
    """

    lookup: str
    encoded: str


ForeignHash = PlainHash | SlowHash


class _Bcrypt(Protocol):
    def checkpw(self, password: bytes, hashed_password: bytes) -> bool: ...


class _Argon2(Protocol):
    Type: Callable[[str], object]

    def verify_secret(self, hash: bytes, secret: bytes, type: object) -> bool: ...


def plain_value(form: str, text: str) -> str:
    """Return the hash of a text in hex. form: see ``PlainHash``."""
    algorithm, before, after = json.loads(form)
    return hashlib.new(algorithm, f"{before}{text}{after}".encode("utf-8", "surrogatepass")).hexdigest()


def read_plain(algorithm: str, value: str, before: str = "", after: str = "") -> PlainHash:
    """Return a plain hash. value: in hex or base64. Raises HashRefused."""
    size = _PLAIN.get(algorithm)
    if size is None:
        raise HashRefused(f"The algorithm must be one of {', '.join(_PLAIN)}, or part of the hash.")
    try:
        raw = bytes.fromhex(value) if len(value) == 2 * size else base64.b64decode(_padded(value), validate=True)
    except (ValueError, binascii.Error):
        raw = b""
    if len(raw) != size:
        raise HashRefused(f"This is no {algorithm} hash of {size} bytes in hex or base64.")
    return PlainHash(algorithm, raw.hex(), before, after)


def read_slow(lookup: str, encoded: str) -> SlowHash:
    """Return a slow hash after a check of its form, its cost, and the package that computes it.

    encoded: ``$2b$…`` (bcrypt), ``$argon2id$…``, ``$scrypt$ln=…``, Django's ``algorithm$…`` or Werkzeug's
    ``scrypt:…`` and ``pbkdf2:…``. Raises HashRefused.
    """
    encoded = _normal(encoded)
    check_length(encoded)
    if not (encoded.isascii() and encoded.isprintable()):
        raise HashRefused("A hash is one line of printable ASCII characters.")
    _checker(encoded)
    return SlowHash(lookup, encoded)


def check_length(encoded: str) -> None:
    """Check that a hash with its salt, or a form, is no longer than an index takes. Raises HashRefused."""
    if len(encoded) > LONGEST_HASH:
        raise HashRefused(f"A hash with its salt has {LONGEST_HASH} characters at most.")


def salted(lookup: str, plain: PlainHash) -> SlowHash:
    """Return a plain hash whose salt differs from key to key as one that is looked up by the text's beginning."""
    return SlowHash(lookup, f"plain{json.dumps([plain.form, plain.value])}")


def fits(encoded: str, text: str) -> bool:
    """Return whether a text fits a slow hash. Raises MissingPackage."""
    return _checker(encoded)(text.encode("utf-8", "surrogatepass"))


def reads_whole(encoded: str, text: str) -> bool:
    """Return whether no other text fits a slow hash that this one fits.

    bcrypt reads 72 bytes, so that a text of 72 may be the beginning of the one that was hashed.
    """
    return len(text.encode("utf-8", "surrogatepass")) < _BCRYPT_BYTES or not _BCRYPT.fullmatch(encoded)


def _normal(encoded: str) -> str:
    """Undo Django's prefixes, which name what the hash itself names: ``bcrypt$$2b$…``, ``argon2$argon2id$…``."""
    if encoded.startswith("bcrypt$$2"):
        return encoded.removeprefix("bcrypt$")
    return encoded.removeprefix("argon2") if encoded.startswith("argon2$argon2") else encoded


def _checker(encoded: str) -> Callable[[bytes], bool]:
    """The function that tells whether the bytes of a text fit. Raises HashRefused, MissingPackage."""
    if encoded.startswith("plain["):
        form, value = json.loads(encoded.removeprefix("plain"))
        return lambda text: hmac.compare_digest(plain_value(form, text.decode("utf-8", "surrogatepass")), value)
    if match := _BCRYPT.fullmatch(encoded):
        if int(match[1]) > _MOST_BCRYPT:
            raise HashRefused(f"A bcrypt hash of cost {match[1]} takes too long; {_MOST_BCRYPT} is the most.")
        bcrypt = cast(_Bcrypt, _package("bcrypt"))
        return lambda text: bcrypt.checkpw(text[:_BCRYPT_BYTES], encoded.encode())
    if match := _ARGON2.fullmatch(encoded):
        memory, passes, lanes = int(match[1]) * 1024, int(match[2]), int(match[3])
        if memory > _MOST_MEMORY or passes > 100 or memory * passes > _MOST_PASSED or lanes > _MOST_LANES:
            raise HashRefused("An argon2 hash of this cost takes too long.")
        return _argon2(encoded)
    if "scrypt" in encoded[:8]:
        return _scrypt(encoded)
    if encoded.startswith("pbkdf2"):
        return _pbkdf2(encoded)
    raise HashRefused("This form of hash is not known: use bcrypt, argon2, scrypt or PBKDF2, with its parameters.")


def _argon2(encoded: str) -> Callable[[bytes], bool]:
    argon2 = cast(_Argon2, _package("argon2.low_level"))
    mismatch = cast(type[Exception], getattr(_package("argon2.exceptions"), "VerificationError"))  # noqa: B009
    kinds = {"id": 2, "i": 1, "d": 0}
    kind = getattr(argon2.Type, {2: "ID", 1: "I", 0: "D"}[kinds[encoded[7 : encoded.index("$", 1)]]])

    def check(text: bytes) -> bool:
        try:
            return argon2.verify_secret(encoded.encode(), text, kind)
        except mismatch:
            return False

    return check


def _scrypt(encoded: str) -> Callable[[bytes], bool]:
    """The forms ``$scrypt$ln=14,r=8,p=1$salt$hash``, Django's ``scrypt$N$salt$r$p$hash`` and Werkzeug's
    ``scrypt:N:r:p$salt$hash``.
    """
    try:
        if match := re.fullmatch(r"\$scrypt\$ln=(\d{1,2}),r=(\d{1,3}),p=(\d{1,3})\$([^$]+)\$([^$]+)", encoded):
            n, r, p = 1 << int(match[1]), int(match[2]), int(match[3])
            salt, value = _base64(match[4]), _base64(match[5])
        elif match := re.fullmatch(r"scrypt\$(\d{1,8})\$([^$]+)\$(\d{1,3})\$(\d{1,3})\$([^$]+)", encoded):
            n, r, p = int(match[1]), int(match[3]), int(match[4])
            salt, value = match[2].encode(), _base64(match[5])
        elif match := re.fullmatch(r"scrypt:(\d{1,8}):(\d{1,3}):(\d{1,3})\$([^$]+)\$([0-9a-f]+)", encoded):
            n, r, p = int(match[1]), int(match[2]), int(match[3])
            salt, value = match[4].encode(), bytes.fromhex(match[5])
        else:
            raise ValueError
    except (ValueError, binascii.Error):
        raise HashRefused("This is no scrypt hash: its parameters, salt and value are needed.") from None
    memory = 128 * n * r
    if memory * p > _MOST_MEMORY or n < 2 or n & (n - 1) or not value:
        raise HashRefused("A scrypt hash of this cost cannot be checked.")
    most = memory + 128 * r * (p + 2) + 1024 * 1024

    def check(text: bytes) -> bool:
        made = hashlib.scrypt(text, salt=salt, n=n, r=r, p=p, maxmem=most, dklen=len(value))
        return hmac.compare_digest(made, value)

    return check


def _pbkdf2(encoded: str) -> Callable[[bytes], bool]:
    """Django's ``pbkdf2_sha256$rounds$salt$hash`` (base64), Werkzeug's ``pbkdf2:sha256:rounds$salt$hash`` (hex)."""
    try:
        if match := re.fullmatch(r"pbkdf2_(sha1|sha256|sha512)\$(\d{1,9})\$([^$]+)\$([^$]+)", encoded):
            value = _base64(match[4])
        elif match := re.fullmatch(r"pbkdf2:(sha1|sha256|sha512):(\d{1,9})\$([^$]+)\$([0-9a-f]+)", encoded):
            value = bytes.fromhex(match[4])
        else:
            raise ValueError
    except (ValueError, binascii.Error):
        raise HashRefused("This is no PBKDF2 hash: its digest, rounds, salt and value are needed.") from None
    name, rounds, salt = match[1], int(match[2]), match[3].encode()
    blocks = -(-len(value) // hashlib.new(name).digest_size)  # each takes all of the rounds (RFC 8018, section 5.2)
    if not (value and rounds >= 1 and rounds * blocks <= _MOST_ROUNDS):
        raise HashRefused("A PBKDF2 hash of this cost cannot be checked.")
    return lambda text: hmac.compare_digest(hashlib.pbkdf2_hmac(name, text, salt, rounds, len(value)), value)


def _padded(text: str) -> str:
    text = text.rstrip("=").replace("-", "+").replace("_", "/").replace(".", "+")
    return text + "=" * (-len(text) % 4)


def _base64(text: str) -> bytes:
    return base64.b64decode(_padded(text), validate=True)


def _package(name: str) -> object:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError:
        top = name.partition(".")[0]
        raise MissingPackage(
            f"The package {top} is not installed, which this hash needs: pip install 'tollkey[import]'"
        ) from None
