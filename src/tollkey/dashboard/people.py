"""People: people who can sign in, their memberships and roles, and invitations.

A person is identified by one email address. Roles are per account; each account has at most one owner (a unique index).
An invitation is a one-time link; only the digest of its token is stored. It stands while whoever made it may invite.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from tollkey.db import Duplicate, Ids, Tx
from tollkey.keys.keyring import Keyring

INVITATION_SECONDS = 7 * 86400
OWNER_LINK = "owner"  # stands in place of an email address in the invitation of the owner
_TOKEN = 43  # characters of 0-9A-Za-z: 256 bits


class PeopleRefused(Exception):
    """A change to people or the team that is not allowed.

    message: for people. field: the form field concerned, or "".
    """

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.message, self.field = message, field


class Person(NamedTuple):
    """Somebody who can sign in.

    password: its argon2id hash. created: UTC epoch seconds. totp: whether an authenticator app is set up.
    """

    id: str
    email: str
    name: str
    password: str
    created: int
    totp: bool

    def __repr__(self) -> str:
        return f"Person({self.id})"


class Membership(NamedTuple):
    """An account that the signed-in person may open, and their role in it."""

    account: str
    account_name: str
    role: str


class Member(NamedTuple):
    """A member of a team. account: the team. created: UTC epoch seconds."""

    account: str
    person: str
    name: str
    email: str
    role: str
    created: int


class Invitation(NamedTuple):
    """A pending invitation or other one-time link. created, expires_at: UTC epoch seconds."""

    id: str
    account: str
    role: str
    email: str
    created: int
    created_by: str
    expires_at: int


def normal_email(text: str) -> str:
    """Normalise an email address: trimmed, lower case. Raises PeopleRefused for one that is not valid."""
    email = text.strip().lower()
    name, at, domain = email.partition("@")
    if (
        not (at and name and "." in domain.strip("."))
        or len(email) > 254
        or any(c.isspace() or not c.isprintable() for c in email)
    ):
        raise PeopleRefused("Enter an email address such as name@example.com.", "email")
    return email


def normal_name(text: str) -> str:
    """Normalise a person's name. Raises PeopleRefused for an empty, long or unprintable one."""
    name = " ".join(text.split())
    if not 1 <= len(name) <= 100 or not name.isprintable():
        raise PeopleRefused("Enter a name of 1 to 100 characters.", "name")
    return name


# -- persons

_PERSON = "id, email, name, password, created, totp IS NOT NULL"


def add_person(tx: Tx, ids: Ids, *, email: str, name: str, password: str, now: int) -> Person:
    """Add a person. password: its argon2id hash. now: UTC epoch seconds.

    Raises PeopleRefused when the email address is taken or not valid.
    """
    person = Person(ids.new("usr"), normal_email(email), normal_name(name), password, now, False)
    try:
        with tx.savepoint():
            tx.execute(
                "INSERT INTO dash_people (id, email, name, password, created, totp_step, recovery) VALUES (?, ?, ?, ?,"
                " ?, 0, '[]')",
                person[:5],
            )
    except Duplicate:
        raise PeopleRefused("This email address is already in use. Sign in instead.", "email") from None
    return person


def by_email(tx: Tx, email: str) -> Person | None:
    """The person with an email address in any letter case, or None."""
    return _one(tx, "email = ?", email.strip().lower())


def by_id(tx: Tx, id: str) -> Person | None:
    """The person with an id, or None."""
    return _one(tx, "id = ?", id)


def _one(tx: Tx, where: str, value: str) -> Person | None:
    rows = tx.execute(f"SELECT {_PERSON} FROM dash_people WHERE {where}", (value,))
    return Person(*rows[0])._replace(totp=bool(rows[0][5])) if rows else None


def set_password(tx: Tx, person: str, password: str) -> None:
    """Store a new password. password: its argon2id hash."""
    tx.execute("UPDATE dash_people SET password = ? WHERE id = ?", (password, person))


def set_name(tx: Tx, person: str, name: str) -> None:
    """Rename a person. Raises PeopleRefused for a name that is not valid."""
    tx.execute("UPDATE dash_people SET name = ? WHERE id = ?", (normal_name(name), person))


# -- members

_MEMBER = (
    "SELECT m.account, p.id, p.name, p.email, m.role, m.created FROM dash_memberships m"
    " JOIN dash_people p ON p.id = m.person"
)


def members(tx: Tx, account: str) -> list[Member]:
    """The team of an account: the owner first, then by name."""
    rows = tx.execute(f"{_MEMBER} WHERE m.account = ? ORDER BY m.role <> 'owner', p.name, p.id", (account,))
    return [Member(*row) for row in rows]


def member(tx: Tx, account: str, person: str) -> Member | None:
    """A person's membership in an account, or None."""
    rows = tx.execute(f"{_MEMBER} WHERE m.account = ? AND m.person = ?", (account, person))
    return Member(*rows[0]) if rows else None


