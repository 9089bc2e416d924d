"""Second factors: codes of an authenticator app (TOTP, RFC 6238) with recovery codes, and passkeys (WebAuthn).

Secrets of apps are sealed with the server's keyring; recovery codes are stored as digests. A code can be used once,
within its time step of 30 seconds or the steps before and after. Libraries are imported at first use.
"""

from __future__ import annotations

import hmac
import json
import logging
from typing import NamedTuple

from tollkey.dashboard.people import Person
from tollkey.db import Ids, Tx
from tollkey.keys.errors import SealBroken
from tollkey.keys.keyring import Keyring
from tollkey.keys.sealed import SealedColumn
from tollkey.keys.sealing import seal, unseal

_log = logging.getLogger(__name__)
_STEP_SECONDS = 30
_RECOVERY_CODES = 10


class Passkey(NamedTuple):
    """A registered passkey. id: of the credential, base64url. created, last_used: UTC epoch seconds."""

    id: str
    person: str
    name: str
    public_key: bytes
    sign_count: int
    created: int
    last_used: int | None


def second_factor_required(tx: Tx, person: Person) -> bool:
    """Whether a person needs a second factor to sign in."""
    return person.totp or bool(passkeys(tx, person.id))


# -- authenticator apps


def _seal_context(person: str) -> str:
    return f"totp/{person}"


#: The sealed secrets of authenticator apps: active, and waiting for the first code.
SEALED = tuple(SealedColumn("dash_people", column, "id", ("id",), _seal_context) for column in ("totp", "totp_pending"))


