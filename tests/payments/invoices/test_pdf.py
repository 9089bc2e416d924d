"""A PDF of lines of text: whatever the text is, the document can be opened."""

from __future__ import annotations

import re

from tollkey.payments.invoices.pdf import plain_pdf


def test_every_line_is_on_the_page() -> None:
    document = plain_pdf(["Invoice 0001", "Total $10.00"])
    assert document.startswith(b"%PDF-")
    assert document.rstrip().endswith(b"%%EOF")
    assert b"(Invoice 0001)" in document
    assert b"(Total $10.00)" in document


def test_brackets_and_backslashes_are_text() -> None:
    assert rb"(a \(b\) \\c)" in plain_pdf([r"a (b) \c"])


def test_the_table_of_contents_points_to_each_object() -> None:
    document = plain_pdf(["Żółć ₿"])
    start = int(re.findall(rb"startxref\s+(\d+)", document)[-1])
    assert document[start:].startswith(b"xref")
    for number, place in enumerate(re.findall(rb"(\d{10}) 00000 n", document), 1):
        assert document[int(place) :].startswith(b"%d 0 obj" % number)