def owner(tx: Tx, account: str) -> Member | None:
    """The owner of an account; None until the owner link was used."""
    rows = tx.execute(f"{_MEMBER} WHERE m.account = ? AND m.role = 'owner'", (account,))
    return Member(*rows[0]) if rows else None


def join(tx: Tx, account: str, person: str, role: str, now: int) -> None:
    """Add a person to an account. now: UTC epoch seconds. Raises PeopleRefused for a member."""
    try:
        with tx.savepoint():
            tx.execute(
                "INSERT INTO dash_memberships (account, person, role, created) VALUES (?, ?, ?, ?)",
                (account, person, role, now),
            )
    except Duplicate:
        raise PeopleRefused("This person is already a member.") from None


_OWNER_STAYS = "The owner cannot be changed or removed. Transfer ownership first."


def set_role(tx: Tx, account: str, person: str, role: str) -> None:
    """Change a member's role.

    Raises PeopleRefused for the owner, for the role of owner, and for people who are no members.
    """
    _not_owner(tx, account, person)
    if role == "owner":
        raise PeopleRefused("An account has one owner. Transfer ownership instead.", "role")
    values = (
        role,
        account,
        person,
    )  # the statement checks the role again: it may have changed since it was read
    if not tx.execute(
        "UPDATE dash_memberships SET role = ? WHERE account = ? AND person = ? AND role <> 'owner' RETURNING person",
        values,
    ):
        raise PeopleRefused(_OWNER_STAYS)


def remove(tx: Tx, account: str, person: str) -> None:
    """Remove a member. Raises PeopleRefused for the owner and for people who are no members."""
    _not_owner(tx, account, person)
    values = (account, person)
    if not tx.execute(
        "DELETE FROM dash_memberships WHERE account = ? AND person = ? AND role <> 'owner' RETURNING person", values
    ):
        raise PeopleRefused(_OWNER_STAYS)


def _not_owner(tx: Tx, account: str, person: str) -> None:
    found = member(tx, account, person)
    if found is None:
        raise PeopleRefused("This person is not a member.")
    if found.role == "owner":
        raise PeopleRefused(_OWNER_STAYS)


def transfer(tx: Tx, account: str, to: str) -> None:
    """Transfer ownership to another member; the former owner becomes an administrator.

    to: id of a person. Raises PeopleRefused when that person is no member, or when it was transferred meanwhile.
    """
    if member(tx, account, to) is None:
        raise PeopleRefused("Choose a member of this account.", "person")
    demote = "UPDATE dash_memberships SET role = 'administrator' WHERE account = ? AND role = 'owner' RETURNING person"
    if not tx.execute(demote, (account,)):  # it has waited for another transfer, which was committed
        raise PeopleRefused("Ownership was transferred at the same moment. Reload the page.", "person")
    rows = tx.execute(
        "UPDATE dash_memberships SET role = 'owner' WHERE account = ? AND person = ? RETURNING person", (account, to)
    )
    if not rows:  # removed in the meantime: the account must not be left without an owner
        raise PeopleRefused("Choose a member of this account.", "person")


# -- invitations

_INVITATION = "id, account, role, email, created, created_by, expires_at"
#: Links that commands print stand by themselves; those of a member while that member may still invite (``may_assign``).
_STANDS = (
    f"(account = '' OR email = '{OWNER_LINK}' OR EXISTS (SELECT 1 FROM dash_memberships m WHERE m.account ="
    " dash_invitations.account AND m.person = created_by AND m.role IN ('owner', 'administrator')))"
)


def invite(
    tx: Tx,
    keyring: Keyring,
    ids: Ids,
    *,
    account: str,
    role: str,
    email: str,
    by: str,
    now: int,
    seconds: int = INVITATION_SECONDS,
) -> tuple[Invitation, str]:
    """Create an invitation; it replaces an earlier one for the same email address.

    by: id of the person who invites. now: UTC epoch seconds. seconds: how long the link is valid.
    Returns the invitation and the token of its link. Raises PeopleRefused for a member or an invalid email address.
    """
    made = Invitation(ids.new("inv"), account, role, normal_email(email), now, by, now + seconds)
    return made, _make_link(tx, keyring, ids, made)


def _make_link(
    tx: Tx,
    keyring: Keyring,
    ids: Ids,
    made: Invitation,
    *,
    beside: bool = False,
) -> str:
    """Store a one-time link and return its token. beside: whether earlier links stay valid until ``revoke_earlier``."""
    if tx.execute(
        "SELECT 1 FROM dash_memberships m JOIN dash_people p ON p.id = m.person WHERE m.account = ? AND p.email = ?",
        (made.account, made.email),
    ):
        raise PeopleRefused("This person is already a member.", "email")
    if not beside:
        tx.execute("DELETE FROM dash_invitations WHERE account = ? AND email = ?", (made.account, made.email))
    token = ids.text(_TOKEN)
    tx.execute(
        f"INSERT INTO dash_invitations ({_INVITATION}, digest) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (*made, keyring.digest(f"invitation:{token}")),
    )
    return token


