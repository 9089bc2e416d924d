"""Who may do what, in which mode: one matrix, as data. ``allows`` is the only place that reads it to decide.

The public pages say only that without administrator or developer role the API keys may not be visible;
which role may roll or reveal is not published (reference section 5). The answers given here:

- whoever may use secret keys may make, reveal and roll them: a developer "has access to the secret key"
- analysts, support and view-only people see objects, never keys
- money moves by hand (refunds, disputes) only with a role that answers for it; in test mode nothing is real,
  so everybody but view-only may try things out
- the team, the business and the ownership are not a developer's
"""

from __future__ import annotations

from typing import NamedTuple

OWNER, ADMINISTRATOR, DEVELOPER, ANALYST, SUPPORT, VIEW_ONLY = (
    "owner",
    "administrator",
    "developer",
    "analyst",
    "support",
    "view_only",
)


class Role(NamedTuple):
    """A role. about: its description where people choose one."""

    name: str
    label: str
    about: str


ROLES = (
    Role(OWNER, "Owner", "Full access. One person per account, who can transfer ownership."),
    Role(ADMINISTRATOR, "Administrator", "Full access, except transferring ownership."),
    Role(DEVELOPER, "Developer", "API keys, webhooks, logs and objects. No access to team and business settings."),
    Role(ANALYST, "Analyst", "View and export objects, refund payments, respond to disputes. No API keys."),
    Role(SUPPORT, "Support", "View objects, refund and cancel payments. No API keys."),
    Role(VIEW_ONLY, "View only", "View objects only. No API keys."),
)
LABELS = {role.name: role.label for role in ROLES}


class Action(NamedTuple):
    """Something that a role may or may not do. group, label: how the matrix names it.

    test, live: the roles that may.
    """

    name: str
    group: str
    label: str
    test: frozenset[str]
    live: frozenset[str]


_LETTERS = {"O": OWNER, "A": ADMINISTRATOR, "D": DEVELOPER, "N": ANALYST, "S": SUPPORT, "V": VIEW_ONLY}


def _action(name: str, group: str, label: str, test: str, live: str | None = None) -> Action:
    tested, lived = (
        frozenset(_LETTERS[letter] for letter in letters) for letters in (test, test if live is None else live)
    )
    return Action(name, group, label, tested, lived)


_TABLE = (
    # action             group       what                                                  test      live (if it
    # differs)
    _action("keys.see", "API keys", "View API keys, their requests and history", "OAD"),
    _action("keys.reveal", "API keys", "Reveal a secret or restricted key", "OAD"),
    _action("keys.create", "API keys", "Create and duplicate keys", "OAD"),
    _action("keys.edit", "API keys", "Edit keys: name, notes, permissions, IP addresses", "OAD"),
    _action("keys.roll", "API keys", "Roll keys, expire keys, cancel an expiration", "OAD"),
    _action("keys.hide", "API keys", "Hide a live key", "OAD"),
    _action("keys.delete", "API keys", "Delete a key", "OAD"),
    _action("usage.see", "Usage", "View the usage of accounts", "OADN"),
    _action("plan.see", "Usage", "View the plan of accounts", "OADN"),
    _action("plan.change", "Usage", "Change the plan of accounts", "OA"),
    _action("logs.see", "Developers", "View request logs, events and the overview", "OADNS", "OADN"),
    _action("webhooks.see", "Developers", "View webhook endpoints and deliveries", "OAD"),
    _action("webhooks.change", "Developers", "Manage webhook endpoints, resend events", "OAD"),
    _action("settings.api", "Developers", "Choose the API version", "OAD"),
    _action("clocks.change", "Developers", "Create and advance test clocks", "OAD"),
    _action("jobs.see", "Developers", "View failed jobs", "OAD"),
    _action("jobs.change", "Developers", "Run or discard failed jobs", "OAD"),
    _action("upstream.see", "Developers", "View the upstream account and the calls passed on to it", "OAD"),
    _action("upstream.change", "Developers", "Connect an upstream account, approve calls above a cap", "OAD"),
    _action("objects.see", "Objects", "View payments, customers and all other objects", "OADNSV"),
    _action("objects.export", "Objects", "Export lists", "OADNS", "OADN"),
    _action("objects.change", "Objects", "Edit objects: capture, cancel, update", "OADNS", "OADS"),
    _action("refunds.make", "Objects", "Refund payments", "OADNS", "OANS"),
    _action("disputes.answer", "Objects", "Respond to or accept disputes", "OADNS", "OANS"),
    _action("team.see", "Account", "View team members", "OADNSV"),
    _action("team.change", "Account", "Invite members, remove members, change roles", "OA"),
    _action("owner.transfer", "Account", "Transfer ownership", "O"),
    _action("business.see", "Account", "View business details and live mode status", "OADNSV"),
    _action("business.change", "Account", "Edit business details, activate live mode", "OA"),
    _action("audit.see", "Account", "View and export the audit log", "OAD"),
)
ACTIONS: dict[str, Action] = {action.name: action for action in _TABLE}


def allows(role: str, action: str, livemode: bool) -> bool:
    """Whether that role may do that in this mode. Raises KeyError for an action that the matrix does not hold."""
    held = ACTIONS[action]
    return role in (held.live if livemode else held.test)


def who_may(action: str, livemode: bool, among: tuple[Role, ...] = ROLES) -> list[str]:
    """The labels of the roles that may, in order of the matrix. among: the roles that there are."""
    return [role.label for role in among if allows(role.name, action, livemode)]


def may_assign(giver: str, role: str) -> bool:
    """Whether somebody with the role ``giver`` may give ``role`` to others: nobody gives the ownership as a role."""
    return giver in (OWNER, ADMINISTRATOR) and role in LABELS and role != OWNER
