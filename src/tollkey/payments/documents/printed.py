"""Printed documents (invoices, credit notes, quotes, receipts) as PDF: what they say, and how it is set on pages.

reportlab, which takes megabytes, is imported when a document is first drawn. A document has at most ``MOST_ROWS`` rows,
and each text a longest length (``letters.py``), so that none takes longer than a few seconds.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from tollkey.payments.documents.letters import cut, plain, runs, width_of, wrapped
from tollkey.wire import Reply
from tollkey.wire.hosted import is_image_url
from tollkey.wire.languages import Language

if TYPE_CHECKING:
    from reportlab.pdfgen.canvas import Canvas

MOST_ROWS = 1_000
_LONGEST_CELL = 500  # characters
_SIZES = {"a4": (595.28, 841.89), "letter": (612.0, 792.0)}
_MARGIN, _SIZE, _SMALL, _BIG = 48.0, 9.0, 8.0, 20.0
_LEADING = 1.4
_BLACK, _GREY, _LINE, _BLUE = "#14211f", "#5a6277", "#d9dde5", "#0b5c9c"


class Party(NamedTuple):
    """Somebody whom a document names. heading: as what; empty for the seller. lines: name, address, numbers."""

    heading: str
    lines: tuple[str, ...]


class Row(NamedTuple):
    """A row of the table. cells: one for each column. notes: smaller lines below the first cell."""

    cells: tuple[str, ...]
    notes: tuple[str, ...] = ()


class Sum(NamedTuple):
    """A line of the totals. strong: whether it is one that readers look for."""

    label: str
    amount: str
    strong: bool = False


class Document(NamedTuple):
    """What a document says, in its reader's language.

    facts: numbers and dates, as label and text. headline: what is to be paid until when. link: label and URL.
    columns: headings; the first is wide, the others have numbers. rows: those of the table, or what makes them when the
        document is drawn, where there may be many. notes: paragraphs below the totals.
    footer: the last paragraph. page_size: ``a4`` or ``letter``.
    """

    language: Language
    title: str
    business: str
    facts: Sequence[tuple[str, str]] = ()
    parties: Sequence[Party] = ()
    headline: str = ""
    link: tuple[str, str] | None = None
    columns: tuple[str, ...] = ()
    rows: Sequence[Row] | Callable[[], Sequence[Row]] = ()
    sums: Sequence[Sum] = ()
    notes: Sequence[str] = ()
    footer: str = ""
    page_size: str = "a4"


def reply(document: Document, number: str) -> Reply:
    """Return a response with a document as PDF, which is drawn after the transaction. number: names the file."""
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", number).strip("-") or "document"
    headers = {"Content-Disposition": f'inline; filename="{name}.pdf"', "X-Content-Type-Options": "nosniff"}
    return Reply(b"", "application/pdf", headers=headers, drawn=partial(draw, document))


class _Piece(NamedTuple):
    """A text at its place. x: of its left end, or its right one if ``right``."""

    x: float
    y: float
    text: str
    size: float = _SIZE
    bold: bool = False
    colour: str = _BLACK
    right: bool = False
    url: str = ""


class _Pages:
    """Pages that are being filled from top to bottom. y: where the next line is, in points from the lower edge."""

    def __init__(self, size: tuple[float, float]) -> None:
        self.width, self.height = size
        self.pages: list[list[_Piece | float]] = []
        self.turn()

    def turn(self) -> None:
        """Begin a page."""
        self.pages.append([])
        self.y = self.height - _MARGIN

    @property
    def inner(self) -> float:
        """The width between the margins."""
        return self.width - 2 * _MARGIN

    def fits(self, height: float) -> bool:
        """Whether that much is left above the line at the foot of a page."""
        return self.y - height >= _MARGIN + 2 * _SIZE

    def put(self, *pieces: _Piece) -> None:
        """Set texts on this page."""
        self.pages[-1].extend(pieces)

    def rule(self) -> None:
        """Draw a line across the page."""
        self.pages[-1].append(self.y)

    def paragraph(
        self, text: str, size: float = _SIZE, *, bold: bool = False, colour: str = _BLACK, url: str = ""
    ) -> None:
        """Set a text that may be as long as it wants to, over several pages."""
        for line in wrapped(text, self.inner, size, bold):
            if not self.fits(size * _LEADING):
                self.turn()
            self.y -= size * _LEADING
            self.put(_Piece(_MARGIN, self.y, line, size, bold, colour, url=url))


def draw(document: Document) -> bytes:
    """Return a document as PDF."""
    pages = _Pages(_SIZES.get(document.page_size, _SIZES["a4"]))
    _head(pages, document)
    _table(pages, document, document.rows() if callable(document.rows) else document.rows)
    _totals(pages, document.sums)
    for text in (*document.notes, document.footer):
        if text:
            pages.y -= _SIZE
            pages.paragraph(text, colour=_GREY if text is document.footer else _BLACK)
    return _written(pages, document)


def _head(pages: _Pages, document: Document) -> None:
    """Set title, facts, parties and headline."""
    half = pages.inner / 2
    names = wrapped(document.business, half, 12, True)[:3]
    for place, line in enumerate(names):
        y = pages.y - _BIG - place * 12 * _LEADING
        pages.put(_Piece(pages.width - _MARGIN, y, line, 12, True, _GREY, right=True))
    pages.put(_Piece(_MARGIN, pages.y - _BIG, document.title, _BIG, True))
    pages.y -= _BIG * 1.7
    for label, text in document.facts:
        lines = wrapped(text, half - 110, _SIZE)
        if not pages.fits(len(lines[:6]) * _SIZE * _LEADING):
            pages.turn()
        pages.put(_Piece(_MARGIN, pages.y - _SIZE * _LEADING, cut(label, 105, _SIZE, True), bold=True))
        for line in lines[:6]:
            pages.y -= _SIZE * _LEADING
            pages.put(_Piece(_MARGIN + 110, pages.y, line))
    pages.y -= 1.5 * _SIZE
    _parties(pages, document.parties)
    if document.headline:
        pages.y -= _SIZE
        pages.paragraph(document.headline, 14, bold=True)
    if document.link and is_image_url(document.link[1]):
        pages.paragraph(document.link[0], colour=_BLUE, url=document.link[1])
    pages.y -= 1.5 * _SIZE


def _parties(pages: _Pages, parties: Sequence[Party]) -> None:
    """Set the parties beside one another."""
    if not parties:
        return
    width = pages.inner / max(len(parties), 2)
    columns = [
        [(line, True) for line in wrapped(party.heading, width - 12, _SIZE, True) if line]
        + [(line, not party.heading and not at) for at, text in enumerate(party.lines)
           for line in wrapped(text, width - 12, _SIZE, not party.heading and not at)]
        for party in parties
    ]  # fmt: skip
    for row in range(min(max(map(len, columns)), 40)):
        if not pages.fits(_SIZE * _LEADING):
            pages.turn()
        pages.y -= _SIZE * _LEADING
        for place, column in enumerate(columns):
            if row < len(column):
                pages.put(_Piece(_MARGIN + place * width, pages.y, column[row][0], bold=column[row][1]))
    pages.y -= _SIZE


def _widths(pages: _Pages, columns: tuple[str, ...], rows: Sequence[Row]) -> list[float]:
    """Return the widths of the columns: each number as wide as it needs, the first what is left."""
    needed = [
        min(max(width_of(text, _SIZE, False) for text in column) + 12, pages.inner * 0.24)
        for column in list(zip(columns, *(row.cells for row in rows), strict=True))[1:]
    ]
    return [pages.inner - sum(needed), *needed]


def _table(pages: _Pages, document: Document, rows: Sequence[Row]) -> None:
    """Set the table, with its headings on each page."""
    if not document.columns:
        return
    widths = _widths(pages, document.columns, rows[:MOST_ROWS])
    _headings(pages, document.columns, widths)
    for row in rows[:MOST_ROWS]:
        first = wrapped(row.cells[0][:_LONGEST_CELL], widths[0] - 12, _SIZE)
        notes = [line for note in row.notes for line in wrapped(note, widths[0] - 12, _SMALL)]
        lines = [*((line, _SIZE, _BLACK) for line in first), *((line, _SMALL, _GREY) for line in notes)]
        for place, (line, size, colour) in enumerate(lines):
            if not pages.fits(size * _LEADING):
                pages.turn()
                _headings(pages, document.columns, widths)
            pages.y -= size * _LEADING
            pages.put(_Piece(_MARGIN, pages.y, line, size, colour=colour))
            if place == 0:
                _numbers(pages, row.cells[1:], widths[1:])
        pages.y -= 0.6 * _SIZE
    left = len(rows) - MOST_ROWS
    if left > 0:
        pages.paragraph(document.language.say("{count} more lines are not shown here.", count=left), colour=_GREY)


def _headings(pages: _Pages, columns: tuple[str, ...], widths: list[float]) -> None:
    """Set the headings of the table, with a line below."""
    pages.y -= _SMALL * _LEADING
    pages.put(_Piece(_MARGIN, pages.y, columns[0], _SMALL, colour=_GREY))
    _numbers(pages, columns[1:], widths[1:], _SMALL, _GREY)
    pages.y -= 0.6 * _SMALL
    pages.rule()
    pages.y -= 0.3 * _SMALL


def _numbers(
    pages: _Pages, cells: Sequence[str], widths: list[float], size: float = _SIZE, colour: str = _BLACK
) -> None:
    """Set the cells of the narrow columns, flush right."""
    right = pages.width - _MARGIN - sum(widths)
    for text, width in zip(cells, widths, strict=True):
        right += width
        pages.put(_Piece(right, pages.y, cut(text, width - 8, size), size, colour=colour, right=True))


def _totals(pages: _Pages, sums: Sequence[Sum]) -> None:
    """Set the totals in the right half, together on a page if one can hold them."""
    height = len(sums) * _SIZE * 2
    if sums and not pages.fits(height) and height < pages.height / 2:
        pages.turn()
    left = _MARGIN + pages.inner * 0.45
    for one in sums:
        room = pages.width - _MARGIN - left - width_of(one.amount, _SIZE, one.strong) - 8
        for place, line in enumerate(wrapped(one.label, room, _SIZE, one.strong)[:4]):
            if not pages.fits(_SIZE * 2):
                pages.turn()
            pages.y -= _SIZE * (_LEADING if place else 1.8)
            pages.put(_Piece(left, pages.y, line, bold=one.strong))
            if place == 0:
                pages.put(_Piece(pages.width - _MARGIN, pages.y, one.amount, bold=one.strong, right=True))
    pages.y -= _SIZE if sums else 0


def _written(pages: _Pages, document: Document) -> bytes:
    """Return filled pages as PDF, each with its number."""
    from reportlab.pdfgen.canvas import Canvas

    made = io.BytesIO()
    canvas = Canvas(made, (pages.width, pages.height), invariant=1, lang=document.language.tag)
    canvas.setTitle(plain(f"{document.title} {document.facts[0][1] if document.facts else ''}"))
    canvas.setAuthor(plain(document.business))
    canvas.setCreator("Tollkey")
    say, number = document.language.say, document.facts[0][1] if document.facts else ""
    for place, page in enumerate(pages.pages, 1):
        counted = say("Page {page} of {pages}", page=place, pages=len(pages.pages))
        foot = _MARGIN - _SMALL
        page += [
            _Piece(_MARGIN, foot, cut(f"{document.title} {number}", pages.inner * 0.7, _SMALL), _SMALL, colour=_GREY),
            _Piece(pages.width - _MARGIN, foot, counted, _SMALL, colour=_GREY, right=True),
        ]
        for piece in page:
            if isinstance(piece, _Piece):
                _set(canvas, piece)
            else:
                canvas.setStrokeColor(_LINE)
                canvas.line(_MARGIN, piece, pages.width - _MARGIN, piece)
        canvas.showPage()
    canvas.save()
    return made.getvalue()


def _set(canvas: Canvas, piece: _Piece) -> None:
    """Write a text at its place."""
    width = width_of(piece.text, piece.size, piece.bold)
    x = start = piece.x - width if piece.right else piece.x
    canvas.setFillColor(piece.colour)
    for font, text in runs(piece.text, piece.bold):
        canvas.setFont(font, piece.size)
        canvas.drawString(x, piece.y, text)
        x += canvas.stringWidth(text, font, piece.size)
    if piece.url:
        canvas.linkURL(piece.url, (start, piece.y - 2, x, piece.y + piece.size))
