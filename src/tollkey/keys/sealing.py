"""Seal a key's text while it may still be shown: AES-256-GCM in an envelope.

Each text gets a data key of its own; the data key is wrapped by the keyring's current sealing
key. Both layers are bound to the row they belong to, so that a sealed text copied into another
row does not open. Rotation wraps the data key anew and leaves the text alone.

Layout: 1 byte version, 1 byte length of the sealing key's name, the name, 12 bytes nonce,
48 bytes wrapped data key, 12 bytes nonce, the sealed text.
"""

from __future__ import annotations

import os
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tollkey.keys.keyring import Keyring, RandomBytes

_VERSION = 1
_NONCE = 12
_WRAPPED = 48


class SealBroken(Exception):
    """A sealed text does not open: damaged, from another row, or its sealing key is gone."""


class _Envelope(NamedTuple):
    name: str
    wrapped: bytes  # nonce and wrapped data key
    sealed: bytes  # nonce and sealed text


def row_of(account: str, livemode: bool, key_id: str) -> str:
    """What a key's sealed text is bound to, so that it opens in its own row only."""
    return f"{account}/{'live' if livemode else 'test'}/{key_id}"


def seal(text: str, bound_to: str, keyring: Keyring, random_bytes: RandomBytes = os.urandom) -> bytes:
    """Seal ``text`` for the row ``bound_to`` (see ``row_of``)."""
    data_key = random_bytes(32)
    nonce = random_bytes(_NONCE)
    sealed = nonce + AESGCM(data_key).encrypt(nonce, text.encode(), bound_to.encode())
    return _wrap(data_key, bound_to, keyring, random_bytes) + sealed


def unseal(sealed: bytes, bound_to: str, keyring: Keyring) -> str:
    """The text again. Raises SealBroken."""
    envelope = _take_apart(sealed)
    data_key = _unwrap(envelope, bound_to, keyring)
    try:
        return AESGCM(data_key).decrypt(envelope.sealed[:_NONCE], envelope.sealed[_NONCE:], bound_to.encode()).decode()
    except InvalidTag:
        raise SealBroken("the sealed text is damaged or belongs to another row") from None


def reseal(sealed: bytes, bound_to: str, keyring: Keyring, random_bytes: RandomBytes = os.urandom) -> bytes:
    """The same sealed text under the current sealing key. Raises SealBroken."""
    envelope = _take_apart(sealed)
    if envelope.name == keyring.sealing_current:
        return sealed
    return _wrap(_unwrap(envelope, bound_to, keyring), bound_to, keyring, random_bytes) + envelope.sealed


def sealing_key_of(sealed: bytes) -> str:
    """The name of the key that a text is sealed with; empty when it is no sealed text."""
    try:
        return _take_apart(sealed).name
    except SealBroken:
        return ""


def _wrap(data_key: bytes, bound_to: str, keyring: Keyring, random_bytes: RandomBytes) -> bytes:
    name = keyring.sealing_current
    nonce = random_bytes(_NONCE)
    wrapped = AESGCM(keyring.sealing_keys[name]).encrypt(nonce, data_key, bound_to.encode())
    return bytes((_VERSION, len(name))) + name.encode() + nonce + wrapped


def _unwrap(envelope: _Envelope, bound_to: str, keyring: Keyring) -> bytes:
    sealing_key = keyring.sealing_keys.get(envelope.name)
    if sealing_key is None:
        raise SealBroken(f"sealing key {envelope.name} is not in the keyring")
    try:
        return AESGCM(sealing_key).decrypt(envelope.wrapped[:_NONCE], envelope.wrapped[_NONCE:], bound_to.encode())
    except InvalidTag:
        raise SealBroken("the sealed text is damaged or belongs to another row") from None


def _take_apart(sealed: bytes) -> _Envelope:
    sealed = bytes(sealed)
    if len(sealed) < 2 or sealed[0] != _VERSION:
        raise SealBroken("not a sealed text of a known version")
    start = 2 + sealed[1]
    middle = start + _NONCE + _WRAPPED
    if len(sealed) < middle + _NONCE:
        raise SealBroken("the sealed text is cut short")
    return _Envelope(sealed[2:start].decode("utf-8", "replace"), sealed[start:middle], sealed[middle:])
