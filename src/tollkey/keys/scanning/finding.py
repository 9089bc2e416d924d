"""Finds API keys in bytes, offline: a key carries the checksum of its own text.

A key is ``word_mode_body``. Whatever the words are, the last six characters of the body are the CRC-32 of everything
before them, so a key of any brand is recognised without a configuration, and what only looks like a key is not: one
text in four thousand million has the right checksum by chance. Texts in base64 are decoded and searched as well (the
values of a Kubernetes Secret, a Basic header).
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from tollkey.keys.token import BRAND, Brand, Kind, checksum

#: A scanner that reads in pieces has to let them overlap by this many bytes, or it misses what lies across an edge.
LONGEST = 1024
_BODY = re.compile(rb"_([0-9A-Za-z]{24,247})(?![0-9A-Za-z])")
_WORDS = re.compile(rb"(?P<word>[a-z][a-z0-9]{0,31})_(?P<mode>[a-z][a-z0-9]{0,31})$")
_BASE64 = re.compile(rb"(?<![0-9A-Za-z+/])[0-9A-Za-z+/]{43,}={0,2}")
_CHECKSUM = 6
#: A body with this word in it is that of a documented sample: nobody's key has seven characters in a row by chance.
SAMPLE = b"EXAMPLE"
#: SHA-256 of the sample keys that Stripe's public documentation prints, which stand in many programs.
_DOCUMENTED = frozenset(
    {
        "2cafc0970149a84f3b9e62eaf169f36f59907a3b3e31f7b82e68c69cd27f7326",
        "2d1f7723aabc5c7a51fcdc2463c99b5f3fdbc57cf3134db4ac12913c35976e6f",
        "f2d6ca16515033e5dce14eba840b979d27b5cbae24bb3e5bf484339667f86397",
    }
)


@dataclass(frozen=True, slots=True)
class Words:
    """Which words at the front of a key make it a secret.

    secret: for example ``sk`` and ``rk``; empty for every word except the public ones. public: words of publishable
    keys, which are no secrets. live: the words for live mode; other modes are not live.
    """

    secret: frozenset[str] = frozenset()
    public: frozenset[str] = frozenset({BRAND.publishable})
    live: frozenset[str] = frozenset({BRAND.live})

    @classmethod
    def of(cls, *brands: Brand) -> Words:
        """Return the words of these brands alone."""
        return cls(
            frozenset(word for brand in brands for word in (brand.secret, brand.restricted)),
            frozenset(brand.publishable for brand in brands),
            frozenset(brand.live for brand in brands),
        )

    def is_secret(self, word: str) -> bool:
        """Return whether a key that begins with this word is a secret.

        Without named words, those that end in ``pk`` are taken for publishable ones: ``acmepk``.
        """
        if word in self.public:
            return False
        return word in self.secret if self.secret else not word.endswith(BRAND.publishable)


@dataclass(frozen=True, slots=True)
class FoundKey:
    """A key in some bytes.

    text: the key itself, left out of ``repr``. start: where it begins, in bytes. livemode: whether its mode is live.
    checksummed: its checksum is correct. encoded: it stood there in base64.
    """

    text: str = field(repr=False)
    start: int
    livemode: bool
    checksummed: bool
    encoded: bool = False

    @property
    def masked(self) -> str:
        """The key as it may be shown: prefix, three dots, last four characters."""
        return f"{self.text[: self.text.rindex('_') + 1]}...{self.text[-4:]}"

    @property
    def kind(self) -> Kind:
        """The kind that the word stands for: ``restricted`` for words that end in ``rk``, else ``secret``."""
        return "restricted" if self.text.partition("_")[0].endswith(BRAND.restricted) else "secret"

    @property
    def fingerprint(self) -> str:
        """A name for the key that reveals nothing about it: the first 16 digits of its SHA-256."""
        return hashlib.sha256(self.text.encode()).hexdigest()[:16]


def find_keys(data: bytes, words: Words, *, unchecked: bool = False) -> Iterator[FoundKey]:
    """Yield the secret keys in some bytes, in order; publishable keys and documented samples are left out.

    unchecked: also those without a correct checksum, which were created elsewhere; only with words that ``words``
    names, or Stripe's.
    """
    yield from _plain(data, words, unchecked)
    for match in _BASE64.finditer(data):
        decoded = _decoded(match[0])
        if decoded is None or b"_" not in decoded:
            continue
        for found in _plain(decoded, words, unchecked):
            yield FoundKey(found.text, match.start(), found.livemode, found.checksummed, encoded=True)


def _plain(data: bytes, words: Words, unchecked: bool) -> Iterator[FoundKey]:
    for match in _BODY.finditer(data):
        front = _WORDS.search(data, max(0, match.start() - 65), match.start())
        if front is None:
            continue
        body = match[1]
        for start in range(front.start(), front.end("word")):
            prefix = data[start : match.start()]
            if not prefix[:1].isalpha():
                continue
            text = (prefix + b"_" + body).decode("ascii")
            word, mode, _ = text.split("_", 2)
            right = checksum(text[:-_CHECKSUM]) == text[-_CHECKSUM:]
            if not right and not (unchecked and word in (words.secret or {BRAND.secret, BRAND.restricted})):
                continue
            if words.is_secret(word) and not is_sample(text):
                yield FoundKey(text, start, mode in words.live, right)
            break


def is_sample(text: str) -> bool:
    """Return whether a text is a documented sample: it contains ``EXAMPLE``, or Stripe's documentation prints it."""
    return SAMPLE.decode() in text or hashlib.sha256(text.encode()).hexdigest() in _DOCUMENTED


def _decoded(run: bytes) -> bytes | None:
    run = run.rstrip(b"=")
    run = run[: len(run) - (len(run) % 4 == 1)]
    try:
        return base64.b64decode(run + b"=" * (-len(run) % 4), validate=True)
    except ValueError:
        return None
