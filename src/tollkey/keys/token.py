"""The text of a key: generate, parse, digest, mask.

A key is ``{pk|sk|rk}_{test|live}_`` and a body of 0-9A-Za-z. The body contains no underscore, because the patterns of
secret scanners would stop there. It has 99 characters, like Stripe's: ``51``, sixteen characters that all keys of an
account share (``Keyring.account_mark``), 75 random ones (446 bits) and a checksum of six, so that mistyped keys are
refused without a database lookup and scanners can recognise a key offline.

With that much entropy a fast keyed hash suffices as digest; a slow password hash is not needed.
"""

from __future__ import annotations

import hashlib
import re
import zlib
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from tollkey.db import Ids
from tollkey.db.ids import ALPHABET
from tollkey.keys.hiding import repr_without

__all__ = ["BRAND", "Brand", "Kind", "mask_unknown", "redact"]

#: ``ephemeral`` keys and ``session`` tokens belong to the host (``Policy.special_keys``); this package neither creates
#: nor stores them.
Kind = Literal["publishable", "secret", "restricted", "ephemeral", "session"]
KINDS: tuple[Kind, ...] = ("publishable", "secret", "restricted")

BODY_LENGTH = 99
MARK_LENGTH = 16
_CHECKSUM_LENGTH = 6
_LONG_BODY = 90  # a masked key with a body of this length shows its last six characters, a shorter one the last four
_WORD = re.compile(r"[a-z][a-z0-9]*")
_MASK_KEEPS = re.compile(r"[a-z]+_[a-z]+_")


@dataclass(frozen=True, slots=True)
class Brand:
    """The prefixes of keys. A host may use its own; secret scanners know the default ones.

    publishable, secret, restricted, test, live: lower-case words without an underscore.
    lead: the first characters of each body, up to eight digits or letters.
    Raises ValueError for words that are not valid or not different.
    """

    publishable: str = "pk"
    secret: str = "sk"
    restricted: str = "rk"
    test: str = "test"
    live: str = "live"
    lead: str = "51"
    pattern: re.Pattern[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        kinds = (self.publishable, self.secret, self.restricted)
        modes = (self.test, self.live)
        if not all(_WORD.fullmatch(word) for word in kinds + modes) or len(set(kinds)) < 3 or self.test == self.live:
            raise ValueError(
                "a brand needs three different words for key kinds and two for modes, each matching [a-z][a-z0-9]*"
            )
        if not re.fullmatch(r"[0-9A-Za-z]{0,8}", self.lead):
            raise ValueError("the lead of a brand must be up to eight digits or letters")
        pattern = re.compile(f"({'|'.join(kinds)})_({'|'.join(modes)})_([0-9A-Za-z]{{24,247}})")
        object.__setattr__(self, "pattern", pattern)

    def prefix(self, kind: Kind, livemode: bool) -> str:
        """Return the prefix of a key kind in a mode, for example ``sk_live_``."""
        word = {"publishable": self.publishable, "secret": self.secret, "restricted": self.restricted}[kind]
        return f"{word}_{self.live if livemode else self.test}_"

    def kind(self, word: str) -> Kind:
        """Return the kind of a key by its first word."""
        if word == self.secret:
            return "secret"
        return "restricted" if word == self.restricted else "publishable"


BRAND = Brand()


class Parsed(NamedTuple):
    """The parts of a well-formed key. It may not exist.

    body: what follows the prefix. checksummed: its checksum is correct.
    """

    kind: Kind
    livemode: bool
    body: str
    checksummed: bool

    def __repr__(self) -> str:
        return repr_without(self, "body")


def checksum(text: str) -> str:
    """Return the checksum of a key's text without it: its CRC-32 as six characters of 0-9A-Za-z."""
    number = zlib.crc32(text.encode("ascii"))
    characters = []
    for _ in range(_CHECKSUM_LENGTH):
        number, index = divmod(number, 62)
        characters.append(ALPHABET[index])
    return "".join(reversed(characters))


def generate(kind: Kind, livemode: bool, mark: str, ids: Ids, brand: Brand = BRAND) -> str:
    """Generate the text of a new key.

    mark: the characters that all keys of the account share, from ``Keyring.account_mark``; visible to everyone who
        sees them.
    Raises ValueError for another text.
    """
    if len(mark) > MARK_LENGTH or not all(c in ALPHABET for c in mark):
        raise ValueError("an account mark must be up to sixteen digits or letters; use Keyring.account_mark")
    start = brand.lead + mark
    random_length = BODY_LENGTH - _CHECKSUM_LENGTH - len(start)
    text = brand.prefix(kind, livemode) + start + ids.text(random_length)
    return text + checksum(text)


def parse(text: str, brand: Brand = BRAND, imported: bool = False) -> Parsed | None:
    """Return the parts of a key's text, or None if it is not well-formed.

    imported: also accept texts with a wrong checksum, for keys created elsewhere.
    """
    match = brand.pattern.fullmatch(text)
    if match is None:
        return None
    word, mode, body = match.groups()
    checksummed = checksum(text[:-_CHECKSUM_LENGTH]) == text[-_CHECKSUM_LENGTH:]
    if not checksummed and not imported:
        return None
    return Parsed(brand.kind(word), mode == brand.live, body, checksummed)


def digest(text: str, digest_key: bytes) -> bytes:
    """Return the digest of a text: 32 bytes of keyed BLAKE2b (RFC 7693). It is stored in place of the text.

    digest_key: 32 bytes, from the keyring.
    """
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), key=digest_key, digest_size=32).digest()


def mask_unknown(text: str) -> str:
    """Mask a text that is not a known key, as Stripe does: keep a leading ``word_word_`` and the last four characters,
    and replace every other letter and digit by ``*``.
    """
    match = _MASK_KEEPS.match(text)
    start = match.end() if match else 0
    rest = text[start:]
    return text[:start] + "".join("*" if c.isalnum() else c for c in rest[:-4]) + rest[-4:]


def _split(text: str) -> tuple[str, str]:
    word, mode, body = text.split("_", 2)
    return f"{word}_{mode}_", body


def mask_known(text: str) -> str:
    """Mask a known key for error messages: prefix, asterisks, last six characters (four if its body is short)."""
    prefix, body = _split(text)
    shown = 6 if len(body) >= _LONG_BODY else 4
    return prefix + "*" * (len(body) - shown) + body[-shown:]


def redact(text: str) -> str:
    """Shorten a key for lists and messages: prefix, three dots, last four characters."""
    prefix, body = _split(text)
    return f"{prefix}...{body[-4:]}"
