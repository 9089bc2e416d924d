"""The tables of the Dashboard: people, what they belong to, how they sign in. Append-only."""

from __future__ import annotations

from tollkey.db import Migration

MIGRATION = Migration(
    "dashboard",
    (
        "CREATE TABLE dash_people (id TEXT NOT NULL PRIMARY KEY, email TEXT NOT NULL UNIQUE, name TEXT NOT NULL,"
        " password TEXT NOT NULL,"
        " created {int} NOT NULL, totp {blob}, totp_pending {blob}, totp_step {int} NOT NULL, recovery TEXT NOT NULL)",
        "CREATE TABLE dash_memberships (account TEXT NOT NULL, person TEXT NOT NULL REFERENCES dash_people (id),"
        " role TEXT NOT NULL"
        " CHECK (role IN ('owner', 'administrator', 'developer', 'analyst', 'support', 'view_only')),"
        " created {int} NOT NULL,"
        " PRIMARY KEY (account, person))",
        "CREATE UNIQUE INDEX dash_one_owner ON dash_memberships (account) WHERE role = 'owner'",
        "CREATE INDEX dash_memberships_of ON dash_memberships (person)",
        "CREATE TABLE dash_invitations (id TEXT NOT NULL PRIMARY KEY, digest {blob} NOT NULL UNIQUE,"
        " account TEXT NOT NULL,"
        " role TEXT NOT NULL, email TEXT NOT NULL, created {int} NOT NULL, created_by TEXT NOT NULL,"
        " expires_at {int} NOT NULL)",
        "CREATE INDEX dash_invitations_of ON dash_invitations (account)",
        "CREATE TABLE dash_sessions (id TEXT NOT NULL PRIMARY KEY, digest {blob} NOT NULL UNIQUE, person TEXT NOT NULL"
        " REFERENCES dash_people (id), stage TEXT NOT NULL CHECK (stage IN ('second', 'full')), created {int} NOT NULL,"
        " seen {int} NOT NULL, confirmed_at {int} NOT NULL, ip TEXT, agent TEXT NOT NULL)",
        "CREATE INDEX dash_sessions_of ON dash_sessions (person)",
        "CREATE TABLE dash_passkeys (id TEXT NOT NULL PRIMARY KEY, person TEXT NOT NULL REFERENCES dash_people (id),"
        " name TEXT NOT NULL,"
        " public_key {blob} NOT NULL, sign_count {int} NOT NULL, created {int} NOT NULL, last_used {int})",
        "CREATE INDEX dash_passkeys_of ON dash_passkeys (person)",
        "CREATE TABLE dash_challenges (digest {blob} NOT NULL PRIMARY KEY, challenge {blob} NOT NULL,"
        " expires_at {int} NOT NULL)",
        "CREATE TABLE dash_failures (subject TEXT NOT NULL, at {int} NOT NULL)",
        "CREATE INDEX dash_failures_of ON dash_failures (subject, at)",
        "CREATE TABLE dash_log (seq {key}, account TEXT NOT NULL, at {int} NOT NULL, action TEXT NOT NULL,"
        " person TEXT NOT NULL,"
        " ip TEXT, about TEXT NOT NULL, details TEXT NOT NULL)",
        "CREATE INDEX dash_log_of ON dash_log (account, seq)",
    ),
)
