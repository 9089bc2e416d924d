"""Passkeys (WebAuthn level 2): options for the browser, and verification of its responses.

The library is imported at first use.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

from tollkey.dashboard import factors
from tollkey.dashboard.address import origin_of
from tollkey.dashboard.factors import Passkey
from tollkey.dashboard.page import Context, FormErrors
from tollkey.db import Duplicate, Tx

_CHALLENGE_SECONDS = 300
_MOST_CHALLENGES = 10_000  # challenges that are pending; signed-out visitors can request them


def _host(ctx: Context) -> str:
    """The relying party id: the host of the server's public URL, never taken from an unchecked Host header."""
    return urlsplit(ctx.public_url()).hostname or ""


def _origin(ctx: Context) -> str:
    return origin_of(ctx.public_url())


def _challenge(ctx: Context, tx: Tx) -> bytes:
    """Create a challenge for this browser and store it."""
    challenge = ctx.ids.text(43).encode()
    digest = ctx.authority.keyring.digest(f"challenge:{ctx.visitor}")
    tx.execute("DELETE FROM dash_challenges WHERE digest = ? OR expires_at <= ?", (digest, ctx.now))
    if ctx.person is None and tx.execute("SELECT count(*) FROM dash_challenges")[0][0] >= _MOST_CHALLENGES:
        raise FormErrors(
            {"": "Too many passkey sign-ins are in progress. Use your password, or try again in five minutes."}
        )
    values = (digest, challenge, ctx.now + _CHALLENGE_SECONDS)
    tx.execute(  # of two requests of one browser at the same moment, both insert
        "INSERT INTO dash_challenges (digest, challenge, expires_at) VALUES (?, ?, ?)"
        " ON CONFLICT (digest) DO UPDATE SET challenge = excluded.challenge, expires_at = excluded.expires_at",
        values,
    )
    return challenge


def _take_challenge(ctx: Context, tx: Tx) -> bytes:
    """The pending challenge of this browser; it is deleted. Raises FormErrors when there is none."""
    for _, digest in ctx.authority.keyring.digests(f"challenge:{ctx.visitor}"):
        rows = tx.execute(
            "DELETE FROM dash_challenges WHERE digest = ? AND expires_at > ? RETURNING challenge", (digest, ctx.now)
        )
        if rows:
            return bytes(rows[0][0])
    raise FormErrors({"": "The passkey request has expired. Try again."})


def registration_options(ctx: Context) -> Any:
    """Options for ``navigator.credentials.create`` for the signed-in person."""
    import webauthn
    from webauthn.helpers import base64url_to_bytes
    from webauthn.helpers.structs import (
        AuthenticatorSelectionCriteria,
        PublicKeyCredentialDescriptor,
        ResidentKeyRequirement,
        UserVerificationRequirement,
    )

    known = [
        PublicKeyCredentialDescriptor(id=base64url_to_bytes(one.id)) for one in factors.passkeys(ctx.tx, ctx.me.id)
    ]
    wanted = AuthenticatorSelectionCriteria(
        resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
    )
    options = webauthn.generate_registration_options(
        rp_id=_host(ctx), rp_name="Tollkey", user_id=ctx.me.id.encode(), user_name=ctx.me.email,
        user_display_name=ctx.me.name,
        challenge=_challenge(ctx, ctx.tx), authenticator_selection=wanted, exclude_credentials=known,
    )  # fmt: skip
    return json.loads(webauthn.options_to_json(options))


def register(ctx: Context, credential: str, name: str) -> Passkey:
    """Verify and store a new passkey. credential: the browser's JSON. Raises FormErrors when it is not valid."""
    import webauthn
    from webauthn.helpers import bytes_to_base64url
    from webauthn.helpers.exceptions import WebAuthnException

    challenge = _take_challenge(ctx, ctx.tx)
    try:
        made = webauthn.verify_registration_response(
            credential=credential, expected_challenge=challenge, expected_rp_id=_host(ctx),
            expected_origin=_origin(ctx),
            require_user_verification=True,
        )  # fmt: skip
    except (WebAuthnException, ValueError, KeyError, TypeError, RecursionError):
        raise FormErrors({"": "This passkey could not be verified. Try again."}) from None
    id = bytes_to_base64url(made.credential_id)
    passkey = Passkey(
        id, ctx.me.id, name.strip()[:60] or "Passkey", made.credential_public_key, made.sign_count, ctx.now, None
    )
    try:
        with ctx.tx.savepoint():
            factors.add_passkey(ctx.tx, passkey)
    except Duplicate:
        raise FormErrors({"": "This passkey is registered already."}) from None
    return passkey


def sign_in_options(ctx: Context) -> Any:
    """Options for ``navigator.credentials.get`` with any passkey of this server."""
    import webauthn
    from webauthn.helpers.structs import UserVerificationRequirement

    options = webauthn.generate_authentication_options(
        rp_id=_host(ctx), challenge=_challenge(ctx, ctx.tx), user_verification=UserVerificationRequirement.REQUIRED
    )
    return json.loads(webauthn.options_to_json(options))


def signed_by(ctx: Context, credential: str) -> str:
    """Verify a signature. credential: the browser's JSON.

    Returns the id of the person whose passkey signed. Raises FormErrors when it is not valid.
    """
    import webauthn
    from webauthn.helpers.exceptions import WebAuthnException

    challenge = _take_challenge(ctx, ctx.tx)
    wrong = FormErrors({"": "This passkey is not registered here, or could not be verified."})
    try:
        held = json.loads(credential)
        passkey = factors.passkey(ctx.tx, str(held["id"]))
        if passkey is None:
            raise wrong
        signed = webauthn.verify_authentication_response(
            credential=credential, expected_challenge=challenge, expected_rp_id=_host(ctx),
            expected_origin=_origin(ctx),
            credential_public_key=passkey.public_key, credential_current_sign_count=passkey.sign_count,
            require_user_verification=True,
        )  # fmt: skip
    except (WebAuthnException, ValueError, KeyError, TypeError, RecursionError):
        raise wrong from None
    factors.passkey_used(ctx.tx, passkey.id, signed.new_sign_count, ctx.now)
    return passkey.person
