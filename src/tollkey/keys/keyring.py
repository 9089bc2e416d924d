"""Key material: the keys that digest and seal other keys. It lives in a file outside the database.

A database stolen without this file verifies and reveals nothing. The file holds the current
digest key and sealing key and the retired ones, so that both can be rotated: what was written
under a retired key goes on working until it has been written anew.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from tollkey.db.ids import ALPHABET
from tollkey.keys.token import MARK_LENGTH, digest

RandomBytes = Callable[[int], bytes]
_SIZE = 32
_RANDOM_ID = re.compile(r"acct_1[0-9A-Za-z]{15}")  # as ``platform.merchants`` makes them


class KeyringError(Exception):
    """The file with the key material is missing, damaged or not what it should be."""


@dataclass(frozen=True, slots=True)
class Keyring:
    """Digest keys and sealing keys by name, and which of each is current. Never shown by repr."""

    digest_current: str
    digest_keys: Mapping[str, bytes] = field(repr=False)
    sealing_current: str
    sealing_keys: Mapping[str, bytes] = field(repr=False)

    def __post_init__(self) -> None:
        if self.digest_current not in self.digest_keys or self.sealing_current not in self.sealing_keys:
            raise KeyringError("the current key is not in the keyring")
        if any(len(key) != _SIZE for keys in (self.digest_keys, self.sealing_keys) for key in keys.values()):
            raise KeyringError(f"every key in the keyring has {_SIZE} bytes")

    @classmethod
    def fresh(cls, random_bytes: RandomBytes = os.urandom) -> Keyring:
        """New key material with nothing retired."""
        return cls("d1", {"d1": random_bytes(_SIZE)}, "s1", {"s1": random_bytes(_SIZE)})

    def digest(self, text: str) -> bytes:
        """The digest of a key's text under the current digest key."""
        return digest(text, self.digest_keys[self.digest_current])

    def digests(self, text: str) -> Iterator[tuple[str, bytes]]:
        """Name of the digest key and digest, the current one first, then the retired."""
        yield self.digest_current, self.digest(text)
        for name, key in self.digest_keys.items():
            if name != self.digest_current:
                yield name, digest(text, key)

    @property
    def _oldest(self) -> bytes:
        return self.digest_keys[min(self.digest_keys, key=lambda name: int(name[1:]))]

    def lasting(self, text: str) -> bytes:
        """A digest that stays the same when the digest key is rotated: for what is worked out anew each time and kept
        nowhere.
        """
        return digest(text, self._oldest)

    def mark(self, account: str) -> str:
        """What the keys of an account have in common in their text: sixteen characters that tell nothing about a name.

        A keyed hash under the oldest digest key, so that it outlives rotations. The random id of an account of our own
        (``acct_1…``) has no name in it and stands there as it is, as in the real system.
        """
        if _RANDOM_ID.fullmatch(account):
            return account.removeprefix("acct_")
        hashed = hashlib.blake2b(
            account.encode("utf-8", "surrogatepass"), key=self._oldest, person=b"account mark"
        ).digest()
        number = int.from_bytes(hashed, "big")
        return "".join(ALPHABET[number // len(ALPHABET) ** place % len(ALPHABET)] for place in range(MARK_LENGTH))

    def rotate_digest(self, random_bytes: RandomBytes = os.urandom) -> Keyring:
        """The same with a new current digest key. Rows move to it as their keys are used."""
        name = _next(self.digest_keys)
        return replace(self, digest_current=name, digest_keys={**self.digest_keys, name: random_bytes(_SIZE)})

    def rotate_sealing(self, random_bytes: RandomBytes = os.urandom) -> Keyring:
        """The same with a new current sealing key. ``keys.move_all`` moves what is sealed to it."""
        name = _next(self.sealing_keys)
        return replace(self, sealing_current=name, sealing_keys={**self.sealing_keys, name: random_bytes(_SIZE)})

    def without(self, name: str) -> Keyring:
        """The same without a retired key; what was written under it is lost for good.

        Raises KeyringError for a current one.
        """
        return replace(
            self,
            digest_keys={n: key for n, key in self.digest_keys.items() if n != name},
            sealing_keys={n: key for n, key in self.sealing_keys.items() if n != name},
        )

    # -- the file

    @classmethod
    def load(cls, path: str | Path) -> Keyring:
        """Read the file. Raises KeyringError, FileNotFoundError, OSError."""
        try:
            text = Path(path).read_text("utf-8")
        except UnicodeDecodeError:
            raise KeyringError(f"{path} is not a keyring: it is not text") from None
        return cls.from_text(text, str(path))

    @classmethod
    def from_text(cls, text: str, place: str = "the text given") -> Keyring:
        """What a keyring's file holds, from elsewhere. place: how errors name it.

        Raises KeyringError, without what it holds.
        """
        try:
            held = json.loads(text)
            return cls(
                held["digest"]["current"],
                {name: bytes.fromhex(key) for name, key in held["digest"]["keys"].items()},
                held["sealing"]["current"],
                {name: bytes.fromhex(key) for name, key in held["sealing"]["keys"].items()},
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise KeyringError(f"{place} is not a keyring: {type(error).__name__}") from None

    @classmethod
    def load_or_create(cls, path: str | Path, random_bytes: RandomBytes = os.urandom) -> Keyring:
        """Read the file, or make it when it is missing.

        Of processes that start together one makes it and all read the same.
        """
        try:
            return cls.load(path)
        except FileNotFoundError:
            pass
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileExistsError):  # another process was first: its file counts
            cls.fresh(random_bytes).create(path)
        return cls.load(path)

    def save(self, path: str | Path) -> None:
        """Put this in place of the file, whole or not at all."""
        path = Path(path)
        os.replace(_draft(path, self), path)
        _sync_folder(path.parent)

    def create(self, path: str | Path) -> None:
        """Write this to a file that is not there yet. Raises FileExistsError, OSError."""
        path = Path(path)
        draft = _draft(path, self)
        try:
            os.link(draft, path)
        finally:
            draft.unlink()
        _sync_folder(path.parent)

    def _text(self) -> str:
        held = {
            "digest": {"current": self.digest_current, "keys": {n: key.hex() for n, key in self.digest_keys.items()}},
            "sealing": {
                "current": self.sealing_current,
                "keys": {n: key.hex() for n, key in self.sealing_keys.items()},
            },
        }
        return json.dumps(held, indent=2) + "\n"


def is_private(path: str | Path) -> bool:
    """Whether only the file's owner may read it."""
    return Path(path).stat().st_mode & 0o077 == 0


def _next(keys: Mapping[str, bytes]) -> str:
    letter = next(iter(keys))[0]
    return f"{letter}{max(int(name[1:]) for name in keys) + 1}"


def _draft(path: Path, keyring: Keyring) -> Path:
    """The content beside its final place, on disk, readable by the owner alone."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # mkstemp makes it 0600
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(keyring._text())
        file.flush()
        os.fsync(file.fileno())
    return Path(name)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
