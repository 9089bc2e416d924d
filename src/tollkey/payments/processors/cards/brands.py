"""Test cards of each brand (reference sections 6.3 and 6.9); their payments succeed."""

from __future__ import annotations

from tollkey.payments.processors.cards.card import CardPayout, TestCard, ThreeDSecure


def names(*suffixes: str) -> tuple[str, ...]:
    """``visa`` stands for ``pm_card_visa`` and ``tok_visa``."""
    return tuple(prefix + suffix for suffix in suffixes for prefix in ("pm_card_", "tok_"))


def _visa(
    number: str, country: str = "US", funding: str = "credit", *suffixes: str, pin: str | None = None
) -> TestCard:
    return TestCard(number, "visa", country, funding, names(*suffixes), pin=pin)


BRANDS: tuple[TestCard, ...] = (
    _visa("4242424242424242", "US", "credit", "visa", "us"),
    TestCard(
        "4000056655665556",
        "visa",
        "US",
        "debit",
        (*names("visa_debit"), "tok_visa_debit_us_transferSuccess"),
        payout=CardPayout.SUCCEEDS,
    ),
    # Older test numbers, which every test mode takes.
    TestCard("4111111111111111", "visa"),
    TestCard("4012888888881881", "visa"),
    TestCard("5555555555554444", "mastercard", names=names("mastercard")),
    TestCard("2223003122003222", "mastercard"),
    TestCard(
        "5200828282828210",
        "mastercard",
        funding="debit",
        names=(*names("mastercard_debit"), "tok_mastercard_debit_us_transferSuccess"),
        payout=CardPayout.SUCCEEDS,
    ),
    TestCard("5105105105105100", "mastercard", funding="prepaid", names=names("mastercard_prepaid")),
    TestCard("371449635398431", "amex", names=names("amex")),
    TestCard(
        "378282246310005",
        "amex",
        names=names("amex_threeDSecureNotSupported"),
        three_d_secure=ThreeDSecure.NOT_SUPPORTED,
    ),
    TestCard("6011000990139424", "discover", names=names("discover")),
    TestCard("6011111111111117", "discover"),
    TestCard(
        "6011981111111113",
        "discover",
        funding="debit",
        names=("tok_discover_debit_us_transferSuccess",),
        payout=CardPayout.SUCCEEDS,
    ),
    TestCard("3056930009020004", "diners", names=names("diners")),
    TestCard("36227206271667", "diners"),
    TestCard("6555900000604105", "discover", "KR"),
    TestCard("3566002020360505", "jcb", "JP", names=names("jcb")),
    TestCard("6200000000000005", "unionpay", "CN", names=names("unionpay")),
    TestCard("6200000000000047", "unionpay", "CN", "debit"),
    TestCard("6205500000000000004", "unionpay", "CN"),
    TestCard("4000002500001001", "visa", "FR", networks=("visa", "cartes_bancaires")),
    TestCard("5555552500001001", "mastercard", "FR", networks=("mastercard", "cartes_bancaires")),
    TestCard("4000050360000001", "visa", "AU", "debit", networks=("visa", "eftpos_au")),
    TestCard("5555050360000080", "mastercard", "AU", "debit", networks=("mastercard", "eftpos_au")),
    TestCard("4000051230000072", "visa", "US", "debit", names("debit_visaFsaProductCode")),
    TestCard("4000051230000072", "visa", "US", "debit", names("debit_visaHsaProductCode")),
    TestCard("5200828282828897", "mastercard", "US", "debit", names("mastercard_debit_mastercardFsaProductCode")),
    # in person
    _visa("4001007020000002", "SG", pin="offline_pin_cvm"),
    _visa("4000008260000075", "GB", pin="offline_pin_sca_retry"),
    _visa("4001000360000005", "AU", pin="online_pin_cvm"),
    _visa("4000002760000008", "DE", pin="online_pin_sca_retry"),
    TestCard("4506445006931933", "interac", "CA", "debit"),
    TestCard("6280000360000978", "eftpos_au", "AU", "debit"),
)
