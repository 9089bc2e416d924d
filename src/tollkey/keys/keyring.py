"""The keyring: the secret keys that digest and seal API keys, in a file outside the database.

A stolen database without this file can neither verify nor reveal API keys. The file contains the current digest key and
sealing key and the retired ones: rows written with a retired key stay usable until they are rewritten.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from tollkey.db.ids import ALPHABET
from tollkey.keys.errors import KeyringError
from tollkey.keys.token import MARK_LENGTH, digest

__all__ = ["Keyring", "is_private"]

RandomBytes = Callable[[int], bytes]
_SIZE = 32
_RANDOM_ID = re.compile(r"acct_1[0-9A-Za-z]{15}")  # as ``platform.merchants`` makes them


@dataclass(frozen=True, slots=True)
class Keyring:
    """Digest keys and sealing keys.

    digest_current, sealing_current: names of the current ones. digest_keys, sealing_keys: 32 bytes each by name; not
    part of the repr. Raises KeyringError if a current key is missing or a key has another length.
    """

    digest_current: str
    digest_keys: Mapping[str, bytes] = field(repr=False)
    sealing_current: str
    sealing_keys: Mapping[str, bytes] = field(repr=False)

    def __post_init__(self) -> None:
        if self.digest_current not in self.digest_keys or self.sealing_current not in self.sealing_keys:
            raise KeyringError("the current key is not in the keyring")
        if any(len(key) != _SIZE for keys in (self.digest_keys, self.sealing_keys) for key in keys.values()):
            raise KeyringError(f"every key in the keyring must have {_SIZE} bytes")

    @classmethod
    def fresh(cls, random_bytes: RandomBytes = os.urandom) -> Keyring:
        """Return a keyring with new random keys. random_bytes: called with a number, returns that many bytes."""
        return cls("d1", {"d1": random_bytes(_SIZE)}, "s1", {"s1": random_bytes(_SIZE)})

    def digest(self, text: str) -> bytes:
        """Return the digest (32 bytes) of a key's text with the current digest key."""
        return digest(text, self.digest_keys[self.digest_current])

    def digests(self, text: str) -> Iterator[tuple[str, bytes]]:
        """Yield the name of each digest key and the digest with it, the current one first."""
        yield self.digest_current, self.digest(text)
        for name, key in self.digest_keys.items():
            if name != self.digest_current:
                yield name, digest(text, key)

    @property
    def _oldest_digest_key(self) -> bytes:
        return self.digest_keys[min(self.digest_keys, key=lambda name: int(name[1:]))]

    def stable_digest(self, text: str) -> bytes:
        """Return a digest (32 bytes) with the oldest digest key: it does not change when the digest key is rotated.

        For values that are derived again each time and not stored.
        """
        return digest(text, self._oldest_digest_key)

    def account_mark(self, account: str) -> str:
        """Return the sixteen characters that all keys of an account share: a keyed hash of its name.

        It uses the oldest digest key, so that it does not change with a rotation. A random account id (``acct_1…``) is
        used unhashed, as in Stripe's keys.
        """
        if _RANDOM_ID.fullmatch(account):
            return account.removeprefix("acct_")
        hashed = hashlib.blake2b(
            account.encode("utf-8", "surrogatepass"), key=self._oldest_digest_key, person=b"account mark"
        ).digest()
        number = int.from_bytes(hashed, "big")
        return "".join(ALPHABET[number // len(ALPHABET) ** place % len(ALPHABET)] for place in range(MARK_LENGTH))

    def rotate_digest(self, random_bytes: RandomBytes = os.urandom) -> Keyring:
        """Return the keyring with a new current digest key. Rows are rewritten with it when their keys are used."""
        name = _next(self.digest_keys)
        return replace(self, digest_current=name, digest_keys={**self.digest_keys, name: random_bytes(_SIZE)})

    def rotate_sealing(self, random_bytes: RandomBytes = os.urandom) -> Keyring:
        """Return the keyring with a new current sealing key. ``reseal_all`` reseals stored secrets with it."""
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
        """Return the keyring in a file. Raises KeyringError if it is not valid, FileNotFoundError, OSError."""
        try:
            text = Path(path).read_text("utf-8")
        except UnicodeDecodeError:
            raise KeyringError(f"{path} is not a keyring: it is not UTF-8 text") from None
        return cls.from_text(text, str(path))

    @classmethod
    def from_text(cls, text: str, place: str = "the text given") -> Keyring:
        """Return the keyring in the text of a keyring file. place: its name in error messages.

        Raises KeyringError if it is not valid, without repeating the text.
        """
        try:
            held = json.loads(text)
            return cls(
                held["digest"]["current"],
                {name: bytes.fromhex(key) for name, key in held["digest"]["keys"].items()},
                held["sealing"]["current"],
                {name: bytes.fromhex(key) for name, key in held["sealing"]["keys"].items()},
            )
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise KeyringError(f"{place} is not a keyring: {type(error).__name__}") from None

    @classmethod
    def load_or_create(cls, path: str | Path, random_bytes: RandomBytes = os.urandom) -> Keyring:
        """Return the keyring in a file; create the file if it is missing.

        If several processes start at once, one creates it and all read the same. Raises KeyringError, OSError.
        """
        try:
            return cls.load(path)
        except FileNotFoundError:
            pass
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileExistsError):  # another process was first: use its file
            cls.fresh(random_bytes).create(path)
        return cls.load(path)

    def save(self, path: str | Path) -> None:
        """Replace the file atomically, readable by its owner only; a symbolic link goes on pointing to it.

        Raises OSError.
        """
        path = Path(os.path.realpath(path))
        temporary = _write_temporary(path, self)
        try:
            os.replace(temporary, path)
        except BaseException:
            temporary.unlink()
            raise
        _sync_folder(path.parent)

    def create(self, path: str | Path) -> None:
        """Write a new file, readable by its owner only. Raises FileExistsError, OSError."""
        path = Path(path)
        temporary = _write_temporary(path, self)
        try:
            os.link(temporary, path)
        finally:
            temporary.unlink()
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
    """Return whether only its owner may read or write the file. Raises OSError."""
    return Path(path).stat().st_mode & 0o077 == 0


def _next(keys: Mapping[str, bytes]) -> str:
    letter = next(iter(keys))[0]
    return f"{letter}{max(int(name[1:]) for name in keys) + 1}"


def _write_temporary(path: Path, keyring: Keyring) -> Path:
    """Write the keyring to a temporary file in the same folder, with fsync, readable by its owner only."""
    import tempfile  # here, so that ``import tollkey.keys`` stays fast

    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # mkstemp sets mode 0600
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(keyring._text())
            file.flush()
            os.fsync(file.fileno())
    except BaseException:  # a full disk must not leave a part of the keyring, or a second one
        os.unlink(name)
        raise
    return Path(name)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
