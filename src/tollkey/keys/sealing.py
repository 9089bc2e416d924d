"""Sealing: envelope encryption of secrets with AES-256-GCM.

Each secret is encrypted with its own data key, and the data key with the keyring's current sealing key. The context of
the row is associated data of both, so that a sealed secret cannot be decrypted in another row. A rotation of the
sealing key encrypts only the data key again.

Layout: 1 byte version, 1 byte length of the sealing key's name, the name, 12 bytes nonce, 48 bytes encrypted data key,
12 bytes nonce, the encrypted secret.
"""

from __future__ import annotations

import os
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tollkey.keys.errors import SealBroken
from tollkey.keys.keyring import Keyring, RandomBytes

_VERSION = 1
_NONCE = 12
_WRAPPED = 48


class _Envelope(NamedTuple):
    name: str
    wrapped: bytes  # nonce and encrypted data key
    sealed: bytes  # nonce and encrypted secret


def seal_context(account: str, livemode: bool, key_id: str) -> str:
    """Return the context (associated data) of a sealed secret: account, mode and id of its row."""
    return f"{account}/{'live' if livemode else 'test'}/{key_id}"


def seal(text: str, bound_to: str, keyring: Keyring, random_bytes: RandomBytes = os.urandom) -> bytes:
    """Encrypt a text.

    bound_to: the context of its row, see ``seal_context``. random_bytes: called with a number, returns that many bytes.
    Returns the sealed bytes.
    """
    data_key = random_bytes(32)
    nonce = random_bytes(_NONCE)
    sealed = nonce + AESGCM(data_key).encrypt(nonce, text.encode(), bound_to.encode())
    return _wrap(data_key, bound_to, keyring, random_bytes) + sealed


def unseal(sealed: bytes, bound_to: str, keyring: Keyring) -> str:
    """Decrypt a sealed text. bound_to: the context it was sealed with. Raises SealBroken."""
    envelope = _parse(sealed)
    data_key = _unwrap(envelope, bound_to, keyring)
    try:
        return AESGCM(data_key).decrypt(envelope.sealed[:_NONCE], envelope.sealed[_NONCE:], bound_to.encode()).decode()
    except InvalidTag:
        raise SealBroken("the sealed text is damaged or belongs to another row") from None


def reseal(sealed: bytes, bound_to: str, keyring: Keyring, random_bytes: RandomBytes = os.urandom) -> bytes:
    """Return the sealed text with its data key encrypted by the current sealing key. Raises SealBroken."""
    envelope = _parse(sealed)
    if envelope.name == keyring.sealing_current:
        return sealed
    return _wrap(_unwrap(envelope, bound_to, keyring), bound_to, keyring, random_bytes) + envelope.sealed


def sealing_key_name(sealed: bytes) -> str:
    """Return the name of the sealing key of a sealed text; empty if it is not a sealed text."""
    try:
        return _parse(sealed).name
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


def _parse(sealed: bytes) -> _Envelope:
    sealed = bytes(sealed)
    if len(sealed) < 2 or sealed[0] != _VERSION:
        raise SealBroken("not a sealed text of a known version")
    start = 2 + sealed[1]
    middle = start + _NONCE + _WRAPPED
    if len(sealed) < middle + _NONCE:
        raise SealBroken("the sealed text is cut short")
    return _Envelope(sealed[2:start].decode("utf-8", "replace"), sealed[start:middle], sealed[middle:])
