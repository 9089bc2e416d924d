"""Test cards by country of issue (reference section 6.4): they succeed."""

from __future__ import annotations

from tollkey.payments.processors.cards.brands import names
from tollkey.payments.processors.cards.card import CardPayout, TestCard

#: number, country, name
_VISA_CREDIT = (
    ("4000000320000021", "AR", "ar"),
    ("4000000760000002", "BR", "br"),
    ("4000001240000000", "CA", "ca"),
    ("4000001520000001", "CL", "cl"),
    ("4000001700000003", "CO", "co"),
    ("4000001880000005", "CR", "cr"),
    ("4000002180000000", "EC", "ec"),
    ("4000004840008001", "MX", "mx"),
    ("4000005910000000", "PA", "pa"),
    ("4000006000000066", "PY", "py"),
    ("4000006040000068", "PE", "pe"),
    ("4000008580000003", "UY", "uy"),
    ("4000000400000008", "AT", "at"),
    ("4000000560000004", "BE", "be"),
    ("4000001000000000", "BG", "bg"),
    ("4000001120000005", "BY", "by"),
    ("4000001910000009", "HR", "hr"),
    ("4000001960000008", "CY", "cy"),
    ("4000002030000002", "CZ", "cz"),
    ("4000002080000001", "DK", "dk"),
    ("4000002330000009", "EE", "ee"),
    ("4000002460000001", "FI", "fi"),
    ("4000002500000003", "FR", "fr"),
    ("4000002760000016", "DE", "de"),
    ("4000002920000005", "GI", "gi"),
    ("4000003000000030", "GR", "gr"),
    ("4000003480000005", "HU", "hu"),
    ("4000003720000005", "IE", "ie"),
    ("4000003800000008", "IT", "it"),
    ("4000004280000005", "LV", "lv"),
    ("4000004380000004", "LI", "li"),
    ("4000004400000000", "LT", "lt"),
    ("4000004420000006", "LU", "lu"),
    ("4000004700000007", "MT", "mt"),
    ("4000005280000002", "NL", "nl"),
    ("4000005780000007", "NO", "no"),
    ("4000006160000005", "PL", "pl"),
    ("4000006200000007", "PT", "pt"),
    ("4000006420000001", "RO", "ro"),
    ("4000006820000007", "SA", "sa"),
    ("4000007050000006", "SI", "si"),
    ("4000007030000001", "SK", "sk"),
    ("4000007240000007", "ES", "es"),
    ("4000007520000008", "SE", "se"),
    ("4000007560000009", "CH", "ch"),
    ("4000008260000000", "GB", "gb"),
    ("4000001560000002", "CN", "cn"),
    ("4000003440000004", "HK", "hk"),
    ("4000003560000008", "IN", "in"),
    ("4000003920000003", "JP", "jp"),
    ("4000004580000002", "MY", "my"),
    ("4000005540000008", "NZ", "nz"),
    ("4000007020000003", "SG", "sg"),
    ("4000001580000008", "TW", "tw"),
    ("4000007640000003", "TH", "th_credit"),
)

COUNTRIES: tuple[TestCard, ...] = (
    *(TestCard(number, "visa", country, names=names(name)) for number, country, name in _VISA_CREDIT),
    TestCard(
        "4000007840000001", "visa", "AE", names=(*names("ae"), "tok_visa_credit_ae"), payout=CardPayout.CARD_UNSUPPORTED
    ),
    TestCard(
        "4000000360000006", "visa", "AU", names=(*names("au"), "tok_visa_credit_au"), payout=CardPayout.CARD_UNSUPPORTED
    ),
    TestCard("5200007840000022", "mastercard", "AE", names=names("ae_mastercard")),
    TestCard("4000058260000005", "visa", "GB", "debit", names("gb_debit")),
    TestCard("5555558265554449", "mastercard", "GB", names=names("gb_mastercard")),
    TestCard("3530111333300000", "jcb", "JP"),
    TestCard("4000057640000008", "visa", "TH", "debit", names("th_debit")),
)