def begin_totp(tx: Tx, keyring: Keyring, ids: Ids, person: str) -> str:
    """Create a secret (base32) for an authenticator app. It becomes active with its first code, see ``finish_totp``."""
    secret = "".join("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[ids.number(32)] for _ in range(32))
    tx.execute(
        "UPDATE dash_people SET totp_pending = ? WHERE id = ?", (seal(secret, _seal_context(person), keyring), person)
    )
    return secret


def pending_totp(tx: Tx, keyring: Keyring, person: str) -> str | None:
    """The secret that waits for its first code, or None."""
    rows = tx.execute("SELECT totp_pending FROM dash_people WHERE id = ?", (person,))
    return _unsealed(rows[0][0], keyring, person) if rows and rows[0][0] is not None else None


def _unsealed(sealed: bytes, keyring: Keyring, person: str) -> str | None:
    """The secret, or None when its sealed copy is damaged; then only recovery codes work."""
    try:
        return unseal(sealed, _seal_context(person), keyring)
    except SealBroken as broken:
        _log.error("the secret of the authenticator app of %s cannot be unsealed: %s", person, broken)
        return None


def finish_totp(tx: Tx, keyring: Keyring, ids: Ids, person: str, code: str, now: int) -> list[str] | None:
    """Activate the pending secret with a code of it. now: UTC epoch seconds.

    Returns new recovery codes, or None for an incorrect code.
    """
    secret = pending_totp(tx, keyring, person)
    step = _step_of(secret, code, now) if secret is not None else None
    if secret is None or step is None:
        return None
    codes = [f"{ids.text(5)}-{ids.text(5)}".lower() for _ in range(_RECOVERY_CODES)]
    digests = json.dumps([_recovery_digest(keyring, person, code) for code in codes])
    # of two simultaneous requests one finds no pending secret, so the codes that are shown are the stored ones
    rows = tx.execute(
        "UPDATE dash_people SET totp = totp_pending, totp_pending = NULL, totp_step = ?, recovery = ?"
        " WHERE id = ? AND totp_pending IS NOT NULL RETURNING id",
        (step, digests, person),
    )
    return codes if rows else None


def remove_totp(tx: Tx, person: str) -> None:
    """Delete the app's secret and the recovery codes."""
    tx.execute("UPDATE dash_people SET totp = NULL, totp_pending = NULL, recovery = '[]' WHERE id = ?", (person,))


def check_code(tx: Tx, keyring: Keyring, person: str, code: str, now: int) -> bool:
    """Check a code of the app or a recovery code, and mark it as used. now: UTC epoch seconds."""
    rows = tx.execute("SELECT totp FROM dash_people WHERE id = ?", (person,))
    if not rows or rows[0][0] is None:
        return False
    code = code.replace(" ", "").lower()
    secret = _unsealed(rows[0][0], keyring, person)
    step = None if secret is None else _step_of(secret, code, now)
    if step is not None:  # compared in the statement, so that a code cannot be used twice at the same time
        return bool(
            tx.execute(
                "UPDATE dash_people SET totp_step = ? WHERE id = ? AND totp_step < ? RETURNING id", (step, person, step)
            )
        )
    return _use_recovery_code(tx, person, {digest.hex() for _, digest in keyring.digests(_recovery_text(person, code))})


def _use_recovery_code(tx: Tx, person: str, digests: set[str]) -> bool:
    """Remove a recovery code. digests: of the code, with the current and retired digest keys. Returns False if unknown.

    The UPDATE compares the codes that were read. When they changed in the meantime, they are read again.
    """
    for _ in range(_RECOVERY_CODES + 1):  # a concurrent request can use one code per attempt
        rows = tx.execute("SELECT recovery FROM dash_people WHERE id = ?", (person,))
        kept = json.loads(rows[0][0]) if rows else []
        left = [one for one in kept if one not in digests]
        if len(left) == len(kept):
            return False
        values = (json.dumps(left), person, rows[0][0])
        if tx.execute("UPDATE dash_people SET recovery = ? WHERE id = ? AND recovery = ? RETURNING id", values):
            return True
    return False


def recovery_left(tx: Tx, person: str) -> int:
    """The number of unused recovery codes."""
    return len(json.loads(tx.execute("SELECT recovery FROM dash_people WHERE id = ?", (person,))[0][0]))


def _recovery_digest(keyring: Keyring, person: str, code: str) -> str:
    return keyring.digest(_recovery_text(person, code)).hex()


def _recovery_text(person: str, code: str) -> str:
    return f"recovery:{person}:{code}"


def _step_of(secret: str, code: str, now: int) -> int | None:
    """The time step of a code, among the current, previous and next one; None for an incorrect code."""
    import pyotp

    totp = pyotp.TOTP(secret)
    for step in range(now // _STEP_SECONDS - 1, now // _STEP_SECONDS + 2):
        if hmac.compare_digest(totp.generate_otp(step), code.encode("ascii", "replace").decode()):
            return step
    return None


def totp_uri(secret: str, email: str) -> str:
    """The ``otpauth:`` URI for the QR code of an authenticator app. secret: base32."""
    import pyotp

    return pyotp.TOTP(secret).provisioning_uri(name=email, issuer_name="Tollkey")


def qr_svg(text: str) -> str:
    """A QR code as SVG without inline styles."""
    import segno

    return str(segno.make(text, error="m").svg_inline(scale=5, border=3, dark="#000", light="#fff", omitsize=False))


# -- passkeys

_PASSKEY = "id, person, name, public_key, sign_count, created, last_used"


def passkeys(tx: Tx, person: str) -> list[Passkey]:
    """The passkeys of a person, oldest first."""
    rows = tx.execute(f"SELECT {_PASSKEY} FROM dash_passkeys WHERE person = ? ORDER BY created, id", (person,))
    return [Passkey(row[0], row[1], row[2], bytes(row[3]), *row[4:]) for row in rows]


def passkey(tx: Tx, id: str) -> Passkey | None:
    """The passkey with a credential id, or None."""
    rows = tx.execute(f"SELECT {_PASSKEY} FROM dash_passkeys WHERE id = ?", (id,))
    return Passkey(rows[0][0], rows[0][1], rows[0][2], bytes(rows[0][3]), *rows[0][4:]) if rows else None


def add_passkey(tx: Tx, made: Passkey) -> None:
    """Store a passkey. Raises Duplicate when it is already registered."""
    tx.execute(f"INSERT INTO dash_passkeys ({_PASSKEY}) VALUES (?, ?, ?, ?, ?, ?, ?)", made)


def passkey_used(tx: Tx, id: str, sign_count: int, now: int) -> None:
    """Record the use of a passkey. sign_count: as reported by the authenticator. now: UTC epoch seconds."""
    tx.execute("UPDATE dash_passkeys SET sign_count = ?, last_used = ? WHERE id = ?", (sign_count, now, id))


def remove_passkey(tx: Tx, person: str, id: str) -> bool:
    """Delete a passkey. Returns False when the person has no such passkey."""
    return bool(tx.execute("DELETE FROM dash_passkeys WHERE person = ? AND id = ? RETURNING id", (person, id)))
