"""GitHub, as far as a partner of its secret scanning sees it: public keys, and messages signed with them."""

from __future__ import annotations

import base64
import json

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


class GitHub:
    """Signs with keys of its own. away: its API does not answer. fetches: how often it was asked."""

    def __init__(self) -> None:
        self._keys = {"k1": ec.generate_private_key(ec.SECP256R1())}
        self.away = False
        self.fetches = 0

    def add(self, identifier: str) -> None:
        """Publish another key."""
        self._keys[identifier] = ec.generate_private_key(ec.SECP256R1())

    def fetch(self) -> bytes:
        """The answer of its API."""
        self.fetches += 1
        if self.away:
            raise OSError("away")
        listed = [
            {
                "key_identifier": name,
                "key": key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode(),
                "is_current": True,
            }
            for name, key in self._keys.items()
        ]
        return json.dumps({"public_keys": listed}).encode()

    def sign(self, body: bytes, identifier: str = "k1") -> str:
        """The value of the header with the signature."""
        return base64.b64encode(self._keys[identifier].sign(body, ec.ECDSA(hashes.SHA256()))).decode()
