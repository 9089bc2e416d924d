"""Checks the URL of a PostgreSQL database before it is used."""

from __future__ import annotations

import re

import psycopg
from psycopg.conninfo import conninfo_to_dict


def check_readable(url: str) -> None:
    """Raise ValueError if libpq cannot parse the URL, or would parse a part of the password as the host.

    libpq ends the password at the first ``@`` or ``/``, and its error messages contain the host. So at most one ``@``
    is accepted, before any ``/``, ``?`` or ``#``. The error does not repeat the URL.
    """
    rest = url.partition("://")[2]
    host = re.split("[/?#]", rest, maxsplit=1)[0]
    try:
        conninfo_to_dict(url)
        clear = rest.count("@") == host.count("@") <= 1
    except psycopg.Error:
        clear = False
    if not clear:
        raise ValueError(
            "the postgresql:// URL of the database is not valid: a part is missing or not percent-encoded."
            " In user name and password, write @ as %40, / as %2F, : as %3A, ? as %3F, # as %23 and % as %25"
        )
