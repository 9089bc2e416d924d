"""One-time links that commands print: for the owner of an account, and for a new password."""

from __future__ import annotations

from typing import NamedTuple

from tollkey.dashboard import people
from tollkey.dashboard.people import Invitation
from tollkey.db import Ids, Tx
from tollkey.keys.keyring import Keyring


class Link(NamedTuple):
    """A new one-time link. url: contains its secret token.

    Earlier links for the same purpose stay valid until ``revoke_earlier``, in case the new one is never shown.
    """

    url: str
    invitation: Invitation

    def revoke_earlier(self, tx: Tx) -> None:
        """Revoke the earlier links. Call it once this one was shown."""
        people.revoke_earlier(tx, self.invitation)


def owner_link(tx: Tx, keyring: Keyring, ids: Ids, base_url: str, account: str, now: int) -> Link | None:
    """Create a link for becoming the owner of an account.

    base_url: of the server. now: UTC epoch seconds. Returns None when the account has an owner.
    """
    made = people.owner_token(tx, keyring, ids, account, now)
    return None if made is None else Link(f"{base_url.rstrip('/')}/join/{made[1]}", made[0])


def reset_link(
    tx: Tx, keyring: Keyring, ids: Ids, base_url: str, email: str, now: int, *, factors: bool = False
) -> Link | None:
    """Create a link for choosing a new password, valid for one hour.

    base_url: of the server. now: UTC epoch seconds. factors: whether using it also removes the authenticator app and
    the passkeys. Returns None for an unknown email address.
    """
    made = people.reset_token(tx, keyring, ids, email, now, factors=factors)
    return None if made is None else Link(f"{base_url.rstrip('/')}/reset/{made[1]}", made[0])
