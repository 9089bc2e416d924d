"""The text of a key: make it, read it, digest it, show it without giving it away.

A key reads ``{pk|sk|rk}_{test|live}_`` and one unbroken body of 0-9A-Za-z. A further
underscore would hide it from the secret scanners in use, whose patterns stop there.
The body has 99 characters, as today's real ones do: ``51``, sixteen characters that the keys of
one account share (``Keyring.mark``), 75 random ones (446 bits) and a checksum of six, so that
garbage is refused without a lookup and a scanner can tell a real key offline.

A key has this much entropy that a fast keyed digest is enough: there is nothing to guess.
"""

from __future__ import annotations

import hashlib
import re
import zlib
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from tollkey.db.ids import ALPHABET, Ids

#: ``ephemeral`` keys are the host's own (``Policy.special_keys``); this room neither makes nor stores them.
Kind = Literal["publishable", "secret", "restricted", "ephemeral"]
KINDS: tuple[Kind, ...] = ("publishable", "secret", "restricted")

BODY_LENGTH = 99
MARK_LENGTH = 16
_CHECKSUM_LENGTH = 6
_LONG_BODY = 90  # from this length on a known key shows its last six characters, below it the last four
_WORD = re.compile(r"[a-z][a-z0-9]*")
_MASK_KEEPS = re.compile(r"[a-z]+_[a-z]+_")


@dataclass(frozen=True, slots=True)
class Brand:
    """The words a key begins with. A setting: a host may use its own; scanners know the default ones.

    publishable, secret, restricted, test, live: lower-case words without an underscore.
    lead: the first characters of each body, digits or letters.
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
                "a brand needs three different words for the kinds and two for the modes, each [a-z][a-z0-9]*"
            )
        if not re.fullmatch(r"[0-9A-Za-z]{0,8}", self.lead):
            raise ValueError("the lead of a brand is up to eight digits or letters")
        pattern = re.compile(f"({'|'.join(kinds)})_({'|'.join(modes)})_([0-9A-Za-z]{{24,247}})")
        object.__setattr__(self, "pattern", pattern)

    def prefix(self, kind: Kind, livemode: bool) -> str:
        """``sk_live_`` and its like."""
        word = {"publishable": self.publishable, "secret": self.secret, "restricted": self.restricted}[kind]
        return f"{word}_{self.live if livemode else self.test}_"

    def kind(self, word: str) -> Kind:
        """The kind that a key's first word stands for."""
        if word == self.secret:
            return "secret"
        return "restricted" if word == self.restricted else "publishable"


BRAND = Brand()


class Parsed(NamedTuple):
    """A well-formed key's text, taken apart. It says nothing about whether the key exists."""

    kind: Kind
    livemode: bool
    body: str
    checksummed: bool


def checksum(text: str) -> str:
    """Six characters of 0-9A-Za-z from CRC-32 of all the text before them."""
    number = zlib.crc32(text.encode("ascii"))
    characters = []
    for _ in range(_CHECKSUM_LENGTH):
        number, index = divmod(number, 62)
        characters.append(ALPHABET[index])
    return "".join(reversed(characters))


def generate(kind: Kind, livemode: bool, mark: str, ids: Ids, brand: Brand = BRAND) -> str:
    """A new key's text. Keys of one account share the characters after the lead (reference section 4.1).

    mark: those characters, up to sixteen of 0-9A-Za-z, as ``Keyring.mark`` gives them: whoever sees a key sees them.
    Raises ValueError for another text.
    """
    if len(mark) > MARK_LENGTH or not all(c in ALPHABET for c in mark):
        raise ValueError("the mark of an account is up to sixteen digits or letters; Keyring.mark makes it")
    start = brand.lead + mark
    random_length = BODY_LENGTH - _CHECKSUM_LENGTH - len(start)
    text = brand.prefix(kind, livemode) + start + ids.text(random_length)
    return text + checksum(text)


def parse(text: str, brand: Brand = BRAND, imported: bool = False) -> Parsed | None:
    """Take a key's text apart, or None for what cannot be one.

    imported: also accept well-formed text without our checksum, for keys a host brought along.
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
    """32 bytes of keyed BLAKE2b (RFC 7693). Stored in place of the text; useless without the key, which is
    elsewhere.
    """
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), key=digest_key, digest_size=32).digest()


def mask_unknown(text: str) -> str:
    """How a text that is no key of ours is shown back (reference section 1.4).

    A leading ``word_word_`` stays; in the rest each letter and digit becomes ``*`` but for the last four characters.
    """
    match = _MASK_KEEPS.match(text)
    start = match.end() if match else 0
    rest = text[start:]
    return text[:start] + "".join("*" if c.isalnum() else c for c in rest[:-4]) + rest[-4:]


def _split(text: str) -> tuple[str, str]:
    word, mode, body = text.split("_", 2)
    return f"{word}_{mode}_", body


def mask_known(text: str) -> str:
    """How a key of ours is shown in refusals: prefix, stars, last six characters (four for short, older ones)."""
    prefix, body = _split(text)
    shown = 6 if len(body) >= _LONG_BODY else 4
    return prefix + "*" * (len(body) - shown) + body[-shown:]


def redact(text: str) -> str:
    """The short form for lists and messages: prefix, three dots, last four characters."""
    prefix, body = _split(text)
    return f"{prefix}...{body[-4:]}"
