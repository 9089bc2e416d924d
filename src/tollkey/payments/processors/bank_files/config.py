"""The configuration of bank files: folders, and the accounts that payouts leave from.

debtor = "Example Ltd"
batch_seconds = 300          # how long payouts are gathered into one file; default 60
largest_batch = 1000

[folders]
out = "/srv/bank/out"        # orders appear here, each at once as a whole
in = "/srv/bank/in"          # statements are taken from here
state = "/srv/bank/state"    # the journal, and what was sent and read; on the file system of ``out``

[accounts.eur]
iban = "DE89370400440532013000"
bic = "COBADEFFXXX"          # optional

[accounts.usd]
number = "000123456789"
bank = "110000000"           # the bank's number in its clearing system
clearing = "USABA"           # ISO 20022's code of that system; optional
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tollkey.payments.processors import banks, iso4217
from tollkey.payments.processors.tables import only, table

_TOP: Final = ("debtor", "batch_seconds", "largest_batch", "folders", "accounts")
_BIC: Final = re.compile(r"[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}(?:[A-Z0-9]{3})?")
_NUMBER: Final = re.compile(r"[A-Za-z0-9]{1,34}")
_CLEARING: Final = re.compile(r"[A-Z]{5}")


@dataclass(frozen=True, slots=True)
class Account:
    """An account at a bank: an IBAN, or a number there. bank: its number in the clearing system, if it has one."""

    iban: str = ""
    bic: str = ""
    number: str = ""
    bank: str = ""
    clearing: str = ""

    @property
    def problem(self) -> str:
        """What is wrong with it, for people; empty if nothing is."""
        if bool(self.iban) == bool(self.number):
            return "needs either iban or number"
        if self.iban and not banks.iban_valid(self.iban):
            return "has an iban whose check digits are wrong"
        if self.bic and not _BIC.fullmatch(self.bic):
            return "has a bic that is none"
        if self.number and not (_NUMBER.fullmatch(self.number) and _NUMBER.fullmatch(self.bank)):
            return "needs number and bank, of letters and digits"
        if self.clearing and not _CLEARING.fullmatch(self.clearing):
            return "has a clearing that is no code of five letters"
        return ""


class NoNumber(ValueError):
    """Nobody has said what the number of a bank account is: the API does not keep it."""


class WrongDestination(ValueError):
    """What was said of a bank account makes no destination."""


@dataclass(frozen=True, slots=True)
class Payee:
    """Who is paid out to."""

    name: str
    account: Account


@dataclass(frozen=True, slots=True)
class Config:
    """A checked configuration. accounts: by currency.

    batch_seconds, largest_batch: what one file gathers.
    """

    debtor: str
    out: Path
    incoming: Path
    state: Path
    accounts: Mapping[str, Account]
    batch_seconds: float = 60
    largest_batch: int = 1000


def read(given: Mapping[str, Any]) -> Config:
    """Check a configuration; the folders must be there. Raises ValueError with a sentence that names the setting."""
    only(given, _TOP, "")
    folders = table(given, "folders")
    only(folders, ("out", "in", "state"), "folders.")
    debtor = given.get("debtor")
    if not isinstance(debtor, str) or not debtor.strip() or len(debtor) > 70:
        raise ValueError("debtor is missing: a text of at most 70 characters")
    out, incoming, state = (_folder(folders, name) for name in ("out", "in", "state"))
    if len({out.resolve(), incoming.resolve(), state.resolve()}) < 3:
        raise ValueError("folders.out, folders.in and folders.state must be three folders")
    if os.stat(out).st_dev != os.stat(state).st_dev:
        raise ValueError("folders.state must be on the file system of folders.out: files are moved there as a whole")
    return Config(
        debtor.strip(), out, incoming, state, _accounts(table(given, "accounts")),
        _number(given, "batch_seconds", 60, 0.01, 86_400),
        int(_number(given, "largest_batch", 1000, 1, 10_000, whole=True)),
    )  # fmt: skip


def payee_of(given: Mapping[str, str]) -> Payee:
    """Return who a payout goes to.

    given: ``name`` and the fields of an account; ``routing_number`` is the bank when there is none. ``last4``, if it is
    there, must be the end of the number. Raises NoNumber, and ValueError, without account numbers.
    """
    values = {name: str(given[name]) for name in Account.__slots__ if name in given}
    if not values.get("iban") and not values.get("number"):
        raise NoNumber("the destination has neither iban nor number")
    if "number" in values:
        values.setdefault("bank", given.get("routing_number", ""))
    account = Account(**values)
    if account.problem:
        raise WrongDestination(f"the destination {account.problem}")
    if not (account.iban or account.number).replace(" ", "").upper().endswith(given.get("last4", "").upper()):
        raise WrongDestination("the destination has another number than the external account")
    return Payee(given.get("name", ""), account)


def _accounts(given: Mapping[str, Any]) -> Mapping[str, Account]:
    if not given:
        raise ValueError("accounts must have a table for at least one currency")
    found: dict[str, Account] = {}
    for currency, values in given.items():
        place = f"accounts.{currency}"
        if currency not in iso4217.known():
            raise ValueError(f"{place} is no currency: codes are in lower case")
        if not isinstance(values, Mapping) or not all(isinstance(value, str) for value in values.values()):
            raise ValueError(f"{place} must be a table of texts")
        only(values, tuple(Account.__slots__), f"{place}.")
        found[currency] = Account(**values)
        if found[currency].problem:
            raise ValueError(f"{place} {found[currency].problem}")
    return found


def _folder(given: Mapping[str, Any], name: str) -> Path:
    value = given.get(name)
    if not isinstance(value, str) or not Path(value).is_absolute():
        raise ValueError(f"folders.{name} is missing: an absolute path")
    path = Path(value)
    if not path.is_dir() or not os.access(path, os.W_OK | os.X_OK):
        raise ValueError(f"folders.{name}: {value} is no folder that can be written")
    return path


def _number(
    given: Mapping[str, Any], name: str, standard: float, least: float, most: float, *, whole: bool = False
) -> float:
    value = given.get(name, standard)
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise ValueError(f"{name} must be a number from {least:g} to {most:g}")
    if whole and not isinstance(value, int):
        raise ValueError(f"{name} must be a whole number")
    return value
