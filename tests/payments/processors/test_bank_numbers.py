"""The test accounts: none is another's, and each is found by what is stored of it."""

from __future__ import annotations

from tollkey.payments.processors import banks


def test_every_account_is_found_by_its_key_its_number_and_its_names() -> None:
    for bank in banks.ALL:
        assert banks.bank_by_key(bank.key) == bank
        assert banks.bank_by_number(bank.number, kind=bank.kind) == bank
        assert all(banks.bank_by_name(name) == bank for name in bank.names)


def test_no_name_and_no_key_stands_for_two_accounts() -> None:
    names = [name for bank in banks.ALL for name in bank.names]
    assert len(names) == len(set(names))
    assert len(banks.ALL) == len({bank.key for bank in banks.ALL})


def test_a_key_holds_no_whole_number() -> None:
    assert [bank.key for bank in banks.ALL if bank.number in bank.key] == []
