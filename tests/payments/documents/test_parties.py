"""Addresses and tax ids as documents show them."""

from __future__ import annotations

import pytest

from tollkey.payments.documents.parties import address_lines, recipient, tax_id_line
from tollkey.wire.languages import ENGLISH, first_of


@pytest.mark.parametrize(
    ("address", "lines"),
    [
        ({"line1": "1 Main St", "line2": "B", "city": "Ely", "state": "NV", "postal_code": "89301", "country": "US"},
         ("1 Main St", "B", "Ely, NV 89301", "United States")),
        ({"line1": "Chausseestr. 1", "city": "Berlin", "postal_code": "10115", "country": "DE"},
         ("Chausseestr. 1", "10115 Berlin", "Germany")),
        ({"city": "London", "postal_code": "N1 1AA", "country": "GB"}, ("London N1 1AA", "United Kingdom")),
        ({"line1": "千代田1-1", "city": "千代田区", "state": "東京都", "postal_code": "100-0001", "country": "JP"},
         ("千代田1-1", "100-0001 千代田区, 東京都", "Japan")),
        ({"country": "ZZ"}, ("Unknown Region",)),
        ({}, ()),
        ({"line1": None, "city": "Ulm"}, ("Ulm",)),
    ],
)  # fmt: skip
def test_an_address_is_in_the_order_of_its_country(address: dict[str, str], lines: tuple[str, ...]) -> None:
    assert address_lines(address, ENGLISH) == lines


def test_a_country_is_named_in_the_reader_s_language() -> None:
    assert address_lines({"country": "de"}, first_of(["ja"])) == ("ドイツ",)


@pytest.mark.parametrize(("kind", "shown"), [("eu_vat", "EU VAT 1"), ("au_abn", "AU ABN 1"), ("br_cnpj", "BR CNPJ 1")])
def test_a_tax_id_says_of_which_kind_it_is(kind: str, shown: str) -> None:
    assert tax_id_line(kind, "1") == shown


def test_who_gets_the_goods_is_named_only_when_there_are_any() -> None:
    assert recipient(None, ENGLISH) == []
    sent = recipient({"name": "Zoë", "phone": None, "address": {"city": "Ulm"}}, ENGLISH)
    assert [(party.heading, party.lines) for party in sent] == [("Ship to", ("Zoë", "Ulm"))]
