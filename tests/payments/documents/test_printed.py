"""Documents as PDF, read back with another library."""

from __future__ import annotations

import time
from io import BytesIO

import pytest
from pypdf import PdfReader

from tests.payments.documents.steps import text_of
from tollkey.payments.documents.printed import MOST_ROWS, Document, Party, Row, Sum, draw, reply
from tollkey.wire.languages import ENGLISH, first_of

COLUMNS = ("Description", "Quantity", "Amount")


def with_rows(count: int, text: str = "Tea") -> Document:
    rows = [Row((f"{text} {number}", "1", "$9.00"), ("a note",)) for number in range(count)]
    sums = [Sum("Total", "$9.00", True)]
    return Document(ENGLISH, "Invoice", "Tea House", [("Invoice number", "A-1")], columns=COLUMNS, rows=rows, sums=sums)


def test_names_of_many_scripts_can_be_read_back() -> None:
    names = ("Łódź Æther ẞ", "Ελληνικά", "Привет", "株式会社", "한국어", "汉语公司", "a (b) \\c <d>")
    text = text_of(draw(Document(ENGLISH, "Invoice", "Tea House", parties=[Party("Bill to", names)])))
    assert [name for name in names if name not in text] == []


def test_a_long_table_goes_over_pages_with_headings_and_numbers() -> None:
    made = PdfReader(BytesIO(draw(with_rows(100))))
    pages = [page.extract_text() for page in made.pages]
    assert len(pages) > 2
    for number, page in enumerate(pages, 1):
        assert f"Page {number} of {len(pages)}" in page
        assert "Invoice A-1" in page
    assert all("Description" in page for page in pages[:-1])
    assert [number for number in range(100) if f"Tea {number}\n" not in "".join(pages)] == []


def test_a_document_shows_a_bounded_number_of_lines_in_bounded_time() -> None:
    began = time.process_time()
    text = text_of(draw(with_rows(MOST_ROWS + 7)))
    assert "7 more lines are not shown here." in text
    assert time.process_time() - began < 30


def test_rows_may_be_made_when_the_document_is_drawn_and_long_ones_are_cut() -> None:
    document = with_rows(0)._replace(rows=lambda: [Row(("x" * 9_000, "1", "$9.00"))])
    assert text_of(draw(document)).count("x") == 500


@pytest.mark.parametrize(("size", "wide"), [("a4", 595), ("letter", 612), ("other", 595)])
def test_a_page_has_the_size_of_the_paper(size: str, wide: int) -> None:
    page = PdfReader(BytesIO(draw(with_rows(1)._replace(page_size=size)))).pages[0]
    assert int(page.mediabox.width) == wide


def test_a_document_names_its_language_title_and_business() -> None:
    made = PdfReader(BytesIO(draw(with_rows(1)._replace(language=first_of(["de-AT"])))))
    assert made.metadata is not None
    assert (made.metadata.title, made.metadata.author) == ("Invoice A-1", "Tea House")
    assert made.root_object["/Lang"] == "de-AT"


def test_the_payment_page_is_a_link_and_no_other_scheme_is() -> None:
    def links(url: str) -> list[str]:
        page = PdfReader(BytesIO(draw(with_rows(1)._replace(link=("Pay online", url))))).pages[0]
        return [note.get_object()["/A"]["/URI"] for note in page.get("/Annots") or ()]

    assert links("https://pay.example/i/1") == ["https://pay.example/i/1"]
    assert links("javascript:alert(1)") == []


def test_the_same_document_is_the_same_file() -> None:
    assert draw(with_rows(3)) == draw(with_rows(3))


@pytest.mark.parametrize(("number", "name"), [("AB-0001", "AB-0001"), ('x"\r\ny/..', "x-y"), ("請求", "document")])
def test_the_file_has_a_plain_name(number: str, name: str) -> None:
    made = reply(with_rows(1), number)
    assert (made.body, made.drawn is None) == (b"", False), "it is drawn after the transaction"
    assert made.headers["Content-Disposition"] == f'inline; filename="{name}.pdf"'


@pytest.mark.parametrize("text", ["", " ", "\n" * 400, "x" * 4_000, "請" * 4_000, "\ud800", "\x00\x01", "👩‍🚀" * 300])
def test_any_text_can_be_printed_anywhere(text: str) -> None:
    document = Document(
        ENGLISH, text, text, [(text, text)] * 3, [Party(text, (text,) * 3)] * 3, text, (text, text), (text,) * 5,
        [Row((text,) * 5, (text,))], [Sum(text, text, True)], [text], text,
    )  # fmt: skip
    assert len(PdfReader(BytesIO(draw(document))).pages) >= 1