def invitations(tx: Tx, account: str, now: int) -> list[Invitation]:
    """Pending invitations of an account, newest first. now: UTC epoch seconds."""
    rows = tx.execute(
        f"SELECT {_INVITATION} FROM dash_invitations WHERE account = ? AND expires_at > ? AND email <> ? AND {_STANDS}"
        " ORDER BY created DESC, id",
        (account, now, OWNER_LINK),
    )
    return [Invitation(*row) for row in rows]


def invitation_of(tx: Tx, keyring: Keyring, token: str, now: int) -> Invitation | None:
    """The invitation of a link's token; None when it is unknown, used or expired. now: UTC epoch seconds.

    Likewise when the member who invited has left the team, or may not invite any more.
    """
    for _, digest in keyring.digests(f"invitation:{token}"):
        rows = tx.execute(
            f"SELECT {_INVITATION} FROM dash_invitations WHERE digest = ? AND expires_at > ? AND {_STANDS}",
            (digest, now),
        )
        if rows:
            return Invitation(*rows[0])
    return None


def revoke_invitation(tx: Tx, account: str, invitation: str) -> bool:
    """Revoke an invitation. Returns False when there is none."""
    return bool(
        tx.execute("DELETE FROM dash_invitations WHERE account = ? AND id = ? RETURNING id", (account, invitation))
    )


def revoke_earlier(tx: Tx, made: Invitation) -> None:
    """Revoke every other link for the same email address and purpose."""
    tx.execute(
        "DELETE FROM dash_invitations WHERE account = ? AND email = ? AND id <> ?", (made.account, made.email, made.id)
    )


def consume(tx: Tx, invitation: Invitation) -> None:
    """Delete a one-time link that is used, with every other link for the same email address and purpose.

    Raises PeopleRefused when it was already used. When two transactions use a link at the same time, the DELETE of the
    second waits for the first's commit and then finds no row.
    """
    if not revoke_invitation(tx, invitation.account, invitation.id):
        raise PeopleRefused("This link has already been used.")
    tx.execute("DELETE FROM dash_invitations WHERE account = ? AND email = ?", (invitation.account, invitation.email))


def accept(tx: Tx, invitation: Invitation, person: str, now: int, teams: Iterable[str] = ()) -> None:
    """Accept an invitation: add the person to the account. The first owner is added to every account without one.

    person: id. now: UTC epoch seconds. teams: every account.
    Raises PeopleRefused when the link was already used or the person is a member.
    """
    consume(tx, invitation)
    if invitation.email != OWNER_LINK or has_owner(tx):
        return join(tx, invitation.account, person, invitation.role, now)
    owned = {row[0] for row in tx.execute("SELECT account FROM dash_memberships WHERE role = 'owner'")}
    for account in dict.fromkeys((invitation.account, *teams)):
        if account not in owned:
            join(tx, account, person, "owner", now)


def has_owner(tx: Tx) -> bool:
    """Whether any account of this server has an owner."""
    return bool(tx.execute("SELECT 1 FROM dash_memberships WHERE role = 'owner' LIMIT 1"))


def owner_token(tx: Tx, keyring: Keyring, ids: Ids, account: str, now: int) -> tuple[Invitation, str] | None:
    """Create a one-time link for becoming the owner of an account. now: UTC epoch seconds.

    Returns the link and its token; None when the account has an owner. Earlier links stay valid until
    ``revoke_earlier`` or until one of them is used.
    """
    if owner(tx, account) is not None:
        return None
    made = Invitation(ids.new("inv"), account, "owner", OWNER_LINK, now, "system:tollkey", now + 365 * 86400)
    return made, _make_link(tx, keyring, ids, made, beside=True)


# -- a forgotten password

RESET_SECONDS = 3600
RESET, RESET_WITH_FACTORS = "reset", "reset_all"


def reset_token(
    tx: Tx, keyring: Keyring, ids: Ids, email: str, now: int, *, factors: bool = False
) -> tuple[Invitation, str] | None:
    """Create a one-time link for choosing a new password. now: UTC epoch seconds.

    factors: whether using it also removes the second factors. Returns the link and its token; None for an unknown email
    address. Earlier links stay valid until ``revoke_earlier`` or until one of them is used.
    """
    person = by_email(tx, email)
    if person is None:
        return None
    role = RESET_WITH_FACTORS if factors else RESET
    made = Invitation(ids.new("inv"), "", role, person.email, now, "cli:tollkey", now + RESET_SECONDS)
    return made, _make_link(tx, keyring, ids, made, beside=True)
