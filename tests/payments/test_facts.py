"""What the Dashboard and the guides are told of money, of test cards and of test accounts."""

from __future__ import annotations

from tollkey.payments import facts


def test_amounts_are_shown_with_the_decimals_of_their_currency() -> None:
    assert [facts.decimals(code) for code in ("usd", "jpy", "kwd")] == [2, 0, 3]
    assert [facts.money(1000, code) for code in ("usd", "jpy", "dkk")] == ["$10.00", "¥1,000", "DKK 10.00"]


def test_every_test_card_number_is_listed_once_with_what_it_does() -> None:
    cards = facts.test_cards()
    assert len(cards) == len({card.number for card in cards})
    told = {card.number: card.does for card in cards}
    assert told["4242424242424242"] == "succeeds"
    assert told["4000000000009995"] == "declined: card_declined / insufficient_funds"
    assert told["4100000000000019"] == "blocked by Radar"
    assert "after 3-D Secure declined" in told["4000008260003178"]


def test_every_test_account_is_listed_with_what_it_does() -> None:
    told = {bank.name: bank.does for bank in facts.test_banks()}
    assert told["pm_bacsDebit_dispute"] == "succeeds after three minutes, then disputed"
    assert told["pm_auBecsDebit_accountClosed"] == "fails; account_closed; the mandate becomes inactive"
    assert told["pm_usBankAccount_riskLevelHighest"] == "blocked by Radar"
